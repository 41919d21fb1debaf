"""With which keys a person acts in an environment; without Qt, numpy or torch.

A *control* is what one key does: push left, steer right, flip a switch. An action is made of the controls that are held
down, by the kind of its space:

- discrete: the action whose controls are all held, the one with the most of them; no control is no action, or the one
  that does nothing where there is one;
- box: each component has a control towards either bound, and rests in between;
- multi-discrete: each part keeps the choice that was pressed last;
- multi-binary: each press flips a switch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from engine.catalogue.environments import FAMILIES
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.runtime.errors import RequestError

HALF = 0.5  # of a stick's way, from which on it counts as a key that is held
MOST_AXES = 6  # components of a box that one person can hold keys for
MOST_SWITCHES = 10
MOST_PARTS = 4
NOTHING, TAKE = "nothing", "take the step"

_DIRECTIONS = {"left": "Left", "right": "Right", "up": "Up", "down": "Down"}
_COMPASS = frozenset(_DIRECTIONS)
_ARROWS = tuple(_DIRECTIONS.values())
_IDLE = frozenset({"nothing", "idle", "coast", "no torque"})
_KEYS = {
    "fire": "Space",
    "main engine": "Up",
    "forward": "Up",
    "torque −1": "Left",
    "torque +1": "Right",
    "pick up": "P",
    "set down": "S",
    "done": "Return",
    "gas": "Up",
    "brake": "Down",
}
_DIGITS = "1234567890"
_ROWS = (_DIGITS, "QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM")
_LETTERS = "".join(_ROWS[1:])
_PAIRS = (("Left", "Right"), ("Down", "Up"), ("A", "D"), ("S", "W"), ("J", "L"), ("K", "I"))
_AXES = {"side engines": _PAIRS[0], "steer": _PAIRS[0], "torque": ("Right", "Left")}  # a torque turns to the left
_ONE_WAY = frozenset({"main engine"})  # which is off in all of its lower half
_WORDS = {"torque −": "torque − ↻", "torque +": "torque + ↺"}
_UNBOUNDED = 1.0  # what a key comes to where a component has no bound


@dataclass(frozen=True)
class Control:
    """``name`` tells it from the others of its environment, ``words`` say what it does, ``key`` is its usual key, named
    as Qt writes it down: Left, Space, Return, A, 1."""

    name: str
    words: str
    key: str


@dataclass(frozen=True)
class Axis:
    """A component of a box: from ``rest``, where neither control is held, to ``low`` and ``high``."""

    minus: str | None
    plus: str | None
    low: float
    rest: float
    high: float


@dataclass(frozen=True)
class Controls:
    """How a person acts in an environment.

    Attributes:
        space: of the actions.
        controls: all there are, in the order in which they are shown.
        chords: of a discrete space, for each action the controls that make it.
        idle: of a discrete space, the action of no control; None where there is none.
        axes: of a box, for each component.
        parts: of a multi-discrete space, for each part a control for each choice; of a multi-binary one, of the single
            part that it is then, one for each switch.
        waits: whether time usually stands still until a key is pressed, as in worlds of cells and cards.
    """

    space: Space
    controls: tuple[Control, ...]
    chords: tuple[frozenset[str], ...] = ()
    idle: int | None = None
    axes: tuple[Axis, ...] = ()
    parts: tuple[tuple[str, ...], ...] = ()
    waits: bool = False

    @property
    def keys(self) -> dict[str, str]:
        """The usual key of each control, by its name."""
        return {control.name: control.key for control in self.controls}

    @property
    def sticks(self) -> tuple[tuple[str | None, str | None], ...]:
        """The controls towards the low and the high end of each axis of a gamepad's sticks: left across, left up, and
        for a box right across, right up."""
        by_key = {control.key: control.name for control in self.controls}
        pairs = _PAIRS[:4] if self.axes else _PAIRS[:2]
        return tuple((by_key.get(low), by_key.get(high)) for low, high in pairs)

    @property
    def buttons(self) -> tuple[str, ...]:
        """The controls for a gamepad's buttons: those that the sticks do not stand in for, in their order."""
        tilted = {name for pair in self.sticks for name in pair}
        return tuple(control.name for control in self.controls if control.name not in tilted)

    @property
    def latches(self) -> bool:
        """Whether what was pressed stays chosen, so that a step has a key of its own."""
        return bool(self.parts)

    @property
    def goes_on(self) -> bool:
        """Whether the last action goes on while no key is held: time does not wait, and there is no other action."""
        return bool(self.chords) and self.idle is None and not self.waits


def controls_of(environment: EnvironmentInfo) -> Controls:
    """How a person acts in ``environment``.

    Raises:
        RequestError: there is no way in which a person could.
    """
    family = FAMILIES.get(environment.family)
    waits = environment.observation.kind == "discrete" or (family is not None and family.waits)
    makers = {"box": _box, "multi-discrete": _parts, "multi-binary": _switches, "discrete": _discrete}
    found = makers[environment.action.kind](environment, waits)
    return replace(found, controls=tuple(sorted(found.controls, key=_arrows_first)))


def _arrows_first(control: Control) -> int:
    return _ARROWS.index(control.key) if control.key in _ARROWS else len(_ARROWS)


def tilted(controls: Controls, tilts: Iterable[float]) -> dict[str, float]:
    """Which controls are held, and by how much, with each axis of ``controls.sticks`` tilted from −1 to 1; fewer axes
    leave the others at rest."""
    held: dict[str, float] = {}
    for (low, high), tilt in zip(controls.sticks, tilts, strict=False):
        name = high if tilt > 0.0 else low
        if name is not None and tilt:
            held[name] = min(abs(tilt), 1.0)
    return held


def reassigned(keys: Mapping[str, str], name: str, key: str) -> dict[str, str]:
    """``keys`` with another one for a control; whoever had that takes the one that is now free."""
    before = keys[name]
    given = {other: before if used == key else used for other, used in keys.items()}
    return given | {name: key}


# --- discrete ---------------------------------------------------------------------------------------------------------


def _discrete(environment: EnvironmentInfo, waits: bool) -> Controls:
    space = environment.action
    labels = _labels(environment)
    most = len(_DIGITS + _LETTERS)
    if space.size > most:
        raise RequestError(
            f"{environment.title} has {space.size:,} actions, more than there are keys for; up to {most} can be played."
        )
    idle = next((index for index, label in enumerate(labels) if label in _IDLE), None)
    chords = tuple(frozenset() if index == idle else _made_of(label) for index, label in enumerate(labels))
    words = dict.fromkeys(atom for index, label in enumerate(labels) if index != idle for atom in _in_order(label))
    given = _given_keys(words)
    controls = [Control(word, word, given[word]) for word in words]
    if idle is not None:
        controls.append(Control(NOTHING, labels[idle], _free(("Space", "Return"), given.values())))
    return Controls(space, tuple(controls), chords, idle, waits=waits)


def _labels(environment: EnvironmentInfo) -> tuple[str, ...]:
    space = environment.action
    if len(space.labels) == space.size:
        return space.labels
    known = _UNNAMED.get((environment.id, space.size))
    return known or tuple(f"action {index}" for index in range(space.size))


_UNNAMED = {("CarRacing-v3", 5): ("nothing", "steer right", "steer left", "gas", "brake")}


def _in_order(label: str) -> list[str]:
    """The controls of an action, from its label: "up right, fire" is up, right and fire together."""
    atoms = []
    for part in label.split(", "):
        words = part.split(" ")
        atoms += words if len(words) > 1 and _COMPASS.issuperset(words) else [part]
    return atoms


def _made_of(label: str) -> frozenset[str]:
    return frozenset(_in_order(label))


def _given_keys(words: Iterable[str]) -> dict[str, str]:
    """A key for each: what it says, else its number, else its first letter that is free, else any."""
    words = list(words)
    given: dict[str, str] = {}
    for word in words:
        key = _meant(word)
        if key and key not in given.values():
            given[word] = key
    for word in words:
        if word not in given:
            letters = [letter.upper() for letter in word if letter.upper() in _LETTERS and letter.isascii()]
            numbered = [] if _number(word) is None else [*_DIGITS, *_LETTERS]
            given[word] = _free([*numbered, *letters, *_LETTERS, *_DIGITS], given.values())
    return {word: given[word] for word in words}


def _meant(word: str) -> str:
    """The key that a label asks for: that of its direction, if it names one alone, or of its number, if one figure."""
    if word in _KEYS:
        return _KEYS[word]
    named = _COMPASS.intersection(word.split(" "))
    if len(named) == 1:
        return _DIRECTIONS[next(iter(named))]
    number = _number(word)
    return str(number) if number is not None and 0 <= number <= 9 else ""


def _number(word: str) -> int | None:
    last = word.rpartition(" ")[2]
    return int(last) if last.isdecimal() else None


def _free(wanted: Iterable[str], taken: Iterable[str]) -> str:
    used = set(taken)
    return next(key for key in wanted if key not in used)


# --- others -----------------------------------------------------------------------------------------------------------


def _box(environment: EnvironmentInfo, waits: bool) -> Controls:
    space = environment.action
    if space.size > MOST_AXES:
        raise RequestError(
            f"{environment.title} has {space.size} motors to hold at once, more than a person has fingers for; up to "
            f"{MOST_AXES} can be played."
        )
    bounds = _bounds(space)
    names = [space.labels[index] if space.labels else f"component {index + 1}" for index in range(space.size)]
    used = {_AXES[name] for name in names if name in _AXES}
    left = [pair for pair in _PAIRS if pair not in used]
    controls: list[Control] = []
    axes = []
    for name, (low, high) in zip(names, bounds, strict=True):
        rest = min(max(0.0, low), high)
        single = _KEYS.get(name) if rest == low or name in _ONE_WAY else None  # a pedal, say
        pair = (None, single) if single else _AXES.get(name) or left.pop(0)
        ends = (f"{name} −" if rest > low and pair[0] else None, f"{name} +" if rest < high else None)
        words = (f"{name} −", f"{name} +" if ends[0] else name)
        controls += [
            Control(end, _WORDS.get(told, told), key)
            for end, told, key in zip(ends, words, pair, strict=True)
            if end and key
        ]
        axes.append(Axis(*ends, low, rest, high))
    controls.append(Control(NOTHING, NOTHING, "Space"))
    return Controls(space, tuple(controls), axes=tuple(axes), waits=waits)


def _bounds(space: Space) -> list[tuple[float, float]]:
    given = space.bounds or space.ranges
    each = given * space.size if len(given) == 1 else given or ((-math.inf, math.inf),) * space.size
    return [
        (
            low if math.isfinite(low) else min(high, 0.0) - _UNBOUNDED,
            high if math.isfinite(high) else max(low, 0.0) + _UNBOUNDED,
        )
        for low, high in each
    ]


def _parts(environment: EnvironmentInfo, waits: bool) -> Controls:
    space = environment.action
    if len(space.parts) > MOST_PARTS or any(n > len(row) for n, row in zip(space.parts, _ROWS, strict=False)):
        raise RequestError(
            f"{environment.title} has actions of {len(space.parts)} parts with up to {max(space.parts)} choices, more "
            f"than there are rows of keys for; {MOST_PARTS} parts with up to {len(_ROWS[-1])} can be played."
        )
    rows = [
        [Control(name := f"part {part}: choice {choice}", name, row[choice]) for choice in range(count)]
        for part, (count, row) in enumerate(zip(space.parts, _ROWS, strict=False), start=1)
    ]
    controls = [*(control for row in rows for control in row), Control(TAKE, TAKE, "Space")]
    parts = tuple(tuple(control.name for control in row) for row in rows)
    return Controls(space, tuple(controls), parts=parts, waits=waits)


def _switches(environment: EnvironmentInfo, waits: bool) -> Controls:
    space = environment.action
    if space.size > MOST_SWITCHES:
        raise RequestError(
            f"{environment.title} has {space.size} switches, more than there are figures on the keyboard for; up to "
            f"{MOST_SWITCHES} can be played."
        )
    names = [space.labels[index] if space.labels else f"switch {index + 1}" for index in range(space.size)]
    controls = [Control(name, name, key) for name, key in zip(names, _DIGITS, strict=False)]
    parts = (tuple(control.name for control in controls),)
    return Controls(space, (*controls, Control(TAKE, TAKE, "Space")), parts=parts, waits=waits)
