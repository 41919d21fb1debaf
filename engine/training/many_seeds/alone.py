"""One of several runs that are trained together, as a run by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.collection.collectors import UNDER_WAY
from engine.environments.batches.shares import share_of
from engine.runtime.state import State

NOISE = "The run was trained together with other seeds; alone, it draws other random numbers for its actions."
ALONE = "alone"  # where a state says that it was taken out of that of several


def alone(state: Mapping[str, Any], seed: int) -> State:
    """The state of the run of one ``seed`` by itself, from that of several (``Training.state``): its networks, its
    environments with the episodes that are under way, and its totals. The noise of its actions will be its own.

    Raises:
        ValueError: none of the runs has this seed.
    """
    seeds = list(state["seeds"])
    if seed not in seeds:
        raise ValueError(f"This state is of the seeds {seeds}, not of {seed}.")
    index, learner = seeds.index(seed), state["learner"]
    own = learner[f"seed {seed}"]
    collector = _collector(learner["collector"], index, len(seeds))
    return {
        **state,
        "config": {**state["config"], "seed": seed},
        "seeds": [],
        ALONE: True,
        "totals": [state["totals"][index]],
        "learner": {**own, "interaction": {**own["interaction"], "collector": collector}},
    }


def _collector(state: Mapping[str, Any], index: int, seeds: int) -> State:
    """That of the seed at this ``index``, from the joint one."""
    if "collector" in state:
        joint, episodes = state["collector"], state["collector"]["episodes"]
        some = _columns(len(episodes["elapsed"]), index, seeds)
        shown = episodes["observations"]
        own = {name: episodes[name][some].copy() for name in ("elapsed", "returns")}
        own |= {"memory": None, "observations": None if shown is None else shown[some].copy()}
        return {"environments": share_of(joint["environments"], some), "episodes": own}
    some = _columns(len(state["running"]), index, seeds)
    found: State = {"environments": share_of(state["parts"]["environments"], some)}
    begun = int(state["begun"][index])
    if begun >= 0:
        found[UNDER_WAY] = {
            "stored": {name: array[begun:, some].copy() for name, array in state["stored"].items()},
            **{name: state[name][some].copy() for name in ("running", "lengths", "terminated", "seen")},
        }
    return found


def _columns(environments: int, index: int, seeds: int) -> slice:
    each = environments // seeds
    return slice(index * each, (index + 1) * each)
