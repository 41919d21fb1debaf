"""reinforce-speed: our REINFORCE against the lecture's loop, in environment steps per second.

Both sides run REINFORCE (total return, no baseline, γ = 1, Adam) on CartPole-v1 with one hidden layer of 128 relu,
torch on 1 thread, in this process. Ours plays EPISODES whole episodes side by side per update, as the program's
"episodes per update" does; the other side is the loop of [lecture]: gymnasium's environment, a ``Categorical`` per
step, a list of log-probabilities, one optimiser step per episode. Beside it, as a number that nothing is held to, the
same loop as someone in a hurry would write it: it acts without gradients and asks for an episode's log-probabilities
all at once. Steps/s count everything from collecting to the end of the update.

All are compared at like policy quality. They get the same weights and a learning rate so small (1e-12) that these
never move: once the weights of an untrained network (episodes of about 22 steps, most of a batch's carts idle early),
once those of one trained to a mean return of 475 (episodes near 500 steps). The sides alternate; each ratio is the
median over the repeats of ours / theirs, neighbours in time. The figure is held against the smaller of the two
ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.distributions import Categorical

from engine.config import RunConfig
from engine.reports.events import Updated
from engine.training.training import Training
from tests.benchmarks.engine_side import LECTURE_POLICY, SOLVED, algorithm, train_until
from tests.benchmarks.figures import Measured, Number, Say

EPISODES = 64
STILL = 1e-12  # a learning rate that leaves the policy as it is

Weights = Mapping[str, Tensor]


class LecturePolicy(nn.Module):
    """Observation to action probabilities."""

    def __init__(self) -> None:
        super().__init__()
        self.network = nn.Sequential(nn.Linear(4, 128), nn.ReLU(), nn.Linear(128, 2))

    def forward(self, observation: Tensor) -> Tensor:
        return torch.softmax(self.network(observation), dim=1)


class LectureLoop:
    """REINFORCE as the lecture writes it down: play one episode, then take one step."""

    def __init__(self, weights: Weights) -> None:
        torch.manual_seed(1)
        self.policy = LecturePolicy()
        # Our hidden layer and output layer are modules 0 and 2 here, with the relu between them.
        for ours, theirs in (("body.layers.0", 0), ("head", 2)):
            layer = {kind: weights[f"{ours}.{kind}"] for kind in ("weight", "bias")}
            self.policy.network[theirs].load_state_dict(layer)
        self.optimizer = torch.optim.Adam(self.policy.parameters(), lr=STILL)
        self.environment = gymnasium.make("CartPole-v1")
        self.environment.reset(seed=1)

    def episode(self) -> int:
        """Play and learn from one episode; its length."""
        observation, _ = self.environment.reset()
        log_probabilities: list[Tensor] = []
        rewards: list[float] = []
        over = False
        while not over:
            distribution = Categorical(self.policy(torch.from_numpy(observation).float().unsqueeze(0)))
            action = distribution.sample()
            log_probabilities.append(distribution.log_prob(action))
            observation, reward, terminated, truncated, _ = self.environment.step(action.item())
            rewards.append(float(reward))
            over = terminated or truncated
        total = sum(rewards)
        loss = torch.cat([-log_probability * total for log_probability in log_probabilities]).sum()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return len(rewards)


class LeanLoop(LectureLoop):
    """The same in as little time as one episode at a time allows."""

    def episode(self) -> int:
        """As the loop it is of."""
        observation, _ = self.environment.reset()
        observations: list[NDArray[np.float32]] = []
        actions: list[int] = []
        total, over = 0.0, False
        with torch.no_grad():
            while not over:
                observations.append(observation)
                probabilities = self.policy(torch.from_numpy(observation).unsqueeze(0))
                actions.append(int(torch.multinomial(probabilities, 1)))
                observation, reward, terminated, truncated, _ = self.environment.step(actions[-1])
                total += float(reward)
                over = terminated or truncated
        chosen = self.policy(torch.from_numpy(np.stack(observations))).gather(1, torch.tensor(actions).unsqueeze(1))
        self.optimizer.zero_grad()
        (-total * chosen.log().sum()).backward()
        self.optimizer.step()
        return len(actions)


def measure(quick: bool, say: Say) -> Measured:
    torch.set_num_threads(1)
    repeats, seconds = (1, 0.5) if quick else (7, 2.0)
    trained, reached = _trained(0.0 if quick else SOLVED)
    say(f"trained for {reached:,} steps")
    numbers: list[Number] = []
    ratios = {}
    for quality, weights in (("untrained", _untrained()), ("trained", trained)):
        ours, loop, lean = _ours(weights), LectureLoop(weights), LeanLoop(weights)
        rounds = []
        for _ in range(repeats):
            rounds.append(tuple(_speed(work, seconds) for work in (ours, loop.episode, lean.episode)))
            mine, theirs, leaner = rounds[-1]
            say(f"{quality}: {mine:,.0f} steps/s against {theirs:,.0f}, and {leaner:,.0f} written for speed")
        ratios[quality] = median(mine / theirs for mine, theirs, _ in rounds)
        numbers += [
            Number(f"ratio, {quality} policy", ratios[quality], "×"),
            Number(f"ours, {quality} policy", median(mine for mine, _, _ in rounds), "steps/s"),
            Number(f"lecture's loop, {quality} policy", median(theirs for _, theirs, _ in rounds), "steps/s"),
            Number(
                f"ratio to it written for speed, {quality}", median(mine / leaner for mine, _, leaner in rounds), "×"
            ),
            Number(f"it written for speed, {quality}", median(leaner for _, _, leaner in rounds), "steps/s"),
        ]
    detail = (
        f"{EPISODES} episodes per update against 1; same weights, frozen by a learning rate of {STILL:g}; median of "
        f"{repeats} alternations of {seconds:g} s a side; held against the smaller ratio."
    )
    return Measured({"speed-up": min(ratios.values())}, tuple(numbers), detail)


def _config() -> RunConfig:
    return algorithm(
        "reinforce",
        {
            "policy": LECTURE_POLICY,
            "estimator.gamma": 1.0,
            "update.learning_rate": STILL,
            "collection.episodes_per_update": EPISODES,
            "budget.environment_steps": 10_000_000_000,
        },
    )


def _untrained() -> Weights:
    training = Training(_config())
    training.close()
    return training.policy.state_dict()


def _trained(mean_return: float) -> tuple[Weights, int]:
    """Weights of the same network trained to ``mean_return``, by the quicker way of a learned baseline."""
    config = algorithm(
        "reinforce-learned-baseline",
        {"policy": LECTURE_POLICY, "update.learning_rate": 0.005, "collection.episodes_per_update": 8},
    )
    kept: list[Weights] = []
    reached = train_until(config, mean_return, lambda training: kept.append(training.policy.state_dict()))
    return kept[0], reached.steps


def _ours(weights: Weights) -> Callable[[], int]:
    """A function that runs one iteration of ours and gives its environment steps."""
    training = Training(_config())
    training.policy.load_state_dict(weights)
    events = iter(training)

    def iteration() -> int:
        before = training.environment_steps
        while not isinstance(next(events), Updated):
            pass
        return training.environment_steps - before

    return iteration


def _speed(work: Callable[[], int], seconds: float) -> float:
    """Environment steps per second of repeating ``work`` for about ``seconds``, after once to warm up."""
    work()
    steps, started = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - started) < seconds:
        steps += work()
    return steps / elapsed
