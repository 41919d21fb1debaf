"""What a choice takes of a computer, told before anything of it is made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from engine.catalogue.methods.distribution import distribution_of, policy_of
from engine.catalogue.methods.distributions import DISTRIBUTION_SPECS
from engine.catalogue.methods.parameter_count import parameter_count
from engine.catalogue.methods.policies import POLICY_SPECS
from engine.catalogue.network_sizes import cnn_parameters, image_layers
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import ActorCriticConfig, ImitationConfig, PlanningConfig, PolicyGradientConfig, RunConfig
from engine.config.actor_critic import SAC, TD3
from engine.config.estimators import OptimalBaseline, ValueBaseline
from engine.config.policies import CNNPolicy, GRUPolicy, MLPPolicy, TabularPolicy
from engine.config.replay import ReplayConfig
from engine.runtime.errors import Refusal
from engine.runtime.heartbeat import ROWS
from engine.runtime.memory import total_memory

MOST_PARAMETERS = 50_000_000  # with what Adam keeps of each, near a GB; a step of it takes a good part of a second
MOST_OPERATIONS = 5e11  # of which orthogonal matrices are made, in some 15 s on one core
_NUMBER = 4  # bytes of a float32
_GATHERED = {"adam": 2, "rmsprop": 1, "momentum": 1, "sgd": 0}  # numbers that an optimiser keeps of each parameter


def too_large(config: RunConfig, environment: EnvironmentInfo) -> Iterator[Refusal]:
    """What would fill memory or time before anything is learned; ``config`` fits ``environment`` otherwise."""
    count = parameter_count(policy_of(config, environment), environment)
    values = value_parameters(config, environment)
    if max(count, values) > MOST_PARAMETERS:
        whose = "The policy" if count >= values else "The learned value"
        yield Refusal(
            f"{whose} would learn {max(count, values):,} numbers in {environment.id}, and more than "
            f"{MOST_PARAMETERS:,} are too many",
            _smaller(config, environment),
        )
    operations = _orthogonal_operations(config, environment)
    if operations > MOST_OPERATIONS:
        yield Refusal(
            f"Drawing orthogonal matrices of this size would take about {operations / MOST_OPERATIONS * 15:,.0f} s",
            "choose Xavier's initial weights, or smaller hidden layers",
        )
    needed, there = memory_needed(config, environment), total_memory()
    if needed > there / 2:
        yield Refusal(
            f"An update would take about {in_gigabytes(needed)} of memory in {environment.id}, and this computer has "
            f"{in_gigabytes(there)}, half of which can be used",
            _less_at_once(config, environment),
        )


def memory_needed(config: RunConfig, environment: EnvironmentInfo) -> int:
    """About how many bytes an update takes: parameters with their gradients, optimisers and the copy that is played,
    the steps that are stored, and what a network makes of those that it is given at once."""
    seen, actions = environment.observation, environment.action
    count, values = parameter_count(policy_of(config, environment), environment), value_parameters(config, environment)
    needed = _NUMBER * count * (3 + _GATHERED.get(getattr(config.update, "optimizer", "adam"), 2))
    if isinstance(config, PlanningConfig):
        steps = seen.size  # of which each is a state, and the exact answers are of all pairs of them
        needed += 8 * (3 + 2 * actions.size) * seen.size**2
    elif isinstance(config, ImitationConfig):
        steps = config.evaluation.episodes * (environment.time_limit or ROWS)
    elif not isinstance(config, PolicyGradientConfig):
        steps = config.collection.environments * config.collection.steps
        needed += 2 * (steps + _replayed(config)) * _stored(seen, actions)
        if isinstance(config, ActorCriticConfig):
            needed += _NUMBER * values * (3 + _GATHERED[config.update.optimizer])
    else:
        steps = _steps(config, environment)
        baseline = config.estimator.baseline
        if isinstance(baseline, ValueBaseline):
            needed += _NUMBER * values * (2 + _GATHERED[baseline.optimizer])
        if isinstance(baseline, OptimalBaseline) and config.collection.kind == "episodes":
            needed += 2 * _NUMBER * count * config.collection.episodes_per_update
        if config.collection.kind == "fixed-length":
            needed += 2 * steps * _stored(seen, actions)
    return needed + _per_row(config, environment) * max(min(steps, ROWS), _replayed(config))


def _replayed(config: RunConfig) -> int:
    """Steps of a minibatch out of a replay buffer, which a network is given at once however many they are."""
    replay = getattr(config.update, "replay", None)
    return replay.minibatch_size if isinstance(replay, ReplayConfig) else 0


def _steps(config: PolicyGradientConfig, environment: EnvironmentInfo) -> int:
    """How many steps an update learns from; of whole episodes, whose lengths nobody knows, as many as they may have."""
    collection = config.collection
    if collection.kind == "episodes":
        return collection.episodes_per_update * (environment.time_limit or ROWS)
    return collection.environments * collection.steps


def _stored(seen: Space, actions: Space) -> int:
    """Bytes that are kept of one step; how many steps whole episodes have is seen only when they are played."""
    observed = 1 if seen.kind == "discrete" else seen.size
    chosen = 1 if actions.kind == "discrete" else len(actions.parts) or actions.size
    return _NUMBER * (observed + chosen)


def _per_row(config: RunConfig, environment: EnvironmentInfo) -> int:
    """Bytes that one observation takes on its way through a network and back."""
    seen, policy = environment.observation, policy_of(config, environment)
    outputs = DISTRIBUTION_SPECS[distribution_of(policy, environment)].outputs * environment.action.size
    numbers = 5 * outputs  # the outputs, what they mean, noise to draw by, and the gradients of two of these
    if isinstance(policy, MLPPolicy):
        numbers += 2 * sum(policy.hidden_sizes)
    elif isinstance(policy, GRUPolicy):
        numbers += 16 * policy.hidden_size
    elif isinstance(policy, CNNPolicy):
        numbers += 2 * (_pixels_between(seen) + policy.hidden_size)
    learned = isinstance(config, PolicyGradientConfig) and isinstance(config.estimator.baseline, ValueBaseline)
    if seen.kind == "box":
        numbers += 2 * seen.size
    elif not isinstance(policy, TabularPolicy) or learned:
        numbers += 3 * seen.size  # a one-hot vector of whole numbers, twice as long, and of others
    return _NUMBER * numbers


def _pixels_between(seen: Space) -> int:
    """Numbers that leave the convolutions."""
    layers = image_layers(seen.shape)
    height, width, count = layers.height, layers.width, 0
    for convolution in layers.convolutions:
        height, width = convolution.side(height), convolution.side(width)
        count += convolution.outputs * height * width
    return count


def value_parameters(config: RunConfig, environment: EnvironmentInfo) -> int:
    """Of a learned value with networks of its own."""
    if isinstance(config, ActorCriticConfig):
        return critic_parameters(config, environment)
    if not isinstance(config, PolicyGradientConfig) or not isinstance(config.estimator.baseline, ValueBaseline):
        return 0
    hidden = config.estimator.baseline.hidden_sizes
    if POLICY_SPECS[config.policy.kind].sees_images:
        units = hidden[0] if hidden else 64
        return cnn_parameters(environment.observation.shape, units) + units + 1
    sizes = (environment.observation.size, *hidden, 1)
    return sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def critic_count(config: ActorCriticConfig) -> int:
    """How many networks of action values there are beside a policy."""
    return 2 if isinstance(config.update, SAC | TD3) else 1


def critic_parameters(config: ActorCriticConfig, environment: EnvironmentInfo) -> int:
    """Of the networks of action values beside a policy: two of them in SAC and TD3, which share their convolutions."""
    seen, actions, hidden = environment.observation, environment.action, config.update.critic.hidden_sizes
    inputs, shared = seen.size, 0
    if POLICY_SPECS[config.policy.kind].sees_images:
        inputs, hidden = (hidden[0], hidden[1:]) if hidden else (64, ())
        shared = cnn_parameters(seen.shape, inputs)
    discrete = actions.kind == "discrete"
    sizes = (inputs + (0 if discrete else actions.size), *hidden, actions.size if discrete else 1)
    return shared + critic_count(config) * sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))


def _orthogonal_operations(config: RunConfig, environment: EnvironmentInfo) -> float:
    """Of the QR decompositions behind orthogonal matrices, 4 n m² for one of n × m numbers, n ≥ m."""
    sizes = []
    if isinstance(config.policy, MLPPolicy) and config.policy.initialization == "orthogonal":
        sizes.append((environment.observation.size, *config.policy.hidden_sizes, environment.action.size))
    if isinstance(config, PolicyGradientConfig) and isinstance(config.estimator.baseline, ValueBaseline):
        sizes.append((environment.observation.size, *config.estimator.baseline.hidden_sizes, 1))
    return float(sum(4 * max(pair) * min(pair) ** 2 for widths in sizes for pair in pairwise(widths)))


def _smaller(config: RunConfig, environment: EnvironmentInfo) -> str:
    """What would have fewer parameters."""
    seen, actions = environment.observation, environment.action
    if actions.size > MOST_PARAMETERS // 100:
        return "use an environment with fewer actions, or with several parts to an action"
    if seen.kind == "discrete" and seen.size > MOST_PARAMETERS // 1000:
        if seen.size * actions.size > MOST_PARAMETERS:
            return "use an environment with fewer states, or one that observes a Box of numbers"
        if isinstance(config.policy, TabularPolicy):
            return "choose another baseline than a learned value"
        return "use a tabular policy, and no learned value as baseline"
    if isinstance(config.policy, CNNPolicy):
        return "use fewer dense units, or smaller images"
    if seen.size > MOST_PARAMETERS // 1000:
        return "use smaller hidden layers, or an environment that shows less"
    return "use fewer or smaller hidden layers"


def _less_at_once(config: RunConfig, environment: EnvironmentInfo) -> str:
    """What would take less memory."""
    seen, actions = environment.observation, environment.action
    if isinstance(config, PlanningConfig):
        return "use an environment with fewer states, or another update rule"
    if isinstance(config, ImitationConfig):
        return "play fewer episodes per update, or use smaller layers"
    if _replayed(config) > ROWS:
        return "use a smaller minibatch"
    if not isinstance(config, PolicyGradientConfig):
        return "use fewer environments or steps per iteration, or an environment with fewer states"
    if seen.kind == "discrete" and seen.size > ROWS and seen.size >= actions.size:
        if not isinstance(config.policy, TabularPolicy):
            return "use a tabular policy, and no learned value as baseline"
        if isinstance(config.estimator.baseline, ValueBaseline):
            return "choose another baseline than a learned value"
    if actions.size > ROWS:
        return "use fewer steps per update, or an environment with fewer actions"
    episodes = config.collection.kind == "episodes"
    return f"use fewer {'episodes' if episodes else 'environments or steps'} per update, or smaller layers"


def in_gigabytes(count: int) -> str:
    """``count`` bytes, as a person reads them."""
    gigabytes = count / 1e9
    return f"{gigabytes:,.0f} GB" if gigabytes >= 10 else f"{gigabytes:.1f} GB"
