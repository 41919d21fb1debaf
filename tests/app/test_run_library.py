"""The run library as the window sees it, and the history of a recorded run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from app.models import history as history_module
from app.models.columns import Table
from app.models.history import History
from app.models.run_names import full_name, told_apart
from app.session.run_library import RunLibrary
from engine.config import PolicyGradientConfig, RunConfig, presets
from engine.config.parameters import with_values
from engine.reports.events import Change, Collected, Solved, Updated
from engine.reports.metrics import METRICS
from engine.runs.library import EPISODES, ITERATIONS, Library
from engine.runs.records import Label, NotedEvent, Origin, Reached, RunRecord, Status
from engine.runs.series import Series
from tests.app.shorthands import heard

ITERATION_COLUMNS = ("iteration", "environment_steps", "episodes", "seconds", *METRICS)


def series(rows: list[Updated]) -> Series:
    """The stream that a recorder writes of what a run told."""
    told = [[value if value is not None else np.nan for value in _row(row)] for row in rows]
    return Series(ITERATION_COLUMNS, np.array(told))


def _row(updated: Updated) -> list[float | None]:
    totals = [updated.iteration, updated.environment_steps, updated.episodes, updated.seconds]
    return [*totals, *(updated.metrics.get(name) for name in METRICS)]


def recorded(library: Library, status: Status = Status.FINISHED, **values: object) -> RunRecord:
    """A run of the default choice with some values replaced, two iterations long."""
    changes = {path.replace("__", "."): value for path, value in values.items()}
    config: RunConfig = with_values(PolicyGradientConfig(), changes)
    run = library.begin(RunRecord("", 0, config.model_dump(mode="json"), status, created=1e9 + len(library.runs())))
    told = [Updated(i, i * 100, 2 * i, float(i), {"mean_return": 15.0 * i}) for i in (1, 2)]
    library.append(run.id, ITERATIONS, ITERATION_COLUMNS, series(told).rows)
    library.append(
        *(run.id, EPISODES, ("iteration", "return", "length", "end", "seconds")),
        np.array([[1, 10.0, 50, 50, 1.0], [1, 20.0, 50, 100, 1.0], [2, 40.0, 100, 200, 2.0]]),
    )
    return library.run(run.id)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library(tmp_path / "library") as opened:
        yield opened


@pytest.fixture
def view(library: Library, qapp: object) -> Iterator[RunLibrary]:
    view = RunLibrary(library.folder)
    view.open()
    yield view
    view.close()


def test_a_recorded_run_has_the_history_that_it_had_live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "FINE", 20)
    generator = np.random.default_rng(3)
    for length in (1, 19, 20, 21, 60, 61, 143):  # where points stand for one iteration, for two and for four
        live, told = History(), []
        change = Change("update.learning_rate", 0.01, 0.002, 2, 100, 1, 1.0)
        for i in range(1, length + 1):
            known = {name: float(generator.normal()) for name in METRICS if generator.random() < 0.8}
            told.append(Updated(i, i * 100, i, i / 3, known, (change,) if i == 2 else ()))
            live.add(Collected(i, i * 100, np.array([float(i)]), np.array([100]), np.array([i * 100]), i / 3))
            live.add(told[-1])
        live.add(Solved(1, 100, 1, 1 / 3, 480.0, 475.0))
        rows = [[i, float(i), 100, i * 100, i / 3] for i in range(1, length + 1)]
        episodes = Series(("iteration", "return", "length", "end", "seconds"), np.array(rows))
        noted = [NotedEvent("solved", 1, 100, 1, 1 / 3, {"mean_return": 480.0, "threshold": 475.0})]
        if length > 1:
            noted.append(
                NotedEvent("change", 2, 100, 1, 1.0, {"path": "update.learning_rate", "old": 0.01, "new": 0.002})
            )
        again = History.from_series(series(told), episodes, noted)
        for name in ("episode_returns", "episode_steps", "episode_seconds", "steps", "episodes", "seconds"):
            np.testing.assert_array_equal(getattr(again, name).values, getattr(live, name).values, name)
        for name in METRICS:
            np.testing.assert_array_equal(again.metrics[name].values, live.metrics[name].values, name)
            np.testing.assert_array_equal(again.provisional(name), live.provisional(name))
        assert (again.changes, again.solved) == (live.changes, live.solved)
        assert (again.iterations, again.environment_steps, again.last_x("seconds")) == (
            *(live.iterations, live.environment_steps),
            live.last_x("seconds"),
        )
        live.add(told[-1])
        again.add(told[-1])  # it may go on
        np.testing.assert_array_equal(again.metrics["loss"].values, live.metrics["loss"].values)


def test_a_table_takes_many_rows_at_once() -> None:
    table = Table(["a", "b"])
    table.append([1, 2])
    table.extend(np.arange(6000.0).reshape(-1, 2))
    table.append([3, 4])
    assert (len(table["a"].values), table["b"].values[-2:].tolist()) == (3002, [5999, 4])


def test_a_run_without_anything_told_is_empty(view: RunLibrary) -> None:
    assert view.history("unknown").is_empty
    assert History.from_series(Series((), np.empty((0, 0))), Series((), np.empty((0, 0)))).is_empty


def test_what_is_written_elsewhere_is_seen_at_the_next_look(view: RunLibrary, library: Library) -> None:
    told = heard(view.changed)
    first = recorded(library, Status.RUNNING)
    view.look()
    assert [record.id for record in view.records()] == [first.id]
    history = view.history(first.id)
    assert (history.iterations, len(history.episode_returns), history is view.history(first.id)) == (2, 3, True)
    view.look()
    assert len(told) == 1  # nothing has happened since
    second = recorded(library, seed=2)
    library.reach(first.id, Reached(iteration=3, environment_steps=300, seconds=3.0), ())
    view.look()
    assert [record.number for record in view.records()] == [second.number, first.number]
    assert view.record(first.id).reached.environment_steps == 300
    assert history is not view.history(first.id)
    library.delete([first.id])
    view.look()
    assert ([record.number for record in view.records()], len(told)) == ([2], 3)
    assert view.record(first.id).deleted


def test_a_run_is_named_after_what_it_has_otherwise_than_the_one_before_it(view: RunLibrary, library: Library) -> None:
    first = recorded(library)
    second = recorded(library, estimator__baseline={"kind": "average"})
    elsewhere = recorded(library, environment__id="Acrobot-v1")
    third = recorded(library, seed=4, update__learning_rate=0.5, budget__environment_steps=9)
    again = recorded(library, seed=4, update__learning_rate=0.5, budget__environment_steps=9)
    view.look()
    assert full_name(first).endswith("Cart pole · seed 1")
    names = [view.name(record) for record in (first, second, elsewhere, third, again)]
    assert names[0].endswith(" · Cart pole")
    assert (names[1], names[4]) == ("baseline: average return", f"as run {third.number}")
    assert names[2].endswith(" · Acrobot")
    assert names[3].endswith(", …")
    child = library.begin(RunRecord("", 0, second.configuration, Status.STOPPED, 2e9, origin=Origin(first.id, 1, 100)))
    view.look()
    assert view.name(view.record(child.id)) == "baseline: average return"  # than the run that it was forked from
    view.label(child.id, Label(title="the good one"))
    assert view.name(view.record(child.id)) == "the good one"


def test_the_name_of_a_run_says_first_what_a_person_would_say() -> None:
    shipped = presets.shipped()
    ppo, fast, lunar = (shipped[name].config for name in ("cartpole-ppo", "cartpole-fast", "lunar-lander"))
    assert told_apart(fast, ppo) == ["PPO", "MLP"]
    assert told_apart(ppo, with_values(ppo, {"seed": 3, "update.learning_rate": 0.5})) == ["α 0.5", "seed 3"]
    assert told_apart(ppo, with_values(ppo, {"seed": 3, "update.learning_rate": 0.5, "device": "cpu"}))[2:] == ["…"]
    assert told_apart(fast, lunar)[:2] == ["PPO", "Lunar lander"]
    assert told_apart(with_values(ppo, {"environment": "Acrobot-v1"}), ppo) == ["Cart pole"]


def test_deleting_and_labelling_can_be_undone(view: RunLibrary, library: Library) -> None:
    first, second = recorded(library), recorded(library, Status.RUNNING)
    view.look()
    view.show(first.id, True)
    view.delete([first.id, second.id])
    assert [record.id for record in view.records()] == [second.id]  # which is at work
    assert (view.shown, view.undo_stack.undoText()) == ((), "Delete run 1")
    view.undo_stack.undo()
    assert (len(view.records()), view.shown) == (2, (first.id,))
    view.pin(first.id, True)
    view.label(first.id, Label("base", "of the lecture", ("week 3",), pinned=True))
    assert library.run(first.id).label.tags == ("week 3",)
    for note in ("of the", "of the last", "of the last lecture"):  # as they are kept while a person types
        view.label(first.id, Label("base", note, ("week 3",), pinned=True))
    texts = [view.undo_stack.text(i) for i in range(view.undo_stack.count())]
    assert texts == ["Draw run 1 beside", "Pin run 1", "Rename run 1", "Note on run 1"]
    view.undo_stack.undo()
    assert view.record(first.id).label.note == "of the lecture"
    view.undo_stack.undo()
    view.undo_stack.undo()
    assert view.record(first.id).label == Label()
    view.undo_stack.redo()
    assert library.run(first.id).label == Label(pinned=True)
    view.undo_stack.undo()
    third = recorded(library)
    view.look()
    view.draw([third.id, first.id], True)
    assert (view.undo_stack.undoText(), view.shown) == ("Draw run 3 beside", (first.id, third.id))
    view.draw([first.id, third.id], False)
    assert (view.undo_stack.undoText(), view.shown) == ("Hide 2 runs", ())
    view.undo_stack.undo()
    assert view.shown == (first.id, third.id)
    view.show_only([second.id, third.id])  # as Compare does by itself
    view.undo_stack.undo()
    assert view.shown == (second.id,)


def test_a_library_that_cannot_be_used_is_told_once_and_is_as_if_empty(tmp_path: Path, qapp: object) -> None:
    (tmp_path / "library").write_text("no folder")
    view = RunLibrary(tmp_path / "library")
    told = heard(view.failed)
    view.open()
    view.open()
    assert (len(told), view.records(), view.history("x").is_empty) == (1, [], True)
    assert "cannot be opened" in told[0]
