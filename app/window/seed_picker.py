"""× seeds: how many seeds Start begins, in a small menu beside it."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QActionGroup, QKeySequence, QShortcut
from PySide6.QtWidgets import QMenu, QToolButton

from app.models.run_state import ACTIVE
from app.models.seeds import COUNTS
from app.session.run_controller import RunController
from app.session.seeds import SeedChoice, how_trained
from engine.config import RunConfig

KEY = "X"
_SETTING = "seeds"
_WHY = (
    "One run proves nothing: two groups of seeds of the same algorithm can look like two algorithms. Several show how "
    "much of a curve is luck."
)
_LOCKED = "How many seeds begin is chosen before they do; stop the run to choose anew."


class SeedPicker(QToolButton):
    """Says "× 8", and what is remembered of it; its ``menu`` can be had elsewhere as well."""

    def __init__(self, choice: SeedChoice, settings: QSettings) -> None:
        super().__init__()
        self._choice, self._settings = choice, settings
        self.choices = QMenu("Seeds", self)
        self.choices.setToolTipsVisible(True)
        group = QActionGroup(self.choices)
        self._entries = {}
        for count in COUNTS:
            entry = self.choices.addAction("× 1 seed" if count == 1 else f"× {count} seeds")
            entry.setCheckable(True)
            entry.setToolTip(_WHY)
            entry.triggered.connect(lambda _checked=False, count=count: choice.choose(count))
            group.addAction(entry)
            self._entries[count] = entry
        self.setMenu(self.choices)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Seeds")
        key = QShortcut(QKeySequence(KEY), self, context=Qt.ShortcutContext.WindowShortcut)
        key.activated.connect(self.open)
        choice.changed.connect(self._show)
        remembered = settings.value(_SETTING)
        if remembered is not None and str(remembered).isdecimal():
            choice.choose(int(str(remembered)))
        choice.take()
        self._show(choice.count)

    def open(self) -> None:
        """Have a person choose by the keyboard, also where there is no room for the button."""
        beneath = self if self.isVisible() else self.parentWidget()
        if self.isEnabled() and beneath is not None:
            self.choices.popup(beneath.mapToGlobal(QPoint(0, beneath.height())))
            self.choices.setActiveAction(self._entries[self._choice.count])

    def _show(self, count: int) -> None:
        self.setText(f"× {count}")
        self._entries[count].setChecked(True)
        self._settings.setValue(_SETTING, count)

    def follow(self, controller: RunController, config: RunConfig) -> None:
        """Say what becomes of the choice, which stays as it is while a run is active."""
        locked = controller.state in ACTIVE
        self.setEnabled(not locked)
        self.choices.setEnabled(not locked)
        how = _LOCKED if locked else how_trained(config, self._choice.count)
        self.setToolTip("\n".join(filter(None, (f"How many seeds Start begins ({KEY}). {_WHY}", how))))
