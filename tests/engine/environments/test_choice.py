"""Where environments are stepped: as wished, or as measured."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from engine.config.environments import EnvironmentConfig
from engine.environments.batches import choice as stepping
from engine.environments.batches import envpool as envpool_batch
from engine.environments.batches.choice import best_workers, choose_batch, predicted, random_actions, seconds_per_step
from engine.environments.batches.gymnasium import GymnasiumBatch
from engine.environments.making import registry
from engine.runtime.errors import RequestError, RunError
from tests.engine.support import Toy, register

SPACES = "tests.engine.worker_environments:Spaces-v0"
MISBEHAVING = "tests.engine.worker_environments:Misbehaving-v0"
Costs = Callable[..., None]


class Batch:
    """Stands for a batch of some kind, and costs nothing to make."""

    def __init__(self, environment: EnvironmentConfig, seeds: Any, workers: int = 0, settings: Any = None) -> None:
        self.size, self.workers, self.seeds = len(seeds), workers, list(seeds)

    def close(self) -> None:
        pass


class Here(Batch):
    pass


class There(Batch):
    pass


class Pooled(Batch):
    pass


@pytest.fixture
def costs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Costs]:
    """Sets how long one environment takes here, how long all do in EnvPool, how many cores there are, and how long
    worker processes wait for them."""

    def set_to(here: float, envpool: float = float("inf"), cores: int = 4, waiting: float = 0.0) -> None:
        def seconds(batch: Batch) -> float:
            if isinstance(batch, Here):
                assert batch.size == 1
                return here
            return envpool if isinstance(batch, Pooled) else predicted(here, batch.size, batch.workers) + waiting

        monkeypatch.setattr(stepping, "seconds_per_step", seconds)
        monkeypatch.setattr(stepping, "cores", lambda: cores)

    for name, kind in (("GymnasiumBatch", Here), ("ProcessBatch", There), ("EnvPoolBatch", Pooled)):
        monkeypatch.setattr(stepping, name, kind)
    stepping._measured.cache_clear()
    yield set_to
    stepping._measured.cache_clear()


def own(n: int, **values: Any) -> tuple[Any, str]:
    return choose_batch(EnvironmentConfig(id="LunarLander-v3", **values), range(n))


def test_cheap_environments_stay_in_this_process(costs: Costs) -> None:
    costs(here=20e-6)
    batch, how = own(8)
    assert type(batch) is Here
    assert batch.seeds == list(range(8))
    assert how == "8 environments in this process, since a step of LunarLander-v3 takes 0.02 ms"


def test_costly_environments_go_to_worker_processes(costs: Costs) -> None:
    costs(here=400e-6, cores=2)
    batch, how = own(8)
    assert type(batch) is There
    assert (batch.workers, batch.seeds) == (2, list(range(8)))
    assert how == "8 environments in 2 worker processes, since a step of LunarLander-v3 takes 0.4 ms"


def test_costly_environments_stay_where_there_is_one_core(costs: Costs) -> None:
    costs(here=1.0, cores=1)
    assert type(own(8)[0]) is Here


def test_a_small_gain_is_not_worth_processes(costs: Costs) -> None:
    each = 40e-6
    costs(here=each, cores=2)
    assert 1.0 < 8 * each / predicted(each, 8, 2) < stepping.GAIN
    assert type(own(8)[0]) is Here


def test_processes_that_turn_out_slower_than_predicted_are_not_taken(costs: Costs) -> None:
    """As where the cores are another's, or there are fewer than it seems."""
    costs(here=400e-6, cores=2, waiting=2e-3)
    batch, how = own(8)
    assert type(batch) is Here
    assert how == "8 environments in this process, since worker processes are hardly faster"


def test_changes_to_what_is_seen_and_paid_are_no_reason_to_measure_again(costs: Costs) -> None:
    costs(here=20e-6)
    _, how = own(8, reward_offset=1.0)
    costs(here=400e-6)
    assert own(8, reward_offset=2.0, frame_stack=3, sticky_actions=0.5)[1] == how
    assert own(8, time_limit=7)[1] != how


def test_one_environment_stays_whatever_it_costs(costs: Costs) -> None:
    costs(here=1.0, envpool=1e-6)
    batch, how = own(1)
    assert type(batch) is Here
    assert how == "1 environment in this process"


def test_envpool_is_taken_when_clearly_faster(costs: Costs) -> None:
    costs(here=100e-6, envpool=200e-6, cores=1)
    batch, how = own(8)
    assert type(batch) is Pooled
    assert how == "8 environments in EnvPool, which is 4 times as fast but draws other episodes"


def test_envpool_is_not_taken_when_hardly_faster(costs: Costs) -> None:
    costs(here=100e-6, envpool=600e-6, cores=1)
    assert type(own(8)[0]) is Here


def test_envpool_is_compared_with_the_faster_of_the_others(costs: Costs) -> None:
    costs(here=1000e-6, envpool=2000e-6, cores=4)
    assert type(own(8)[0]) is There


def test_the_same_run_again_is_stepped_as_before(costs: Costs) -> None:
    costs(here=20e-6)
    before = own(8)[1]
    costs(here=1.0)
    assert own(8)[1] == before
    assert type(own(9)[0]) is There


def test_as_many_workers_as_are_fastest() -> None:
    assert best_workers(1.0, 5) == min(5, stepping.cores())
    assert best_workers(0.0, 8) == 1


def test_more_workers_than_divide_the_environments_evenly_are_no_faster(costs: Costs) -> None:
    costs(here=1.0, cores=7)
    assert best_workers(1.0, 8) == 4


@pytest.mark.parametrize(
    ("wish", "kind", "how"),
    [
        ("in-process", Here, "3 environments in this process, as chosen"),
        ("processes", There, "3 environments in 3 worker processes, as chosen"),
        ("envpool", Pooled, "3 environments in EnvPool, as chosen"),
    ],
)
def test_a_wish_is_granted_whatever_it_costs(wish: Any, kind: type[Batch], how: str, costs: Costs) -> None:
    costs(here=20e-6, envpool=1.0)
    batch, told = own(3, stepping=wish)
    assert type(batch) is kind
    assert told == how


def test_a_wish_for_envpool_where_it_is_not_installed_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envpool_batch, "find_spec", lambda name: None)
    with pytest.raises(RequestError, match=r"^EnvPool is not installed; install it with: pip install envpool$"):
        own(2, stepping="envpool")


def test_a_wish_for_processes_within_a_worker_process_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    with pytest.raises(RequestError, match="cannot start others"):
        own(2, stepping="processes")


def test_costly_environments_stay_within_a_worker_process(costs: Costs, monkeypatch: pytest.MonkeyPatch) -> None:
    costs(here=1.0)
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)  # type: ignore[attr-defined]
    assert type(own(8)[0]) is Here
    assert type(choose_batch(EnvironmentConfig(id=SPACES), [0, 1])[0]) is Here


@pytest.mark.parametrize(("n", "workers"), [(1, 1), (8, 1)])
def test_cheap_environments_of_unknown_make_are_watched_all_the_same(n: int, workers: int, costs: Costs) -> None:
    costs(here=1e-6)
    batch, how = choose_batch(EnvironmentConfig(id=SPACES), range(n))
    assert type(batch) is There
    assert batch.workers == workers
    assert how == f"{n} environment{'s' if n > 1 else ''} in 1 worker process, which can fail without harm"


def test_costly_environments_of_unknown_make_are_spread(costs: Costs) -> None:
    costs(here=1.0)
    batch, _ = choose_batch(EnvironmentConfig(id=SPACES), range(8))
    assert batch.workers == 4  # type: ignore[attr-defined]


def test_what_is_registered_by_a_class_of_this_process_stays_here(costs: Costs) -> None:
    costs(here=1.0)
    batch, how = choose_batch(EnvironmentConfig(id=register("Tests/ByClass-v0", Toy)), range(8))
    assert type(batch) is Here
    assert how == "8 environments in this process, since worker processes cannot make them"


def test_what_workers_do_not_find_is_not_looked_for_here() -> None:
    id = register("Tests/ByName-v0", "tests.engine.support:Toy")
    with pytest.raises(RequestError, match="There is no environment Tests/ByName-v0"):
        choose_batch(EnvironmentConfig(id=id), [0, 1])


def test_what_nobody_can_make_is_a_wrong_request() -> None:
    with pytest.raises(RequestError, match="There is no environment"):
        choose_batch(EnvironmentConfig(id="tests.engine.worker_environments:Nowhere-v0"), [0, 1])


def test_an_environment_that_hangs_while_it_is_measured_is_told_of() -> None:
    environment = EnvironmentConfig(id=MISBEHAVING, options={"what": "hangs", "during": "step"}, patience=0.4)
    with pytest.raises(RunError, match=r"with the seed 7 has not answered its step for 0\.4 s"):
        choose_batch(environment, [7, 8])


def test_an_environment_of_our_own_that_fails_when_measured_is_left_to_the_run(
    costs: Costs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(batch: Any) -> float:
        raise RunError("it raised")

    costs(here=1.0)
    monkeypatch.setattr(stepping, "seconds_per_step", fails)
    batch, how = own(8)
    assert type(batch) is Here
    assert how == "8 environments in this process, since a step of LunarLander-v3 fails"


def test_measuring_leaves_the_runs_episodes_as_they_are() -> None:
    seeds = [3, 4]
    batch, _ = choose_batch(EnvironmentConfig(id="FrozenLake-v1"), seeds)
    alone = GymnasiumBatch(EnvironmentConfig(id="FrozenLake-v1"), seeds)
    for _ in range(5):
        assert np.array_equal(batch.reset(np.arange(2)), alone.reset(np.arange(2)))
        mine, theirs = (one.step(np.array([2, 1]), np.arange(2)) for one in (batch, alone))
        assert np.array_equal(mine.observations, theirs.observations)
    batch.close()
    alone.close()


def test_measuring_plays_on_over_the_ends_of_episodes_and_closes() -> None:
    batch = GymnasiumBatch(EnvironmentConfig(id=register("Tests/Short-v0", Toy, lengths=(1, 2))), [0, 1])
    closed: list[bool] = []
    batch.close = lambda: closed.append(True)  # type: ignore[method-assign]
    assert 0.0 < seconds_per_step(batch) < 1.0
    assert closed == [True]


@pytest.mark.parametrize(
    ("space", "low", "high", "shape"),
    [
        (spaces.Discrete(3, start=4), 0, 2, (50,)),
        (spaces.MultiDiscrete([2, 3], start=[5, 6]), 0, 2, (50, 2)),
        (spaces.MultiBinary(3), 0, 1, (50, 3)),
        (spaces.Box(-2.0, 3.0, (1, 2), np.float64), -2.0, 3.0, (50, 2)),
    ],
    ids=str,
)
def test_random_actions_are_as_a_policy_gives_them(space: Any, low: float, high: float, shape: tuple[int, ...]) -> None:
    actions = random_actions(space, 50)
    assert actions.shape == shape
    assert actions.dtype == (np.float32 if isinstance(space, spaces.Box) else np.int64)
    assert low <= actions.min()
    assert actions.max() <= high


@pytest.mark.parametrize(
    ("id", "expected"),
    [
        ("Acrobot-v1", True),
        ("Corridor-v0", True),
        (SPACES, False),
        ("Nowhere-v0", False),
        (register("Tests/Mine-v0", Toy), False),
        (register("Tests/Engineless-v0", "engineless:Toy"), False),
    ],
)
def test_environments_of_gymnasiums_and_ours_are_taken_to_be_sound(id: str, expected: bool) -> None:
    assert registry.is_known(id) == expected
