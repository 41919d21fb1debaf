"""The log: what happened, with times, bounded, and read where a person reads it."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QTextEdit
from pytestqt.qtbot import QtBot

from app.panels.log import LogPanel
from app.style.theme import load_theme


@pytest.fixture
def log(qtbot: QtBot) -> LogPanel:
    panel = LogPanel(load_theme("dark"))
    qtbot.addWidget(panel)
    panel.resize(400, 100)
    panel.show()
    for i in range(60):
        panel.append("info", f"line {i}")
    return panel


def test_an_entry_names_its_level(log: LogPanel) -> None:
    log.append("warning", "certain")
    assert log.text.splitlines()[-1].split("\t")[1:] == ["Warning", "certain"]


def test_the_log_follows_at_the_bottom(log: LogPanel) -> None:
    bar = log.findChild(QTextEdit).verticalScrollBar()
    assert bar.value() == bar.maximum() > 0


def test_the_log_follows_on_after_it_was_taller(qtbot: QtBot, log: LogPanel) -> None:
    bar = log.findChild(QTextEdit).verticalScrollBar()
    log.resize(400, 3000)
    qtbot.waitUntil(lambda: bar.maximum() == 0)
    log.resize(400, 100)
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    assert bar.value() == bar.maximum()
    log.append("info", "newest")
    assert bar.value() == bar.maximum()


def test_the_log_stays_where_it_is_being_read(log: LogPanel) -> None:
    bar = log.findChild(QTextEdit).verticalScrollBar()
    bar.setValue(10)
    log.append("error", "failed")
    assert bar.value() == 10


def test_the_log_is_bounded(log: LogPanel) -> None:
    for i in range(3000):
        log.append("info", str(i))
    assert len(log.text.splitlines()) == 3000
