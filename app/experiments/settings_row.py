"""The row of named settings: several parameters set together, under a name."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QPushButton, QToolButton, QWidget

from app.experiments.fields import give_sign, line, small_button
from app.experiments.varied_row import RowFrame
from app.models.varied_rows import NamedSetting, VariedRow
from app.style.flow import Flow
from app.style.theme import Theme

_TIP = (
    "What this setting has otherwise: KEY=VALUE with commas between, as for --set; algorithm=ppo names a whole "
    "algorithm. Empty leaves all as it is."
)


class SettingsRow(RowFrame):
    """Signals:
    train_asked: add what is chosen in the Train mode as a setting.
    """

    train_asked = Signal()

    def __init__(self, theme: Theme, row: VariedRow) -> None:
        super().__init__(theme, row)
        self.titles: list[QLineEdit] = []
        self.texts: list[QLineEdit] = []
        self._removes: list[QToolButton] = []
        lines = QWidget()
        grid = QGridLayout(lines)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.unit // 2)
        grid.setVerticalSpacing(theme.unit // 2)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        for place, setting in enumerate(row.settings):
            title = line(f"Name of setting {place + 1}", "name")
            text = line(f"What setting {place + 1} sets", "all as it is", _TIP)
            remove = small_button(f"Remove setting {place + 1}")
            title.setText(setting.title)
            text.setText(setting.text)
            text.setCursorPosition(0)
            for field in (title, text):
                field.textEdited.connect(self._take)
            remove.clicked.connect(lambda _checked=False, place=place: self._remove(place))
            for column, widget in enumerate((title, text, remove)):
                grid.addWidget(widget, place, column)
            self.titles.append(title)
            self.texts.append(text)
            self._removes.append(remove)
        self.put(lines)
        self.put(self._buttons(theme))
        self.apply_theme(theme)
        self.judge()

    def _buttons(self, theme: Theme) -> QWidget:
        place = QWidget()
        flow = Flow(theme.unit // 2)
        flow.setContentsMargins(0, 0, 0, 0)
        self.train_button = QPushButton("Add what Train has")
        self.train_button.setToolTip("A setting with all that is chosen in the Train mode now")
        self.train_button.clicked.connect(self.train_asked)
        self.add_button = QPushButton("Add another")
        self.add_button.clicked.connect(self._add)
        for button in (self.train_button, self.add_button):
            flow.addWidget(button)
        place.setLayout(flow)
        return place

    def _told(self) -> tuple[NamedSetting, ...]:
        return tuple(
            NamedSetting(title.text(), text.text()) for title, text in zip(self.titles, self.texts, strict=True)
        )

    def _take(self) -> None:
        self.take(replace(self.row, settings=self._told()))

    def _add(self) -> None:
        self.take(replace(self.row, settings=(*self._told(), NamedSetting(f"setting {len(self.titles) + 1}"))))

    def _remove(self, place: int) -> None:
        told = self._told()
        self.take(replace(self.row, settings=(*told[:place], *told[place + 1 :])))

    def apply_theme(self, theme: Theme) -> None:
        super().apply_theme(theme)
        for button in self._removes:
            give_sign(button, "close", theme)
