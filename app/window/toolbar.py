"""The bar at the top: modes, the run's actions and its pace, its progress, and preset, device and theme."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSettings, QSize, Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from app.models.run_state import RunAction, RunState
from app.session.run_controller import RunController
from app.style import icons
from app.style.theme import Theme
from app.window import actions as acts
from app.window.device_choice import DeviceChoice
from app.window.modes import ModeAction, ModeBar
from app.window.pace import PaceControl
from app.window.progress import ProgressView
from app.window.seed_picker import SeedPicker
from engine.config import RunConfig

_PRESET_WIDTH, _NARROW_PRESET_WIDTH = 176, 120  # pixels
_PRESET_AROUND, _START_AROUND = 36, 68  # pixels of these buttons that are not their words
_ICON, _GAP = 16, 6  # pixels
# What gives way in a narrow window, one after the other: first what is seldom wanted and stands in the menus.
_DEVICE, _THEME, _FOLLOW_WORDS, _PRESET_WORDS, _SPEED, _RESET_WORD, _LEFT, _BUTTON_WORDS, _STEPS = range(1, 10)
_START_WORDS, _SEEDS, _MODES, _PACE = range(10, 14)


class Toolbar(QWidget):
    """[modes] Start · Step · Stop · Reset | pace | progress | preset, device, present, theme. Whatever the width, all
    that is shown is shown whole, and what is left out can be had from the menus."""

    def __init__(self, actions: dict[str, QAction], modes: Sequence[ModeAction], preset_menu: QMenu) -> None:
        super().__init__()
        self._actions = actions
        self._least = 0
        self._around = _PRESET_AROUND, _START_AROUND
        self._preset = ("", False)
        self._layout = QHBoxLayout(self)
        self._modes = ModeBar(modes)
        self._layout.addWidget(self._modes)
        self._pace: PaceControl | None = None
        self.seeds: SeedPicker | None = None
        self._followed: tuple[RunController, RunConfig, Theme] | None = None
        self._gap()
        self.start_button = self._button(actions["start"], text=True)
        self.start_button.setProperty("role", "primary")
        self._worded = [self._button(actions[name], text=True) for name in ("step", "stop", "reset")]
        self._pace_at = self._layout.count()
        self._gap()
        self.progress = ProgressView()
        self.progress.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._layout.addWidget(self.progress, 1)
        self._gap()
        self.preset_button = QToolButton()
        self.preset_button.setMenu(preset_menu)
        self.preset_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.preset_button.setAccessibleName("Preset")
        self.preset_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self._layout.addWidget(self.preset_button)
        self.device = DeviceChoice(self)
        self._layout.addWidget(self.device.box)
        self._present_at = self._layout.count()
        self._theme_button = self._button(actions["toggle_theme"], text=False)

    def add_steps(self, menu: QMenu) -> None:
        """Put the stops within an iteration beneath Step."""
        button = self._worded[0]
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)

    def add_run(self, pace: PaceControl, controller: RunController, settings: QSettings) -> None:
        """Put what sets the pace of the run behind its actions, and beside Start how many seeds that begins."""
        self._pace = pace
        self._layout.insertWidget(self._pace_at, pace)
        self.seeds = SeedPicker(controller.seeds, settings)
        self._layout.insertWidget(self._layout.indexOf(self.start_button) + 1, self.seeds)
        self._present_at += 2
        controller.seeds.changed.connect(lambda _count: self.follow(*self._followed) if self._followed else None)

    def add_present(self, action: QAction) -> QToolButton:
        """Put a button that shows a panel alone at the right."""
        button = self._made(action, text=False)
        self._layout.insertWidget(self._present_at, button)
        return button

    def _button(self, action: QAction, *, text: bool) -> QToolButton:
        button = self._made(action, text=text)
        self._layout.addWidget(button)
        return button

    def _made(self, action: QAction, *, text: bool) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        _show_words(button, text)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        return button

    def _gap(self) -> None:
        self._layout.addSpacing(_GAP)

    # --- the room there is --------------------------------------------------------------------------------------------

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least, self._layout.sizeHint().height())

    def apply_theme(self, theme: Theme) -> None:
        self._layout.setContentsMargins(theme.unit, theme.unit // 2, theme.unit, theme.unit // 2)
        self._layout.setSpacing(theme.unit // 2)
        self._around = theme.px(_PRESET_AROUND), theme.px(_START_AROUND)
        self._widths = theme.px(_PRESET_WIDTH), theme.px(_NARROW_PRESET_WIDTH)
        for button in self.findChildren(QToolButton):
            button.setIconSize(QSize(theme.px(_ICON), theme.px(_ICON)))
        for child in self.findChildren(QWidget):
            child.ensurePolished()  # else the style sheet's part of its size comes only when it is shown
        self.device.apply_theme(theme)
        self.progress.apply_theme(theme)
        self._give_way(_PACE)
        self._least = self._layout.minimumSize().width()
        self.updateGeometry()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def _fit(self) -> None:
        for count in range(_PACE + 1):
            self._give_way(count)
            if self._layout.minimumSize().width() <= self.width():
                break
        for _ in range(2):  # the first takes in what is shown and what is not
            self._layout.activate()  # at once, so that nothing is seen squeezed

    def _give_way(self, left_out: int) -> None:
        """Leave out the first ``left_out`` of what gives way."""
        self.progress.show_columns(sum(left_out < part for part in (_SPEED, _LEFT, _STEPS)))
        *others, reset = self._worded
        _show_words(reset, left_out < _RESET_WORD)
        for button in others:
            _show_words(button, left_out < _BUTTON_WORDS)
        self.device.box.setVisible(left_out < _DEVICE)
        self._theme_button.setVisible(left_out < _THEME)
        self.preset_button.setFixedWidth(self._widths[left_out >= _PRESET_WORDS])
        self._write_preset()
        self._modes.setVisible(left_out < _MODES)
        if self._pace is not None:
            self._pace.show_words(left_out < _FOLLOW_WORDS)
            self._pace.setVisible(left_out < _PACE)
        if self.seeds is not None:
            self.seeds.setVisible(left_out < _SEEDS)
        words = left_out < _START_WORDS
        _show_words(self.start_button, words)
        room = self.start_button.fontMetrics().horizontalAdvance("Pause") + self._around[1]
        self.start_button.setMinimumWidth(room if words else 0)
        self._layout.invalidate()

    # --- what it says -------------------------------------------------------------------------------------------------

    def show_preset(self, title: str, changed: bool) -> None:
        """Name the preset, and say where the choice has been edited since, always in the same width."""
        self._preset = title, changed
        self._write_preset()

    def _write_preset(self) -> None:
        title, changed = self._preset
        button, mark = self.preset_button, " (edited)" if changed else ""
        metrics, room = button.fontMetrics(), button.maximumWidth() - self._around[0]
        room -= metrics.horizontalAdvance(mark)
        shown = metrics.elidedText(title, Qt.TextElideMode.ElideRight, room) + mark
        button.setText(shown.replace("&", "&&"))
        button.setToolTip(f"{title}{mark}\nChoose a preset: everything set for a run that learns")

    def follow(self, controller: RunController, config: RunConfig, theme: Theme) -> None:
        """Enable what the run's state allows, and name the main action after what it would do with this choice."""
        state, self._followed = controller.state, (controller, config, theme)
        if self.seeds is not None:
            self.seeds.follow(controller, config)
        for name, action in (
            ("step", RunAction.STEP),
            ("next_stop", RunAction.STEP),
            ("stop", RunAction.STOP),
            ("reset", RunAction.RESET),
        ):
            self._actions[name].setEnabled(controller.allows(action))
        start = self._actions["start"]
        start.setEnabled(controller.allows(RunAction.START) or controller.allows(RunAction.PAUSE))
        if state in (RunState.RUNNING, RunState.PAUSING):
            acts.describe(start, "Pause", "Hold the run where it is")
            icon = "pause"
        else:
            anew = controller.would_start_anew(config)
            count = controller.seeds.count
            begin = "Begin a run with this choice" if count == 1 else f"Begin {count} seeds of this choice"
            tip = begin if anew else "Go on with the run that is shown"
            acts.describe(start, "Start" if anew else "Go on", tip)
            icon = "play"
        icons.give(start, icon, color=theme.accent_text, color_disabled=theme.muted)
        self.progress.show_state(state)


def _show_words(button: QToolButton, words: bool) -> None:
    style = Qt.ToolButtonStyle
    button.setToolButtonStyle(style.ToolButtonTextBesideIcon if words else style.ToolButtonIconOnly)
