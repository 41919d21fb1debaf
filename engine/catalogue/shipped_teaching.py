"""The datasets and teachers that come with the program, by the names of their files in ``resources``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Shipped(NamedTuple):
    """In which environment it was played, and by whom, as a phrase."""

    environment: str
    by: str


DATASETS: Mapping[str, Shipped] = {
    "cartpole": Shipped("CartPole-v1", "5 episodes of a PPO policy that never fails"),
    "lunar-lander": Shipped("LunarLander-v3", "6 landings of a PPO policy"),
}
TEACHERS: Mapping[str, Shipped] = {
    "cartpole": Shipped("CartPole-v1", "a PPO policy that never fails"),
    "lunar-lander": Shipped("LunarLander-v3", "a PPO policy that lands nearly always"),
    "acrobot": Shipped("Acrobot-v1", "what DQN has learned, with a mean return of −85"),
    "pendulum": Shipped("Pendulum-v1", "what SAC has learned, with a mean return of −150"),
}


def played_in(environment: str, among: Mapping[str, Shipped]) -> Iterator[str]:
    """The names of those that were played in the environment of that id."""
    return (name for name, shipped in among.items() if shipped.environment == environment)
