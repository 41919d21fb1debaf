"""Gymnasium's robots with the physics of MuJoCo; the extra ``mujoco``."""

from __future__ import annotations

from engine.catalogue.family import Extra, Family
from engine.catalogue.spaces import BestKnown, EnvironmentInfo, Option, Space, box

_LARGEST = 1000.0
_WORM = ("joint 1", "joint 2")
_LEG = ("thigh", "leg", "foot")
_HUMAN = (
    *("abdomen y", "abdomen z", "abdomen x"),
    *(f"{side} {joint}" for side in ("right", "left") for joint in ("hip x", "hip z", "hip y", "knee")),
    *(f"{side} {joint}" for side in ("right", "left") for joint in ("shoulder 1", "shoulder 2", "elbow")),
)
_BY_ZOO = "RL Baselines3 Zoo, {}, on {}-v3"
_BY_FUJIMOTO = "Fujimoto et al. 2018, {}, on {}-v1"


def _weight(name: str, title: str, default: float, help: str) -> Option:
    return Option(name, title, default, help, minimum=0.0, maximum=_LARGEST)


def _noise(default: float) -> Option:
    return _weight("reset_noise_scale", "Noise at the start", default, "How far episodes start from the same position.")


def _forward(default: float = 1.0) -> Option:
    return _weight("forward_reward_weight", "Weight of speed", default, "What a metre per second forwards is worth.")


def _control(default: float, name: str = "ctrl_cost_weight") -> Option:
    return _weight(name, "Cost of effort", default, "What the motors' squared torques cost.")


def _healthy(default: float) -> Option:
    return _weight("healthy_reward", "Reward for standing", default, "What each step pays while it has not fallen.")


_FALL_ENDS = Option(
    "terminate_when_unhealthy", "A fall ends the episode", True, "Off, it goes on lying there till the time limit."
)


def _motors(*joints: str, bound: float = 1.0) -> Space:
    return box(len(joints), *joints, bounds=((-bound, bound),))


_ENVIRONMENTS = (
    EnvironmentInfo(
        "InvertedPendulum-v5",
        "Inverted pendulum",
        "Keep a pole upright by pushing its cart with any force; every step it stands earns 1.",
        box(4, "position", "angle", "velocity", "angular velocity"),
        box(1, "force", bounds=((-3.0, 3.0),)),
        1000,
        950.0,
        teaches="Cart pole with continuous actions: the first thing to try a Gaussian policy on.",
        best_known=BestKnown(1000.0, "every step pays 1, and there are at most 1000", exact=True),
        options=(_noise(0.01),),
    ),
    EnvironmentInfo(
        "InvertedDoublePendulum-v5",
        "Inverted double pendulum",
        "The same cart with a second pole on top of the first; every step they stand earns about 10.",
        box(9),
        box(1, "force", bounds=((-1.0, 1.0),)),
        1000,
        9100.0,
        teaches="How much harder a control problem becomes by one more joint.",
        best_known=BestKnown(9355.5, _BY_FUJIMOTO.format("DDPG", "InvertedDoublePendulum")),
        options=(_healthy(10.0), _noise(0.1)),
    ),
    EnvironmentInfo(
        "Reacher-v5",
        "Reacher",
        "Bring the tip of a two-jointed arm to a point that lies elsewhere in every episode.",
        box(10),
        _motors("shoulder", "elbow"),
        50,
        -3.75,
        teaches="Goals as part of the observation: one policy for all of them, with a dense reward to follow.",
        best_known=BestKnown(-3.6, _BY_FUJIMOTO.format("TD3", "Reacher")),
        options=(
            _weight("reward_dist_weight", "Cost of distance", 1.0, "What a metre between tip and target costs a step."),
            _control(1.0, "reward_control_weight"),
        ),
    ),
    EnvironmentInfo(
        "Pusher-v5",
        "Pusher",
        "Push a cylinder to its goal with an arm of seven joints.",
        box(23),
        _motors(
            "shoulder pan",
            "shoulder lift",
            "upper arm roll",
            "elbow flex",
            "forearm roll",
            "wrist flex",
            "wrist roll",
            bound=2.0,
        ),
        100,
        0.0,
        teaches="Acting on a thing by way of the arm: it has to be touched before it can be moved.",
        options=(
            _weight("reward_near_weight", "Cost of being away", 0.5, "What a metre between hand and thing costs."),
            _weight("reward_dist_weight", "Cost of distance", 1.0, "What a metre between thing and goal costs."),
            _control(0.1, "reward_control_weight"),
        ),
    ),
    EnvironmentInfo(
        "Swimmer-v5",
        "Swimmer",
        "Swim forwards as fast as possible with a body of three links.",
        box(8),
        _motors(*_WORM),
        1000,
        360.0,
        teaches="Why the discount matters: with γ of 0.99 most methods settle for a stroke that gets nowhere.",
        best_known=BestKnown(365.7, _BY_ZOO.format("TRPO", "Swimmer")),
        options=(_forward(), _control(0.0001), _noise(0.1)),
    ),
    EnvironmentInfo(
        "Hopper-v5",
        "Hopper",
        "Hop forwards on one leg without falling over.",
        box(11),
        _motors(*_LEG),
        1000,
        3800.0,
        teaches="Balance before speed: episodes that end at a fall keep what can be learned close to the start.",
        best_known=BestKnown(3754.2, _BY_ZOO.format("TQC", "Hopper")),
        options=(_forward(), _control(0.001), _healthy(1.0), _FALL_ENDS, _noise(0.005)),
    ),
    EnvironmentInfo(
        "Walker2d-v5",
        "Walker",
        "Walk forwards on two legs without falling over.",
        box(17),
        _motors(*(f"right {part}" for part in _LEG), *(f"left {part}" for part in _LEG)),
        1000,
        teaches="A gait: two legs have to take turns, and many ways of hopping are in between.",
        best_known=BestKnown(4933.1, _BY_ZOO.format("TRPO", "Walker2d")),
        options=(_forward(), _control(0.001), _healthy(1.0), _FALL_ENDS, _noise(0.005)),
    ),
    EnvironmentInfo(
        "HalfCheetah-v5",
        "Half cheetah",
        "Run forwards as fast as possible on two legs; a fall ends nothing.",
        box(17),
        _motors("back thigh", "back shin", "back foot", "front thigh", "front shin", "front foot"),
        1000,
        4800.0,
        teaches="Rewards without end: it can only get faster, and running on its back is a trap.",
        best_known=BestKnown(12089.9, _BY_ZOO.format("TQC", "HalfCheetah")),
        options=(_forward(), _control(0.1), _noise(0.1)),
    ),
    EnvironmentInfo(
        "Ant-v5",
        "Ant",
        "Walk forwards on four legs, each with a hip and an ankle.",
        box(105),
        _motors(
            *("back right hip", "back right ankle", "front left hip", "front left ankle"),
            *("front right hip", "front right ankle", "back left hip", "back left ankle"),
        ),
        1000,
        6000.0,
        teaches="Many joints and many observations: where variance reduction and trust regions earn their keep.",
        best_known=BestKnown(5813.3, _BY_ZOO.format("TD3", "Ant")),
        options=(
            _forward(),
            _control(0.5),
            _weight("contact_cost_weight", "Cost of impact", 0.0005, "What hard contacts with the ground cost."),
            _healthy(1.0),
            _FALL_ENDS,
            _noise(0.1),
        ),
    ),
    EnvironmentInfo(
        "Humanoid-v5",
        "Humanoid",
        "Walk forwards on two legs with the 17 joints of a human body.",
        box(348),
        _motors(*_HUMAN, bound=0.4),
        1000,
        teaches="Scale: hundreds of numbers in, seventeen out, and standing still earns a lot already.",
        best_known=BestKnown(7239.3, _BY_ZOO.format("TQC", "Humanoid")),
        options=(_forward(1.25), _control(0.1), _healthy(5.0), _FALL_ENDS, _noise(0.01)),
    ),
    EnvironmentInfo(
        "HumanoidStandup-v5",
        "Humanoid, standing up",
        "Get up from lying on the back, and stay up.",
        box(348),
        _motors(*_HUMAN, bound=0.4),
        1000,
        teaches="Rewards in the tens of thousands: without normalising them a learned value cannot keep up.",
        options=(
            _weight("uph_cost_weight", "Weight of height", 1.0, "What getting the head up is worth."),
            _control(0.1),
            _noise(0.01),
        ),
    ),
)

FAMILY = Family(
    name="mujoco",
    title="MuJoCo",
    summary="Gymnasium's robots with the physics of MuJoCo.",
    order=50,
    extra=Extra("mujoco", "MuJoCo", ("mujoco", "imageio")),
    making=None,
    batched=False,
    waits=False,
    environments=_ENVIRONMENTS,
)
