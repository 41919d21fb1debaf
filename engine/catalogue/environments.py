"""The environments that the program knows by name."""

from __future__ import annotations

from engine.catalogue.spaces import EnvironmentInfo, box, discrete

ENVIRONMENTS: dict[str, EnvironmentInfo] = {
    info.id: info
    for info in (
        EnvironmentInfo(
            "CartPole-v1",
            "Cart pole",
            "Keep a pole upright by pushing its cart left or right; every step it stands earns 1.",
            box(4),
            discrete(2, "push left", "push right"),
            500,
            475.0,
        ),
        EnvironmentInfo(
            "CartPolePositions-v0",
            "Cart pole, velocities hidden",
            "The same pole with only position and angle to be seen: one moment does not tell which way it falls.",
            box(2, bounds=((-4.8, 4.8), (-0.418879, 0.418879))),
            discrete(2, "push left", "push right"),
            500,
            475.0,
        ),
        EnvironmentInfo(
            "Acrobot-v1",
            "Acrobot",
            "Swing a two-link arm above a line by a torque at its elbow; each step till then costs 1.",
            box(6, bounds=((-1.0, 1.0),) * 4 + ((-12.566371, 12.566371), (-28.274334, 28.274334))),
            discrete(3, "torque −1", "no torque", "torque +1"),
            500,
            -100.0,
        ),
        EnvironmentInfo(
            "MountainCar-v0",
            "Mountain car",
            "Rock a weak car out of a valley; every step costs 1, and luck alone rarely gets out.",
            box(2, bounds=((-1.2, 0.6), (-0.07, 0.07))),
            discrete(3, "left", "coast", "right"),
            200,
            -110.0,
        ),
        EnvironmentInfo(
            "MountainCarContinuous-v0",
            "Mountain car, continuous",
            "The same valley with any force between −1 and 1: getting out earns 100, force costs.",
            box(2, bounds=((-1.2, 0.6), (-0.07, 0.07))),
            box(1, "force", bounds=((-1.0, 1.0),)),
            999,
            90.0,
        ),
        EnvironmentInfo(
            "Pendulum-v1",
            "Pendulum",
            "Swing a pendulum up by a torque and hold it there; being off the top costs at each step.",
            box(3, bounds=((-1.0, 1.0), (-1.0, 1.0), (-8.0, 8.0))),
            box(1, "torque", bounds=((-2.0, 2.0),)),
            200,
            -200.0,
        ),
        EnvironmentInfo(
            "LunarLander-v3",
            "Lunar lander",
            "Land softly between two flags: about 200 for it; fuel costs, and a crash costs 100.",
            box(
                8,
                bounds=((-2.5, 2.5),) * 2
                + ((-10.0, 10.0),) * 2
                + ((-6.283185, 6.283185), (-10.0, 10.0))
                + ((0.0, 1.0),) * 2,
            ),
            discrete(4, "idle", "left engine", "main engine", "right engine"),
            1000,
            200.0,
        ),
        EnvironmentInfo(
            "FrozenLake-v1",
            "Frozen lake",
            "Cross slippery ice without falling into a hole; only reaching the goal earns 1.",
            discrete(16),
            discrete(4, "left", "down", "right", "up"),
            100,
            0.70,
            finite=True,
        ),
        EnvironmentInfo(
            "Bandit-v0",
            "Bandit",
            "Five arms pay 1 with different chances; one pull, and it is over.",
            discrete(1),
            discrete(5, *(f"arm {arm}" for arm in range(1, 6))),
            None,
            0.75,
            finite=True,
        ),
        EnvironmentInfo(
            "Corridor-v0",
            "Corridor",
            "Seven squares in a row: every step costs 1, leaving at the right end earns 10.",
            discrete(7),
            discrete(2, "left", "right"),
            50,
            4.8,
            finite=True,
        ),
        EnvironmentInfo(
            "GridWorld-v0",
            "Grid world",
            "Reach the goal around walls and a pit, on a floor that is a little slippery.",
            discrete(25),
            discrete(4, "left", "down", "right", "up"),
            100,
            8.5,
            finite=True,
        ),
    )
}
