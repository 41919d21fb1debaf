"""What the race is asked by: the process, who races and how, and which step is shown."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QToolButton, QWidget

from app.panels.lab.choices import Column, Dial, combo
from app.panels.lab.landscape.racer_rows import RacerRows
from app.style.format import short_number
from app.style.icons import give
from app.style.slider import Slider
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.landscape.race import RaceSettings
    from engine.analysis.landscape.worlds import World

_RATES = tuple(round(m * 10.0**e, 6) for e in range(-3, 2) for m in (1, 2, 5))
_CLIPS = (0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
_EPISODES = (1, 2, 4, 8, 16, 32, 64, 256)
_STEPS = (10, 20, 50, 100, 150, 200, 300, 500)
_AT_THE_MOUSE = (
    "At the mouse: the arrow is ∇J, the ring all steps whose KL is δ, and the green arrow the natural gradient to it."
)
_UNITS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_FIRST = (("max_kl", 0.005), ("clip_range", 0.2), ("episodes", 16), ("stretch", 1.0), ("seed", 1))


class RaceControls(Column):
    """
    Signals:
        world_chosen: another process, or the same from its beginning.
        changed: who races, or how.
        toggled: the race is to go on, or to wait.
        scrubbed: this step is to be shown.
    """

    world_chosen = Signal()
    changed = Signal()
    toggled = Signal()
    scrubbed = Signal(int)

    def __init__(self, theme: Theme, worlds: Mapping[str, World], rows: RacerRows) -> None:
        super().__init__(theme)
        self._worlds, self._theme, self.rows = worlds, theme, rows
        self.worlds = combo("Process", "A small process whose policy has two parameters")
        for world in worlds.values():
            self.worlds.addItem(world.title, world.name)
        self.play, self.again = QToolButton(), QToolButton()
        self.play.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.play.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.play.setToolTip("Take the steps one after the other; a click on the map begins there")
        self.again.setText("Reset")
        self.again.setToolTip("Back to the start, and to the settings that this process is worth seeing with")
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(theme.unit // 2)
        row.addWidget(self.play, 1)
        row.addWidget(self.again)
        self.scrubber = Slider()
        self.scrubber.setAccessibleName("Step that is shown")
        self.scrubber.setToolTip("The step that is shown; drag to go back and forth")
        plain = partial(short_number, digits=2)
        self.dials = {
            "learning_rate": Dial("α", "Learning rate: of gradient ascent and REINFORCE", _RATES, plain),
            "natural_rate": Dial("αₙ", "Rate of the natural gradient: how much of F⁻¹∇J a step is", _RATES, plain),
            "max_kl": Dial("δ", "Trust region: how far TRPO goes in a step, in nats of KL", _RATES[:10], plain),
            "clip_range": Dial("ε", "Clip range: how far PPO moves a ratio from 1", _CLIPS, plain),
            "episodes": Dial("N", "Episodes: in a batch of REINFORCE, TRPO and PPO", _EPISODES, plain),
            "steps": Dial("n", "Steps: how many are taken", _STEPS, plain),
            "stretch": Dial(
                "c", "Units of θ₂: steps are taken in φ with θ₂ = c φ₂; the policies are the same", _UNITS, plain
            ),
            "seed": Dial("№", "Seed: of the episodes that are played", range(1, 21), plain),
        }
        self.story = QLabel()
        self.story.setWordWrap(True)
        self.story.setProperty("role", "muted")
        self.story.setProperty("small", True)
        self.story.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        for widget in (self.worlds, buttons, self.scrubber, rows, *self.dials.values(), self.story):
            self.add(widget)
        self.worlds.currentIndexChanged.connect(self._choose)
        self.again.clicked.connect(self._choose)
        self.play.clicked.connect(self.toggled)
        self.scrubber.valueChanged.connect(self.scrubbed)
        rows.changed.connect(self.changed)
        for dial in self.dials.values():
            dial.changed.connect(self.changed)
        self.prepare()
        self.show_playing(playing=False)

    @property
    def world(self) -> World:
        """The process that is chosen."""
        return self._worlds[self.worlds.currentData()]

    @property
    def count(self) -> int:
        """How many steps are taken."""
        return int(self.dials["steps"].value)

    @property
    def settings(self) -> RaceSettings:
        from engine.analysis.landscape.race import RaceSettings

        value = {name: dial.value for name, dial in self.dials.items()}
        return RaceSettings(
            learning_rate=value["learning_rate"],
            natural_rate=value["natural_rate"],
            max_kl=value["max_kl"],
            clip_range=value["clip_range"],
            episodes=int(value["episodes"]),
            seed=int(value["seed"]),
            stretch=value["stretch"],
        )

    def prepare(self) -> None:
        """Take on the settings with which the process is worth seeing."""
        world = self.world
        self.story.setText(f"{world.story} {_AT_THE_MOUSE}")
        self.worlds.setToolTip(world.story)
        own = zip(("learning_rate", "natural_rate", "steps"), world.steps, strict=True)
        for name, value in (*own, *_FIRST):
            self.dials[name].set_value(value)

    def show_step(self, step: int) -> None:
        """Stand at the step that is shown."""
        self.scrubber.blockSignals(True)
        self.scrubber.setRange(0, self.count)
        self.scrubber.setValue(step)
        self.scrubber.blockSignals(False)

    def show_playing(self, *, playing: bool) -> None:
        self.play.setText("Pause" if playing else "Race")
        give(self.play, "pause" if playing else "play", color=self._theme.text)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        super().apply_theme(theme)

    def _choose(self, _index: int = 0) -> None:
        self.prepare()
        self.world_chosen.emit()
