"""What led to a policy of a run: its last update where that can be made again, else all since what was kept before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from engine.analysis.landscape.around import Begun, Taken, Wanted, look_around
from engine.analysis.landscape.directions import parameters_of
from engine.analysis.landscape.scan import Spot
from engine.analysis.playback import frozen
from engine.runs.last_update import last_update, to_newest
from engine.runs.library import Library
from engine.runs.snapshot_keeper import SnapshotKeeper
from engine.runs.snapshots import Snapshot, to_bytes
from tests.engine.runs.recorded import begun, saved, trained
from tests.engine.runs.test_looking_into import SMALL, of


def test_the_last_update_of_any_iteration(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        training, run = begun(library, of("ppo", SMALL))
        assert last_update(tmp_path, run.id, frozen(training)) is None  # nothing led to the first policy
        saved(library, training)
        trained(library, training, 2)
        before = frozen(training)
        trained(library, training, 1)
        after = frozen(training)
        training.close()
        exact = last_update(tmp_path, run.id, after)
        assert exact is not None
        assert exact.updates == 1
        assert torch.allclose(exact.vector, parameters_of(after) - parameters_of(before))
        assert last_update(tmp_path, run.id, after, lambda _: False) is None

        found = [each for _, each in look_around(after, Wanted("step", None, 0.1, 4, 1), lambda _: exact) if each]
        (start,), (taken,) = ([each for each in found if isinstance(each, kind)] for kind in (Begun, Taken))
        assert isinstance(start, Begun)
        assert isinstance(taken, Taken)
        assert taken.at == pytest.approx((taken.length,))  # all of it is along itself
        assert taken.length > 0.0
        one = start.scan.centre - taken.length * start.scan.directions[0].vector
        assert torch.allclose(one, parameters_of(before), atol=1e-5)
        spots = [spot for each in found if isinstance(each, list) for spot in each]
        assert len(spots) == start.scan.count
        assert all(isinstance(spot, Spot) for spot in spots)


def test_of_policies_alone_it_is_all_since_the_one_before(tmp_path: Path) -> None:
    with Library(tmp_path) as library:
        small = {"environment": "CartPole-v1", "policy": "mlp", "collection.episodes_per_update": 4}
        training, run = begun(library, of("reinforce-average-baseline", small))
        (first,) = SnapshotKeeper(clock=lambda: 0.0).between(training).values()
        first = replace(first, state=None)
        library.keep_snapshot(run.id, 0, 0, to_bytes(first))
        trained(library, training, 3)
        after = frozen(training)
        training.close()
        found = last_update(tmp_path, run.id, after)
        assert found is not None
        assert torch.allclose(found.vector, parameters_of(after) - parameters_of(first.policy))
        assert found.updates == 3
        onwards = to_newest(tmp_path, run.id, first.policy)
        assert onwards is None  # nothing was kept after it
        library.keep_snapshot(run.id, 3, 0, to_bytes(Snapshot(after, 0)))
        onwards = to_newest(tmp_path, run.id, first.policy)
        assert onwards is not None
        assert torch.equal(onwards.vector, found.vector)
        assert onwards.updates == 3
