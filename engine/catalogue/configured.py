"""What is known of an environment as it is configured: with its options, and with the changes made to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from engine.catalogue.environments import ENVIRONMENTS, FAMILIES
from engine.catalogue.spaces import EnvironmentInfo, Option, Space, discrete
from engine.config import RunConfig
from engine.config.environments import MOST_FRAMES, EnvironmentConfig
from engine.config.parameters import Parameter
from engine.config.problems import OPTIONS, Kind, ParameterError, Problem
from engine.runtime.errors import RequestError

MOST_NUMBERS = 1_000_000  # that a stack may show at each step


def described(environment: EnvironmentConfig) -> EnvironmentInfo | None:
    """What the catalogue says of an environment made with its options, before any changes; None where it has to be
    looked at to be known.

    Raises:
        RequestError: an option does not fit.
    """
    info = ENVIRONMENTS.get(environment.id)
    if info is None:
        return None
    altered = check_options(environment, info)
    if not altered:
        return info
    finite = info.finite and not any(option.hidden_state for option in altered)
    info = replace(info, solved_at=None, best_known=None, finite=finite)  # as it comes, it is another
    if info.finite and FAMILIES[info.family].batched:  # a process of our own, known whatever its options
        from engine.mdp.small_worlds import our_process  # with numpy, which the window is to show without

        mdp = our_process(info.id, environment.options)
        arms = tuple(f"arm {arm}" for arm in range(1, mdp.actions + 1))
        labels = info.action.labels if mdp.actions == info.action.size else arms  # only a bandit's can be more or fewer
        apart = mdp.seen is None
        info = replace(info, finite=info.finite and apart, aliased=not apart)
        return replace(info, observation=discrete(mdp.observations), action=discrete(mdp.actions, *labels))
    return None if any(option.reshapes for option in altered) else info


def check_options(environment: EnvironmentConfig, info: EnvironmentInfo) -> list[Option]:
    """The options that are not at their defaults.

    Raises:
        ParameterError: there is no such option, or its value does not fit.
    """
    known = {option.name: option for option in info.options}
    altered = []
    for name, value in environment.options.items():
        if name not in known:
            raise ParameterError(Problem(f"{OPTIONS}.{name}", "unknown", name, tuple(known), option_of=info.id))
        problem = option_problem(info.id, known[name], value)
        if problem is not None:
            raise ParameterError(problem)
        if value != known[name].default:
            altered.append(known[name])
    return altered


def option_problem(id: str, option: Option, value: Any) -> Problem | None:
    """Why ``value`` cannot be that of the environment's option; None where it can."""

    def problem(kind: Kind, value: Any, limit: Any, index: int | None = None) -> Problem:
        return Problem(f"{OPTIONS}.{option.name}", kind, value, limit, index, id)

    if option.choices:
        return None if value in option.choices else problem("choice", value, option.choices)
    kind, given = _kind(option.default), _kind(value)
    if kind.startswith("a list") and isinstance(value, tuple):
        wanted = ("a text",) if kind == "a list of texts" else ("a number", "a whole number")
        other = [each for each in value if _kind(each) not in wanted]
        if other:
            return problem("type", other[0], kind)
        if not value and wanted == ("a text",):
            return problem("type", value, kind)
    elif given != kind and (kind, given) != ("a number", "a whole number"):
        return problem("type", value, kind)
    for index, number in enumerate(value) if isinstance(value, tuple) else ((None, value),):
        if isinstance(number, bool | str):
            continue
        if option.minimum is not None and number < option.minimum:
            return problem("at-least", number, option.minimum, index)
        if option.maximum is not None and number > option.maximum:
            return problem("at-most", number, option.maximum, index)
    return None


def options_of(config: RunConfig, environment: EnvironmentInfo) -> list[Parameter]:
    """The environment's own options as parameters ``environment.options.NAME``."""
    given = config.environment.options
    return [
        Parameter(
            path=f"{OPTIONS}.{option.name}",
            title=option.title,
            symbol="",
            unit=option.unit,
            help=option.help,
            type=type(option.default),
            value=given.get(option.name, option.default),
            default=option.default,
            live=False,
            minimum=option.minimum,
            maximum=option.maximum,
            exclusive_minimum=False,
            choices=option.choices,
        )
        for option in environment.options
    ]


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a whole number" if isinstance(value, int) else "a number"
    if isinstance(value, str):
        return "a text"
    if not isinstance(value, tuple):
        return "names and values"
    return "a list of texts" if value and isinstance(value[0], str) else "a list of numbers"


def changed(info: EnvironmentInfo, environment: EnvironmentConfig) -> EnvironmentInfo:
    """``info`` as learning sees it, after the changes that ``environment`` asks for.

    Raises:
        RequestError: a change is impossible here.
    """
    problem = _problem(info, environment)
    if problem is not None:
        raise RequestError(problem)
    return replace(
        info,
        observation=_seen(info.observation, environment),
        time_limit=environment.time_limit or info.time_limit,
        finite=info.finite and environment.sticky_actions == 0.0,
        aliased=info.aliased and environment.sticky_actions == 0.0,
    )


def _problem(info: EnvironmentInfo, environment: EnvironmentConfig) -> str | None:
    seen = info.observation
    if seen.kind == "discrete":
        for name, wanted in (
            ("Hiding components", bool(environment.hidden)),
            ("Observation noise", environment.observation_noise > 0.0),
            ("A frame stack", environment.frame_stack > 1),
            ("Normalising observations", environment.normalize_observations),
        ):
            if wanted:
                states = "a single state" if seen.size == 1 else f"{seen.size} discrete states"
                return f"{name} needs observations made of numbers, but {info.id} has {states}."
    if environment.frame_stack * seen.size > MOST_NUMBERS and environment.frame_stack > 1:
        return (
            f"{environment.frame_stack} frames of {seen.size:,} numbers are more than {MOST_NUMBERS:,}; stack at most "
            f"{max(MOST_NUMBERS // seen.size, 1)}."
        )
    if environment.hidden and environment.hidden[-1] >= seen.size:
        return f"{info.id} has no component {environment.hidden[-1]} to hide; its components are 0 to {seen.size - 1}."
    if environment.hidden and len(environment.hidden) == seen.size:
        return f"With all {seen.size} components of {info.id} hidden there is nothing left to see; leave at least one."
    frames = most_frames(seen)
    if environment.frame_stack > frames and not environment.hidden:
        return (
            f"With more than {frames} pictures of {info.id} in one, it could no longer be told from its shape where "
            f"their channels are; use a frame stack of at most {frames}."
        )
    if environment.reward_scale == 0.0:
        return "With a reward scale of 0 there is nothing to learn; use another number."
    return None


def _seen(space: Space, environment: EnvironmentConfig) -> Space:
    """The observation after components have been hidden and frames stacked."""
    if space.kind == "discrete":
        return space
    hidden = set(environment.hidden)
    components = range(space.size)
    kept: Sequence[int] = [component for component in components if component not in hidden] if hidden else components
    bounds = space.bounds
    if len(bounds) > 1:
        bounds = tuple(bounds[component] for component in kept) * environment.frame_stack
    if environment.normalize_observations:
        bounds = ()
    elif environment.frame_stack > 1 and bounds:
        bounds = tuple((min(low, 0.0), max(high, 0.0)) for low, high in bounds)  # zeros stand before the first
    labels = (
        tuple(space.labels[component] for component in kept) if space.labels and environment.frame_stack == 1 else ()
    )
    shape = () if hidden else stacked_shape(space.shape, environment.frame_stack)
    size, image = len(kept) * environment.frame_stack, space.image and not hidden
    return replace(space, size=size, labels=labels, bounds=bounds, shape=shape, image=image)


def stacked_shape(shape: tuple[int, ...], frames: int) -> tuple[int, ...]:
    """The shape of several images in one: side by side in the channel axis, which comes first where there is none."""
    if frames == 1 or not shape:
        return shape
    if len(shape) == 2:
        return (frames, *shape)
    axis = channel_axis(shape)
    return (*shape[:axis], frames * shape[axis], *shape[axis + 1 :])


def most_frames(space: Space) -> int:
    """How many images fit in one whose ``channel_axis`` is still theirs; what are no images fit in any number."""
    if not space.image:
        return MOST_FRAMES
    axis = channel_axis(space.shape) if len(space.shape) == 3 else 0
    shapes = ((frames, stacked_shape(space.shape, frames)) for frames in range(2, MOST_FRAMES + 1))
    return next((frames - 1 for frames, shape in shapes if channel_axis(shape) != axis), MOST_FRAMES)


def channel_axis(shape: tuple[int, ...]) -> int:
    """0 where an image's first axis is shorter than its others, as in a stack of frames, else the last."""
    return 0 if shape[0] < min(shape[1:]) else len(shape) - 1
