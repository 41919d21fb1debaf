"""Observation and action spaces, and what is known of an environment without making it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from engine.catalogue.network_sizes import BOARD, PICTURE, image_layers
from engine.runtime.errors import RequestError

FEW_PARTS = 8  # that can be read in a row


@dataclass(frozen=True)
class Space:
    """A Gymnasium space as far as choices depend on it.

    ``size`` is n for a discrete space, the number of components for a box, of switches for a multi-binary space, and
    for a multi-discrete one the sum of its ``parts``, the number of choices in each. ``labels`` name a discrete space's
    actions, or components, where a person would not guess them. ``bounds`` are a box's (low, high), one pair for all
    components or one for each, and empty where any is infinite. ``ranges`` are those of a box of actions of which only
    some are bounded: a pair for each, from −∞ to ∞ where it is not. ``shape`` is a box's where it has more than one
    axis. ``image`` says that it shows images, as ``shows_images`` tells them from other numbers that lie in rows.
    """

    kind: Literal["discrete", "box", "multi-discrete", "multi-binary"]
    size: int
    labels: tuple[str, ...] = ()
    bounds: tuple[tuple[float, float], ...] = ()
    shape: tuple[int, ...] = ()
    parts: tuple[int, ...] = ()
    image: bool = False
    ranges: tuple[tuple[float, float], ...] = ()

    def __str__(self) -> str:
        if self.kind == "multi-discrete":
            return f"{product(self.parts)} discrete"
        if self.shape:
            return f"{' × '.join(map(str, self.shape))} image" if self.image else f"{self.size} continuous"
        return f"{self.size} {_NOUNS[self.kind]}"

    @property
    def convolvable(self) -> bool:
        """Whether a convolutional network can be computed on it, image or not."""
        try:
            image_layers(self.shape)
        except RequestError:
            return False
        return True


def product(parts: tuple[int, ...]) -> str:
    """The numbers of choices in the parts of an action, the first of them where they are many."""
    if len(parts) <= FEW_PARTS:
        return " × ".join(map(str, parts))
    return f"{' × '.join(map(str, parts[:3]))} × … ({len(parts):,} parts)"


def shows_images(shape: tuple[int, ...], bounds: tuple[tuple[float, float], ...]) -> bool:
    """Whether numbers of this shape and within these ``bounds`` are an image, in which neighbours belong together.

    The shape alone does not tell: the positions and velocities of five cars are an array of numbers as well, and
    neither its rows nor its columns are neighbours. So there has to be evidence:

    - 0 … 255, in which pixels are counted, in two or three axes;
    - 0 … 1 in three axes with sides of 6 or more: planes of a grid, one for each kind of thing (MinAtar has 10 × 10
      squares of them), or scaled pixels;
    - in two axes 0 … 1 and both sides as large as a picture's, 36 or more;
    - any numbers in three axes as large as that with 1, 3 or 4 channels.

    All else is features, of which a convolutional network may be made, but none is advised.
    """
    try:
        layers = image_layers(shape)
    except RequestError:
        return False
    side = min(layers.height, layers.width)
    if bounds == ((0.0, 255.0),):
        return True
    shares = bounds == ((0.0, 1.0),)
    if len(shape) == 2:
        return shares and side >= PICTURE
    return (shares and side >= BOARD) or (side >= PICTURE and layers.channels in (1, 3, 4))


def pixels(*shape: int) -> Space:
    """Images of pixels from 0 to 255."""
    return Space("box", math.prod(shape), bounds=((0.0, 255.0),), shape=shape, image=True)


_NOUNS = {"discrete": "discrete", "box": "continuous", "multi-binary": "binary"}


OptionValue = bool | int | float | str | tuple[str, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Option:
    """A keyword argument with which an environment can be made, as ``environment.options.NAME``.

    ``default`` is the environment's own, and tells the type. ``choices`` is empty unless the value is one of a few.
    ``letters`` is set where the value is a map, one string per row: what each letter stands for, by letter.
    ``reshapes`` says that another value may change the spaces, so that the environment has to be looked at again.
    ``hidden_state`` says that with another value what happens depends on what is not seen, so that the dynamics are not
    known as tables. ``switch`` names the option that has to be on for this one to mean anything.
    """

    name: str
    title: str
    default: OptionValue
    help: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    letters: tuple[tuple[str, str], ...] = ()
    reshapes: bool = False
    hidden_state: bool = False
    switch: str = ""


@dataclass(frozen=True)
class BestKnown:
    """The best mean return known for an environment, and where it is known from; ``exact`` if nothing can be better."""

    value: float
    source: str
    exact: bool = False


@dataclass(frozen=True)
class EnvironmentInfo:
    """What is known of an environment without making it; ``solved_at`` is the mean return at which it counts solved.

    ``teaches`` is one line on what is to be learned from it. ``finite`` says that its dynamics are known as tables, so
    that exact answers can be computed, ``aliased`` that they are, but what is seen does not tell all states apart, and
    ``one_step`` that every episode of it is over after one step. ``family`` is
    the name of the group that describes it, "own" for what a person brings along. ``notice`` is what a first
    look at it found that a person should know, in a phrase.
    """

    id: str
    title: str
    summary: str
    observation: Space
    action: Space
    time_limit: int | None = None
    solved_at: float | None = None
    finite: bool = False
    aliased: bool = False
    one_step: bool = False
    family: str = "own"
    teaches: str = ""
    best_known: BestKnown | None = None
    options: tuple[Option, ...] = ()
    notice: str = ""


def discrete(size: int, *labels: str) -> Space:
    return Space("discrete", size, labels)


def box(size: int, *labels: str, bounds: tuple[tuple[float, float], ...] = ()) -> Space:
    return Space("box", size, labels, bounds)
