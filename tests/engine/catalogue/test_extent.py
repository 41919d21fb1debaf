"""What is too large for a computer is told at once, from the spaces and the configuration alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from engine.catalogue.configured import changed
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.extent import memory_needed, value_parameters
from engine.catalogue.methods.replay import replay_layout, replay_too_large
from engine.catalogue.spaces import EnvironmentInfo, Space, box, discrete, pixels
from engine.config import PolicyGradientConfig, RunConfig
from engine.config.environments import EnvironmentConfig
from engine.config.estimators import ValueBaseline
from engine.config.parameters import with_values
from engine.config.presets import shipped
from engine.experience.replay_layout import replay_bytes
from engine.runtime import memory
from engine.runtime.errors import Refusal
from engine.values.value_function import ValueFunction

LINEAR_V = {"estimator.baseline": "value", "estimator.baseline.hidden_sizes": []}


def seeing(observation: Space, action: Space | None = None) -> EnvironmentInfo:
    return EnvironmentInfo("Huge-v0", "X", "X.", observation, action or discrete(2))


def chosen(**values: Any) -> RunConfig:
    return with_values(PolicyGradientConfig(), {path.replace("__", "."): value for path, value in values.items()})


@pytest.fixture(autouse=True)
def _a_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("extent", "replay"):
        monkeypatch.setattr(f"engine.catalogue.methods.{module}.total_memory", lambda: 16_000_000_000)


@pytest.mark.parametrize(
    ("values", "environment", "why", "instead"),
    [
        ({"policy": "tabular"}, seeing(discrete(10**9)), "2,000,000,000 numbers in Huge-v0", "with fewer states"),
        ({}, seeing(discrete(10**9)), "64,000,004,354 numbers", "with fewer states"),
        ({}, seeing(discrete(10**7)), "640,004,354 numbers", "use a tabular policy"),
        (
            {"policy": "tabular", "estimator.baseline": "value"},
            seeing(discrete(10**7)),
            "The learned value would learn 640,004,289 numbers",
            "another baseline",
        ),
        ({"policy": "tabular"} | LINEAR_V, seeing(discrete(10**7)), "GB of memory", "another baseline"),
        ({"policy.hidden_sizes": [1]}, seeing(discrete(10**6)), "GB of memory", "use a tabular policy"),
        ({}, seeing(box(2), discrete(2**62)), "numbers in Huge-v0", "fewer actions"),
        ({}, seeing(box(2), Space("multi-binary", 10**7)), "numbers in Huge-v0", "fewer actions"),
        ({}, seeing(box(2), discrete(500_000)), "GB of memory", "fewer actions"),
        ({}, seeing(box(10**6)), "numbers in Huge-v0", "smaller hidden layers"),
        ({"policy": "cnn"}, seeing(pixels(1000, 1000, 3)), "numbers in Huge-v0", "smaller images"),
        ({"policy.hidden_sizes": [4096] * 3}, seeing(box(4)), "would take about 16 s", "Xavier"),
        ({"policy.hidden_sizes": [4096] * 8}, seeing(box(4)), "117,497,858 numbers", "smaller hidden layers"),
        (
            {"collection": "fixed-length", "collection.environments": 4096, "collection.steps": 100_000},
            seeing(box(4)),
            "this computer has 16 GB",
            "fewer environments or steps per update",
        ),
    ],
)
def test_what_is_too_large_is_one_sentence(
    values: dict[str, Any], environment: EnvironmentInfo, why: str, instead: str
) -> None:
    config = with_values(PolicyGradientConfig(), {"estimator.baseline": "none"} | values)
    found = refusal(config, environment)
    assert found is not None
    assert why in found.why
    assert instead in found.instead


@pytest.mark.parametrize(
    ("values", "environment"),
    [
        ({"policy": "tabular"}, seeing(discrete(10**7))),
        ({}, seeing(discrete(10**4))),
        ({}, seeing(box(2), discrete(5000))),
        ({}, seeing(box(2), box(5000))),
        ({"policy": "cnn"}, ENVIRONMENTS["ALE/Pong-v5"]),
        ({"policy": "cnn"}, ENVIRONMENTS["CarRacing-v3"]),
        ({"policy.hidden_sizes": [4096, 4096]}, seeing(box(4))),
    ],
)
def test_what_can_be_learned_is_not_refused(values: dict[str, Any], environment: EnvironmentInfo) -> None:
    config = with_values(PolicyGradientConfig(), {"estimator.baseline": "none"} | values)
    assert refusal(config, environment) is None


def test_the_shipped_presets_are_small() -> None:
    for name, preset in shipped().items():
        most = 0.7e9 if name == "pong-dqn" else 0.1e9  # of which 100,000 pictures that are learned from again
        assert memory_needed(preset.config, ENVIRONMENTS[preset.config.environment.id]) < most


@pytest.mark.parametrize(
    ("values", "environment"),
    [(LINEAR_V, seeing(discrete(9))), ({"estimator.baseline": "value"}, seeing(box(3)))],
)
def test_the_learned_values_parameters_are_counted_as_they_are_made(
    values: dict[str, Any], environment: EnvironmentInfo
) -> None:
    config = with_values(PolicyGradientConfig(), values)
    assert isinstance(config, PolicyGradientConfig)
    assert isinstance(config.estimator.baseline, ValueBaseline)
    made = ValueFunction(config.estimator.baseline, environment.observation, torch.Generator())
    assert value_parameters(config, environment) == sum(parameter.numel() for parameter in made.parameters())


def test_memory_grows_with_what_is_stored_and_what_is_kept_of_each_parameter() -> None:
    def needed(**values: Any) -> int:
        return memory_needed(chosen(**values), seeing(box(100)))

    fixed = {"collection": "fixed-length", "collection__environments": 8}
    steps = [needed(**fixed, collection__steps=count) for count in (1024, 2048)]
    assert steps[1] - steps[0] == 8 * 1024 * 2 * 4 * 101  # beyond 4096 rows, only what is stored
    assert needed(update__optimizer="adam") > needed(update__optimizer="sgd")


@pytest.mark.parametrize(("limit", "bound"), [("300000000\n", 300_000_000), ("max\n", None), (None, None)])
def test_a_containers_limit_counts_where_there_is_one(
    limit: str | None, bound: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if limit is not None:
        (tmp_path / "memory.max").write_text(limit, "ascii")
    monkeypatch.setattr(memory, "_LIMITS", (str(tmp_path / "memory.max"),))
    found = memory.total_memory.__wrapped__()
    assert found == bound if bound is not None else found > 300_000_000


def test_a_replay_buffer_that_does_not_fit_is_refused_and_one_that_does_is_not() -> None:
    """A million Atari frames of 84 × 84 × 4 pixels take 28 GB, at a byte each; of four numbers, 32 MB."""
    frames = seeing(pixels(84, 84, 4))

    def refusals(environment: EnvironmentInfo, capacity: int, environments: int) -> list[Refusal]:
        needed = replay_bytes(replay_layout(environment), capacity, environments, False)
        return list(replay_too_large(environment, capacity, environments, needed))

    (found,) = refusals(frames, 1_000_000, 8)
    assert str(found) == (
        "A replay buffer of 1,000,000 transitions of Huge-v0 would take about 28 GB of memory, and this computer has "
        "16 GB, half of which can be used; keep at most 280,000."
    )
    assert not refusals(frames, 280_000, 8)
    assert not refusals(seeing(box(4)), 1_000_000, 64)
    (huge,) = refusals(seeing(box(10**9)), 100, 8)
    assert huge.instead == "use an environment that shows less"


def test_of_pictures_that_are_shown_several_at_once_each_is_kept_once_where_none_is_altered() -> None:
    pong = ENVIRONMENTS["ALE/Pong-v5"]

    def gigabytes(**changes: Any) -> float:
        changes_made = EnvironmentConfig(id="ALE/Pong-v5", **changes)
        layout = replay_layout(changed(pong, changes_made), changes_made)
        return replay_bytes(layout, 1_000_000, 8, False) / 1e9

    assert gigabytes() == pytest.approx(7.07, abs=0.01)
    assert gigabytes(frame_stack=2) == pytest.approx(28.2, abs=0.1)  # of which each shows four
    assert gigabytes(hidden=(5,)) == pytest.approx(112.9, abs=0.1)  # what is left is no picture
    assert gigabytes(observation_noise=0.1) == pytest.approx(112.9, abs=0.1)  # nor do bytes hold noise


def test_a_replay_buffer_keeps_what_is_exact_in_as_few_bytes() -> None:
    def kept(observation: Space, action: Space) -> tuple[tuple[object, ...], ...]:
        layout = replay_layout(seeing(observation, action))
        return tuple((part.shape, part.kind) for part in (layout.observation, layout.action))

    assert kept(discrete(5), discrete(2)) == (((), "int64"), ((), "int64"))
    assert kept(pixels(8, 8, 3), box(2)) == (((192,), "uint8"), ((2,), "float32"))
    shares = Space("box", 300, bounds=((0.0, 1.0),), shape=(10, 10, 3), image=True)
    assert kept(shares, Space("multi-discrete", 5, parts=(2, 3))) == (((300,), "float32"), ((2,), "int64"))
    assert kept(box(3), Space("multi-binary", 4)) == (((3,), "float32"), ((4,), "int64"))
