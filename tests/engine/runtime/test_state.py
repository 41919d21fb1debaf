"""Parts: named once, and loaded whole or not at all."""

from __future__ import annotations

import pytest
import torch

from engine.runtime.state import INEXACT, Parts, TensorState, inexact


def parts(**tensors: torch.Tensor) -> Parts:
    found = Parts()
    for name, tensor in tensors.items():
        found.add(name, TensorState({"tensor": tensor}))
    return found


def test_a_state_stays_what_it_was_and_is_loaded_in_place() -> None:
    tensor = torch.zeros(3)
    whole = parts(a=tensor)
    state = whole.state()
    tensor.fill_(5.0)
    assert state["a"]["tensor"].tolist() == [0.0, 0.0, 0.0]
    view = tensor[:2]
    whole.load(state)
    assert view.tolist() == [0.0, 0.0]


def test_a_name_is_given_once() -> None:
    whole = parts(a=torch.zeros(1))
    with pytest.raises(ValueError, match="There is a part a already"):
        whole.add("a", TensorState({}))


@pytest.mark.parametrize("names", [(), ("a",), ("a", "b", "c")], ids=str)
def test_a_state_with_other_parts_is_refused(names: tuple[str, ...]) -> None:
    state = parts(**{name: torch.zeros(1) for name in names}).state()
    with pytest.raises(ValueError, match="what it is loaded into has a, b"):
        parts(a=torch.zeros(1), b=torch.zeros(1)).load(state)


def test_a_part_that_came_later_may_be_missing_and_stays_as_it_was_made() -> None:
    early, now = parts(a=torch.zeros(1)), parts(a=torch.ones(1))
    later = now.add_later("b", TensorState({"tensor": torch.ones(2)}))
    now.load(early.state())
    assert later.tensors["tensor"].tolist() == [1.0, 1.0]
    with pytest.raises(ValueError, match="This state is of b;"):
        now.load({"b": later.state()})


def test_a_tensor_of_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="This state is of tensors"):
        parts(a=torch.zeros(1)).load(parts(a=torch.zeros(2)).state())


def test_what_may_not_go_on_exactly_is_found_wherever_it_stands_and_told_once() -> None:
    state = {"a": [{INEXACT: "One."}, {"b": {INEXACT: "Two.", "c": 1}}], "d": {INEXACT: "One."}, "e": torch.zeros(1)}
    assert inexact(state) == ("One.", "Two.")
    assert inexact({"a": [1, {"b": None}]}) == ()
