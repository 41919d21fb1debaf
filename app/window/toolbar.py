"""The toolbar: the run's actions, its progress, and preset, device and theme."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QMenu, QSizePolicy, QToolBar, QToolButton, QWidget

from app.models.run_state import RunAction, RunState
from app.session.run_controller import RunController
from app.style import icons
from app.style.combo import Combo
from app.style.theme import Theme
from app.window import actions as acts
from app.window.progress import ProgressView
from engine.catalogue.methods.entries import DEVICES
from engine.config import RunConfig

PRESET_WIDTH = 196


class Toolbar(QToolBar):
    """Start, Step, Stop, Reset | progress | preset, device, theme."""

    device_chosen = Signal(str)

    def __init__(self, actions: dict[str, QAction], preset_menu: QMenu) -> None:
        super().__init__("Toolbar")
        self.setObjectName("toolbar")
        self.setMovable(False)
        self.setFloatable(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        self._actions = actions
        self.progress = ProgressView()
        self.start_button = self._button(actions["start"], text=True)
        self.start_button.setProperty("role", "primary")
        self.start_button.setMinimumWidth(self.start_button.fontMetrics().horizontalAdvance("Pause") + 80)
        for name in ("step", "stop", "reset"):
            self._button(actions[name], text=True)
        self._gap(8)
        self.progress.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.addWidget(self.progress)
        self._gap(8)
        self.preset_button = QToolButton()
        self.preset_button.setMenu(preset_menu)
        self.preset_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.preset_button.setToolTip("Choose a preset: everything set for a run that learns")
        self.preset_button.setAccessibleName("Preset")
        self.preset_button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.preset_button.setFixedWidth(PRESET_WIDTH)
        self.addWidget(self.preset_button)
        label = QLabel("Device")
        label.setProperty("role", "muted")
        label.setContentsMargins(8, 0, 0, 0)
        self.addWidget(label)
        self.device = Combo()
        self.device.addItems(DEVICES)
        self.device.setFixedWidth(self.device.fontMetrics().horizontalAdvance("cuda") + 56)
        self.device.setAccessibleName("Device")
        label.setBuddy(self.device)
        self.device.activated.connect(lambda index: self.device_chosen.emit(DEVICES[index]))
        self.addWidget(self.device)
        self.explain_device("")
        self._button(actions["toggle_theme"], text=False)

    def _button(self, action: QAction, *, text: bool) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        style = Qt.ToolButtonStyle
        button.setToolButtonStyle(style.ToolButtonTextBesideIcon if text else style.ToolButtonIconOnly)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.addWidget(button)
        return button

    def minimumSizeHint(self) -> QSize:
        # Else a narrow window would cut off what stands at the right.
        whole, spare = self.sizeHint(), self.progress.sizeHint().width() - self.progress.minimumSizeHint().width()
        return QSize(whole.width() - spare, whole.height())

    def _gap(self, width: int) -> None:
        gap = QWidget()
        gap.setFixedWidth(width)
        self.addWidget(gap)

    def show_preset(self, title: str, changed: bool) -> None:
        """Name the preset, and say where the choice has been edited since, always in the same width."""
        button, mark = self.preset_button, " (edited)" if changed else ""
        metrics, room = button.fontMetrics(), PRESET_WIDTH - 36
        room -= metrics.horizontalAdvance(mark)
        button.setText(metrics.elidedText(title, Qt.TextElideMode.ElideRight, room) + mark)
        button.setToolTip(f"{title}{mark}\nChoose a preset: everything set for a run that learns")

    def explain_device(self, reason: str) -> None:
        """Say in the picker's tooltip why training happens where it does."""
        tip = "Where the networks are computed; auto takes what is faster for their size."
        self.device.setToolTip(f"{tip}\nThis run: {reason}." if reason else tip)

    def follow(self, controller: RunController, config: RunConfig, theme: Theme) -> None:
        """Enable what the run's state allows, and name the main action after what it would do with this choice."""
        state = controller.state
        for name, action in (("step", RunAction.STEP), ("stop", RunAction.STOP), ("reset", RunAction.RESET)):
            self._actions[name].setEnabled(controller.allows(action))
        start = self._actions["start"]
        start.setEnabled(controller.allows(RunAction.START) or controller.allows(RunAction.PAUSE))
        if state in (RunState.RUNNING, RunState.PAUSING):
            acts.describe(start, "Pause", "Hold the run where it is")
            icon = "pause"
        else:
            words = "Start" if controller.would_start_anew(config) else "Go on"
            acts.describe(start, words, acts.SPECS["start"].tip)
            icon = "play"
        icons.give(start, icon, color=theme.accent_text, color_disabled=theme.muted)
        self.progress.show_state(state)
