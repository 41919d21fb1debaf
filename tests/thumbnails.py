"""The pictures of the gallery: ``python -m tests.thumbnails [ID …]`` renders them again, all or the named ones.

Every extra has to be installed. Each picture shows a moment of an episode that tells what the environment is about,
which ``SCENES`` names; where it names none, how an episode begins.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from PIL import Image

from engine.catalogue.environments import ENVIRONMENTS, thumbnail_name
from engine.environments.making import registry

FOLDER = Path(__file__).parents[1] / "resources" / "pictures" / "environments"
SIZE = (320, 200)
LARGEST = 25_000  # bytes

Controller = Callable[[Any, Any], Any]  # (bare environment, what it showed last) to an action


@dataclass(frozen=True)
class Scene:
    """Which moment of which episode is shown, and what of its picture.

    ``act`` decides what is done till then, by default something random; ``state`` is then put in place of the
    environment's own. ``crop`` is the part that is kept, as fractions (left, top, right, bottom). What is left is made
    to fill the picture where ``fill``, else to fit into it, with the colour of its edge around it.
    """

    steps: int = 0
    seed: int = 0
    act: Controller | None = None
    state: tuple[float, ...] | int | None = None
    crop: tuple[float, float, float, float] = (0.0, 0.0, 1.0, 1.0)
    fill: bool = True
    arguments: dict[str, Any] = field(default_factory=dict)


def given(*actions: int) -> Controller:
    """The actions in turn, and the last of them for good."""
    left = list(actions)
    return lambda bare, seen: left.pop(0) if len(left) > 1 else left[0]


def land(bare: Any, seen: Any) -> Any:
    from gymnasium.envs.box2d.lunar_lander import heuristic

    return heuristic(bare, seen)


def walk() -> Controller:
    from gymnasium.envs.box2d.bipedal_walker import BipedalWalkerHeuristics

    gait = BipedalWalkerHeuristics()
    return lambda bare, seen: gait.step_heuristic(seen)


def drive(bare: Any, seen: Any) -> Any:
    """Steer towards the middle of the road a little ahead."""
    x, y = bare.car.hull.position
    heading = bare.car.hull.angle + np.pi / 2.0
    road = np.array([tile[2:4] for tile in bare.track])
    nearest = int(np.square(road - (x, y)).sum(1).argmin())
    ahead = road[(nearest + 6) % len(road)] - (x, y)
    off = (np.arctan2(ahead[1], ahead[0]) - heading + np.pi) % (2.0 * np.pi) - np.pi
    speed = float(np.hypot(*bare.car.hull.linearVelocity))
    return np.array([np.clip(-2.0 * off, -1.0, 1.0), 0.4 * (speed < 40.0), 0.0], np.float32)


def swing(period: float, size: float = 1.0, phase: float = 1.0) -> Controller:
    """Joints that swing to and fro, each ``phase`` behind the one before."""
    moment = [0]

    def act(bare: Any, seen: Any) -> Any:
        moment[0] += 1
        joints = np.arange(bare.action_space.shape[0])
        high = bare.action_space.high
        return (size * high * np.sin(2.0 * np.pi * moment[0] / period + phase * joints)).astype(np.float32)

    return act


def return_ball(bare: Any, seen: Any) -> Any:
    """Pong: up or down to the ball's height."""
    memory = bare.ale.getRAM()
    if memory[54] == 0:
        return 0
    return 2 if int(memory[54]) < int(memory[51]) + 4 else 3


def catch_ball(bare: Any, seen: Any) -> Any:
    """Breakout: to where the ball is, and serve where there is none."""
    memory = bare.ale.getRAM()
    if memory[101] == 0:
        return 1
    ahead = int(memory[99]) - int(memory[72])
    return 3 if ahead < 4 else 2 if ahead > 10 else 0


def robot(distance: float, **camera: Any) -> dict[str, Any]:
    return {"width": 960, "height": 600, "default_camera_config": {"distance": distance} | camera}


def facing(body: int, distance: float, height: float, elevation: float = -14.0) -> dict[str, Any]:
    """A camera that goes along with a body."""
    return robot(distance, trackbodyid=body, lookat=np.array((0.0, 0.0, height)), elevation=elevation)


SCENES = {
    "CartPole-v1": Scene(state=(0.5, 0.0, 0.12, 0.0), crop=(0.14, 0.24, 0.86, 0.92)),
    "CartPolePositions-v0": Scene(state=(-0.6, 0.0, -0.14, 0.0), crop=(0.14, 0.24, 0.86, 0.92)),
    "Acrobot-v1": Scene(state=(2.1, 1.1, 0.0, 0.0), crop=(0.0, 0.04, 1.0, 0.66)),
    "MountainCar-v0": Scene(state=(0.2, 0.0)),
    "MountainCarContinuous-v0": Scene(state=(-0.95, 0.0)),
    "Pendulum-v1": Scene(state=(0.6, -1.0), crop=(0.1, 0.14, 0.9, 0.64)),
    "LunarLander-v3": Scene(95, 4, act=land, crop=(0.1, 0.2, 0.9, 1.0)),
    "LunarLanderContinuous-v3": Scene(110, 11, act=land, crop=(0.1, 0.2, 0.9, 1.0)),
    "BipedalWalker-v3": Scene(60, 2, act=walk(), crop=(0.0, 0.2, 0.7, 0.86)),
    "BipedalWalkerHardcore-v3": Scene(110, 7, act=walk(), crop=(0.05, 0.2, 0.85, 0.95)),
    "CarRacing-v3": Scene(250, 1, act=drive, crop=(0.05, 0.05, 0.95, 0.86)),
    "FrozenLake-v1": Scene(state=10, crop=(0.0, 0.375, 1.0, 1.0)),
    "FrozenLake8x8-v1": Scene(state=51, crop=(0.0, 0.375, 1.0, 1.0)),
    "CliffWalking-v1": Scene(state=31, crop=(0.4667, 0.0, 1.0, 1.0)),
    "Taxi-v4": Scene(state=241, crop=(0.0, 0.05, 1.0, 0.78)),
    "Blackjack-v1": Scene(1, 5, act=given(1), fill=False),
    "BlackjackHands-v0": Scene(1, 2, act=given(1), fill=False),
    "Bandit-v0": Scene(1, 0, act=given(3)),
    "Corridor-v0": Scene(3, act=given(1), fill=False),
    "GridWorld-v0": Scene(6, 3, act=given(1, 1, 1, 2, 2, 1), fill=False),
    "InvertedPendulum-v5": Scene(6, arguments=robot(2.2, lookat=np.array((0.0, 0.0, 0.2))), act=swing(20, 0.4)),
    "InvertedDoublePendulum-v5": Scene(4, arguments=robot(2.6, lookat=np.array((0.0, 0.0, 0.45)))),
    "Reacher-v5": Scene(8, arguments=robot(0.62)),
    "Pusher-v5": Scene(
        25, arguments=robot(2.0, azimuth=180.0, elevation=-35.0, lookat=np.array((0.3, 0.0, -0.2))), act=swing(40)
    ),
    "Swimmer-v5": Scene(60, arguments=robot(3.0), act=swing(20)),
    "Hopper-v5": Scene(22, 5, arguments=facing(2, 2.3, 0.9), act=swing(25)),
    "Walker2d-v5": Scene(12, 2, arguments=facing(2, 2.6, 0.9), act=swing(20, phase=2.0)),
    "HalfCheetah-v5": Scene(30, arguments=robot(3.0), act=swing(8)),
    "Ant-v5": Scene(18, arguments=robot(3.2), act=swing(20)),
    "Humanoid-v5": Scene(8, arguments=facing(1, 3.2, 1.1), act=swing(20)),
    "HumanoidStandup-v5": Scene(40, arguments=facing(1, 2.6, 0.4), act=swing(60)),
    "ALE/Pong-v5": Scene(146, 1, act=return_ball, crop=(0.0, 0.115, 1.0, 0.98)),
    "ALE/Breakout-v5": Scene(660, 5, act=catch_ball),
    "ALE/Freeway-v5": Scene(60, 0, act=given(1)),
    "ALE/Boxing-v5": Scene(60, 0),
    "ALE/SpaceInvaders-v5": Scene(90, 0),
    "ALE/Qbert-v5": Scene(60, 0),
    "ALE/Enduro-v5": Scene(90, 0, act=given(1)),
    "ALE/MsPacman-v5": Scene(110, 0),
    "ALE/Seaquest-v5": Scene(100, 0, act=given(*(5,) * 30, *(17, 16) * 30)),
    "ALE/RoadRunner-v5": Scene(100, 0, act=given(4)),
    "ALE/Skiing-v5": Scene(60, 0),
    "ALE/MontezumaRevenge-v5": Scene(60, 0),
}
WORLDS = {
    "Empty-5x5": (2, 1, 2),
    "Empty-8x8": (2, 2, 2, 1, 2, 2),
    "FourRooms": (2, 2),
    "LavaGapS7": (2,),
    "SimpleCrossingS9N1": (2, 1, 2),
    "DoorKey-5x5": (1,),
    "DoorKey-8x8": (2, 1),
    "Unlock": (2,),
    "KeyCorridorS3R1": (2,),
    "MemoryS7": (2, 2),
    "Dynamic-Obstacles-5x5": (0, 1),
}
SCENES |= {f"MiniGrid-{name}-v0": Scene(len(ways), 2, given(*ways), fill=False) for name, ways in WORLDS.items()}
SCENES["MiniGrid-MultiRoom-N2-S4-v0"] = Scene(1, 2, given(2), crop=(0.54, 0.06, 0.94, 0.5), fill=False)


def moment(id: str, scene: Scene) -> Image.Image:
    """The picture of the scene as it was rendered."""
    environment = registry.make(id, scene.arguments, render=True)
    bare: Any = environment.unwrapped
    environment.action_space.seed(scene.seed)
    seen, _ = environment.reset(seed=scene.seed)
    for _ in range(scene.steps):
        action = environment.action_space.sample() if scene.act is None else scene.act(bare, seen)
        seen, _, terminated, truncated, _ = environment.step(action)
        if terminated or truncated:
            break
    if scene.state is not None:
        _place(bare, scene.state)
    if hasattr(bare, "mujoco_renderer"):  # some of its worlds have no lamp but the one beside the camera
        bare.model.vis.headlight.ambient[:], bare.model.vis.headlight.diffuse[:] = 0.35, 0.6
    picture = np.asarray(environment.render())
    environment.close()
    return Image.fromarray(picture[:, :, :3])


def _place(bare: Any, state: tuple[float, ...] | int) -> None:
    while isinstance(bare, gymnasium.Wrapper):
        bare = bare.env
    if isinstance(state, int):
        bare.s = state
    else:
        bare.state = np.array(state)


def thumbnail(id: str, scene: Scene) -> Image.Image:
    picture = moment(id, scene)
    if id.startswith("ALE/"):  # whose pixels are broad
        picture = picture.resize((2 * picture.width, picture.height), Image.Resampling.NEAREST)
    width, height = picture.size
    left, top, right, bottom = scene.crop
    picture = picture.crop((round(left * width), round(top * height), round(right * width), round(bottom * height)))
    scale = (max if scene.fill else min)(SIZE[0] / picture.width, SIZE[1] / picture.height)
    picture = picture.resize((round(scale * picture.width), round(scale * picture.height)), Image.Resampling.LANCZOS)
    edge = tuple(np.median(np.asarray(picture)[[0, -1]].reshape(-1, 3), axis=0).astype(int).tolist())
    whole = Image.new("RGB", SIZE, edge)
    whole.paste(picture, ((SIZE[0] - picture.width) // 2, (SIZE[1] - picture.height) // 2))
    return whole


def save(picture: Image.Image, path: Path) -> int:
    """Write it with as many colours as fit into ``LARGEST`` bytes; how many bytes there are."""
    for colours in (256, 128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(path, optimize=True)
        if path.stat().st_size <= LARGEST:
            break
    return path.stat().st_size


def main(ids: list[str]) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for id in ids or ENVIRONMENTS:
        size = save(thumbnail(id, SCENES.get(id, Scene())), FOLDER / thumbnail_name(id))
        sys.stdout.write(f"{id}: {size} bytes\n")


if __name__ == "__main__":
    main(sys.argv[1:])
