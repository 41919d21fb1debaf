"""What a replay buffer keeps of an environment's transitions, and what it takes of a computer to do so."""

from __future__ import annotations

from collections.abc import Iterator

from engine.catalogue.configured import channel_axis
from engine.catalogue.environments import making_of
from engine.catalogue.methods.extent import in_gigabytes
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import ActorCriticConfig, ValueBasedConfig
from engine.config.actor_critic import DDPG, SAC, TD3, QActorCritic
from engine.config.environments import EnvironmentConfig
from engine.config.policies import GRUPolicy
from engine.config.value_based import DQN
from engine.experience.replay_layout import ArrayLayout, TransitionLayout, replay_bytes
from engine.runtime.errors import Refusal
from engine.runtime.memory import total_memory


def replay_layout(
    environment: EnvironmentInfo, changes: EnvironmentConfig | None = None, likelihoods: bool = False
) -> TransitionLayout:
    """What one observation and one action are made of; images of pixels from 0 to 255 take a byte for each.

    Args:
        environment: as learning sees it.
        changes: with what it became that, by which its frames are told; none where they are not to be looked for.
        likelihoods: whether those of actions are kept as well.
    """
    seen = environment.observation
    noisy = changes is not None and changes.observation_noise > 0.0
    pixels = seen.image and seen.bounds == ((0.0, 255.0),) and not noisy
    observation = ArrayLayout((seen.size,), "uint8") if pixels else _layout(seen)
    frames, repeats = (1, False) if changes is None else _frames(changes)
    places = 1
    if len(seen.shape) == 3:
        if not seen.image:  # nobody knows by which of its axes it was stacked
            frames = 1
        elif channel_axis(seen.shape) != 0:
            places = seen.shape[0] * seen.shape[1]
    return TransitionLayout(observation, _layout(environment.action), likelihoods, frames, places, repeats)


def _frames(changes: EnvironmentConfig) -> tuple[int, bool]:
    """Of how many frames an observation is, and whether an episode's first is repeated before it."""
    if changes.frame_stack > 1:
        return changes.frame_stack, False
    making = making_of(changes.id)
    if making is None or changes.hidden or changes.observation_noise > 0.0:  # which leave no frame as it was
        return 1, False
    return making.frames, True


def replay_fits(config: ValueBasedConfig | ActorCriticConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """Where old experience, replayed step by step, cannot be learned from as configured."""
    update = config.update
    assert isinstance(update, DQN | SAC | TD3 | DDPG | QActorCritic)
    if isinstance(config.policy, GRUPolicy):
        yield Refusal(
            "A replay buffer gives single steps, and a GRU would need all those before them",
            "choose an MLP, with a frame stack where something has to be remembered",
        )
    if config.environment.normalize_rewards:
        yield Refusal(
            "Old rewards are learned from beside new ones, and would be in other units",
            "switch off “Normalise rewards”, or set a reward scale",
        )
    replay, environments = update.replay, config.collection.environments
    if replay.capacity < environments:
        yield Refusal(
            f"A replay buffer for {replay.capacity:,} steps has no room for one step of {environments:,} environments",
            "raise the replay capacity, or use fewer environments",
        )
    layout, prioritized = replay_layout(environment, config.environment), replay.sampling == "prioritized"
    needed = replay_bytes(layout, replay.capacity, environments, prioritized, environment.time_limit)
    yield from replay_too_large(environment, replay.capacity, environments, needed)


def replay_too_large(environment: EnvironmentInfo, capacity: int, environments: int, needed: int) -> Iterator[Refusal]:
    """Why this computer cannot keep so many transitions, which take ``needed`` bytes, and what would do."""
    there = total_memory()
    if needed > there / 2:
        fits = int(capacity * (there / 2 / needed))
        yield Refusal(
            f"A replay buffer of {capacity:,} transitions of {environment.id} would take about {in_gigabytes(needed)} "
            f"of memory, and this computer has {in_gigabytes(there)}, half of which can be used",
            f"keep at most {_rounded(fits):,}" if fits > environments else "use an environment that shows less",
        )


def _layout(space: Space) -> ArrayLayout:
    if space.kind == "discrete":
        return ArrayLayout((), "int64")
    if space.kind == "box":
        return ArrayLayout((space.size,), "float32")
    return ArrayLayout((len(space.parts) or space.size,), "int64")


def _rounded(count: int) -> int:
    """Down to two digits."""
    unit: int = 10 ** max(len(str(count)) - 2, 0)
    return count // unit * unit
