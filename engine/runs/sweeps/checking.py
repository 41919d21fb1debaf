"""What is only found out by looking: environments that the catalogue does not describe, and what imitation learns
from. Before anything is trained, so that nobody waits for runs that cannot begin. With torch, where it is needed."""

from __future__ import annotations

from pathlib import Path

from engine.catalogue.configured import changed, described
from engine.catalogue.methods.compatibility import refusal
from engine.config import ImitationConfig, RunConfig
from engine.runs.giving import given_in, require_answers
from engine.runs.sweeps.plan import Plan, beginning
from engine.runtime.errors import RequestError


def require_all(plan: Plan, library: Path) -> None:
    """See to it that what the points of ``plan`` are trained in and learn from is there.

    Raises:
        RequestError: of one of them it is not, or it does not go together.
    """
    seen: set[str] = set()
    for point in plan.points:
        if described(point.config.environment) is not None and not isinstance(point.config, ImitationConfig):
            continue
        parts = point.config.model_dump_json(include={"environment", "imitation", "policy", "update"})
        if parts in seen:
            continue
        seen.add(parts)
        try:
            _look(point.config, library)
        except RequestError as error:
            raise RequestError(f"{beginning(point)} cannot be trained: {error}") from None


def _look(config: RunConfig, library: Path) -> None:
    from engine.environments.making.lookup import inspect

    given_in(require_answers(config), library)
    found = inspect(config.environment.id, config.environment.options, config.environment.patience)
    problem = refusal(config, changed(found, config.environment))
    if problem is not None:
        raise RequestError(str(problem))
