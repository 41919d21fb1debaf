"""The script's environments, and how episodes are played in them."""

from __future__ import annotations

from engine.runs.exports.script.plan import Plan
from engine.runs.exports.script.text import arguments, lines, literal, section

_GENERATOR = '''
def generator_of(stream: np.random.SeedSequence) -> torch.Generator:
    """Random numbers for torch, from one of the run's independent streams."""
    return torch.Generator().manual_seed(int(stream.generate_state(1)[0]))
'''

_WHOLE_EPISODES = '''
@dataclass
class Episode:
    """What was seen, done and paid, step by step; one observation more than steps, seen after the last."""

    observations: list[Any]
    actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    terminated: bool = False  # it came to its end; otherwise a time limit cut it off
'''

_PLAY_EPISODES = '''
def play(policy: Policy, environments: list[gymnasium.Env], noise: torch.Generator) -> list[Episode]:
    """One whole episode in each environment, side by side.

    Which episodes count is settled before any is played: the first N to end would be the shortest.
    """
{bounds}    episodes = [Episode([environment.reset()[0]]) for environment in environments]
    running = list(range(len(environments)))
    while running:
        actions = policy.sample(tensor([episodes[i].observations[-1] for i in running]), noise)
        for i, action in zip(tuple(running), actions.numpy(), strict=True):
            observation, reward, terminated, truncated, _ = environments[i].step({taken})
            episodes[i].observations.append(observation)
            episodes[i].actions.append(action)
            episodes[i].rewards.append(float(reward))
            if terminated or truncated:
                episodes[i].terminated = bool(terminated)
                running.remove(i)
    return episodes
'''

_PART = '''
@dataclass
class Episode:
    """Steps of one episode in one rollout: what was seen, done and paid; one observation more than steps, seen after
    the last. What an earlier rollout saw of the episode is not among them."""

    observations: list[Any]
    actions: list[Any] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    terminated: bool = False  # it came to its end; otherwise a time limit, or the rollout's end, cut it off
    elapsed: int = 0  # steps of the episode before the first one here
    earned: float = 0.0  # the rewards of these steps
{carried}
    def continued(self) -> Episode:
        """What the next rollout goes on with."""
        elapsed, earned = self.elapsed + len(self.rewards), self.earned + sum(self.rewards)
        return Episode(self.observations[-1:], elapsed=elapsed, earned=earned{carry})
'''

_PLAY_STEPS = '''
def play(
    policy: Policy, environments: list[gymnasium.Env], under_way: list[Episode], noise: torch.Generator
) -> tuple[list[list[Episode]], list[tuple[float, int]]]:
    """T steps in each environment; an episode that ends is followed by the next at once.

    Returns:
        The episodes of each environment, of which the last goes on; and the return and length of each that ended.
    """
{bounds}    played, ended = [[episode] for episode in under_way], []
    for _ in range(STEPS):
        actions = policy.sample(tensor([mine[-1].observations[-1] for mine in played]), noise)
        for environment, mine, action in zip(environments, played, actions.numpy(), strict=True):
            episode = mine[-1]
            observation, reward, terminated, truncated, _ = environment.step({taken})
            episode.observations.append(observation)
            episode.actions.append(action)
            episode.rewards.append(float(reward))
            if terminated or truncated:
                episode.terminated = bool(terminated)
                ended.append((episode.earned + sum(episode.rewards), episode.elapsed + len(episode.rewards)))
                mine.append(Episode([environment.reset()[0]]))
    return played, ended
'''


def collecting(plan: Plan) -> str:
    return section(
        "environments and episodes",
        _GENERATOR,
        _environment(plan),
        _tensor(plan),
        *_playing(plan),
    )


def _environment(plan: Plan) -> str:
    seen = plan.config.environment
    options: dict[str, object] = dict(seen.options)
    if plan.environment.time_limit is not None:
        options["max_episode_steps"] = plan.environment.time_limit
    options["disable_env_checker"] = True
    given = ", ".join((literal(seen.id), *arguments(options)))
    flattened = "    environment = gymnasium.wrappers.FlattenObservation(environment)"
    return lines(
        "def make_environment(seed: int) -> gymnasium.Env:",
        f"    environment = gymnasium.make({given})",
        plan.environment.family == "toy" and not plan.states and flattened,
        "    environment.np_random = np.random.default_rng(seed)  # of all that is random in its episodes",
        "    return environment",
    )


def _tensor(plan: Plan) -> str:
    kind = "np.int64" if plan.states else "np.float32"
    return lines(
        "def tensor(observations: list[Any]) -> Tensor:",
        f"    return torch.from_numpy(np.array(observations, {kind}))",
    )


def _playing(plan: Plan) -> tuple[str, str]:
    taken = "action.clip(bounds.low, bounds.high)" if plan.continuous else "int(action)"
    bounds = "    bounds = environments[0].action_space\n" if plan.continuous else ""
    if plan.whole_episodes:
        return _WHOLE_EPISODES, _PLAY_EPISODES.replace("{taken}", taken).replace("{bounds}", bounds)
    carries = plan.config.environment.normalize_rewards
    carried = "    carried: float = 0.0  # the discounted sum of these rewards, as learning sees them\n"
    part = _PART.replace("{carried}", carried if carries else "").replace(
        "{carry}", ", carried=self.carried" if carries else ""
    )
    return part, _PLAY_STEPS.replace("{taken}", taken).replace("{bounds}", bounds)
