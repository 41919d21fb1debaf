"""Gymnasium's classic control problems, and cart pole with its velocities hidden."""

from __future__ import annotations

from engine.catalogue.family import Family
from engine.catalogue.spaces import BestKnown, EnvironmentInfo, Option, box, discrete

_EVERY_STEP = BestKnown(500.0, "every step pays 1, and there are at most 500", exact=True)
_GOAL_VELOCITY = Option(
    "goal_velocity", "Goal velocity", 0.0, "The car has to be at least this fast at the top.", minimum=0.0, maximum=0.07
)

_ENVIRONMENTS = (
    EnvironmentInfo(
        "CartPole-v1",
        "Cart pole",
        "Keep a pole upright by pushing its cart left or right; every step it stands earns 1.",
        box(4, "position", "velocity", "angle", "angular velocity"),
        discrete(2, "push left", "push right"),
        500,
        475.0,
        teaches="Where to start: rewards are dense, episodes short, and every method shows in seconds what it can do.",
        best_known=_EVERY_STEP,
        options=(
            Option(
                "sutton_barto_reward",
                "Sutton and Barto's reward",
                False,
                "0 for every step and −1 when the pole falls: what to avoid instead of what to keep up.",
            ),
        ),
    ),
    EnvironmentInfo(
        "CartPolePositions-v0",
        "Cart pole, velocities hidden",
        "The same pole with only position and angle to be seen: one moment does not tell which way it falls.",
        box(2, "position", "angle", bounds=((-4.8, 4.8), (-0.418879, 0.418879))),
        discrete(2, "push left", "push right"),
        500,
        475.0,
        teaches="Partial observability: without a memory, or several frames at once, no policy can do well.",
        best_known=_EVERY_STEP,
    ),
    EnvironmentInfo(
        "Acrobot-v1",
        "Acrobot",
        "Swing a two-link arm above a line by a torque at its elbow; each step till then costs 1.",
        box(
            6,
            "cos θ₁",
            "sin θ₁",
            "cos θ₂",
            "sin θ₂",
            "angular velocity 1",
            "angular velocity 2",
            bounds=((-1.0, 1.0),) * 4 + ((-12.566371, 12.566371), (-28.274334, 28.274334)),
        ),
        discrete(3, "torque −1", "no torque", "torque +1"),
        500,
        -100.0,
        teaches="Delayed reward: the swings that build up speed look useless until the line is reached.",
        best_known=BestKnown(-69.1, "RL Baselines3 Zoo, QR-DQN"),
    ),
    EnvironmentInfo(
        "MountainCar-v0",
        "Mountain car",
        "Rock a weak car out of a valley; every step costs 1, and luck alone rarely gets out.",
        box(2, "position", "velocity", bounds=((-1.2, 0.6), (-0.07, 0.07))),
        discrete(3, "left", "coast", "right"),
        200,
        -110.0,
        teaches="Exploration: until luck reaches the goal once, all episodes return the same and nothing is learned.",
        best_known=BestKnown(-100.8, "RL Baselines3 Zoo, DQN"),
        options=(_GOAL_VELOCITY,),
    ),
    EnvironmentInfo(
        "MountainCarContinuous-v0",
        "Mountain car, continuous",
        "The same valley with any force between −1 and 1: getting out earns 100, force costs.",
        box(2, "position", "velocity", bounds=((-1.2, 0.6), (-0.07, 0.07))),
        box(1, "force", bounds=((-1.0, 1.0),)),
        999,
        90.0,
        teaches="A deceptive reward: doing nothing costs nothing, so the gradient leads away from the goal at first.",
        best_known=BestKnown(96.7, "RL Baselines3 Zoo, ARS"),
        options=(_GOAL_VELOCITY,),
    ),
    EnvironmentInfo(
        "Pendulum-v1",
        "Pendulum",
        "Swing a pendulum up by a torque and hold it there; being off the top costs at each step.",
        box(3, "cos θ", "sin θ", "angular velocity", bounds=((-1.0, 1.0), (-1.0, 1.0), (-8.0, 8.0))),
        box(1, "torque", bounds=((-2.0, 2.0),)),
        200,
        -200.0,
        teaches="Continuous control at its smallest: a Gaussian policy, its spread, and a discount that matters.",
        best_known=BestKnown(-151.9, "RL Baselines3 Zoo, TD3"),
        options=(Option("g", "Gravity", 10.0, "How hard the pendulum is pulled down.", "m/s²", 0.0, 30.0),),
    ),
)

FAMILY = Family(
    name="classic",
    title="Classic control",
    summary="Gymnasium's classic control problems, and cart pole with its velocities hidden.",
    order=10,
    extra=None,
    making=None,
    batched=True,
    waits=False,
    environments=_ENVIRONMENTS,
)
