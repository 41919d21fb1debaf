"""Panels are records: one more needs its own file and its place in the list, and is a panel like any other."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings, Qt
from PySide6.QtWidgets import QApplication, QDockWidget, QLabel, QMenu, QVBoxLayout
from pytestqt.qtbot import QtBot

from app.models.axis_choice import AxisChoice
from app.models.experiment import Experiment
from app.models.history import History
from app.models.run_state import RunState
from app.models.runs import SeedGroup
from app.panels.panels import PANELS
from app.panels.record import Appearance, Panel, PanelContext, PanelWidget
from app.session.playback_thread import PlaybackThread
from app.style.theme import Theme, load_theme
from app.window.main_window import MainWindow
from app.window.panels import Panels
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig, presets
from engine.reports.events import Collected, Estimated, Event, Updated


class Counter(PanelWidget):
    """A toy panel: how many iterations there have been."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.label = QLabel()
        QVBoxLayout(self).addWidget(self.label)
        self.calls: list[str] = []
        self.apply_theme(theme)

    def set_choice(self, environment: EnvironmentInfo, config: RunConfig) -> None:
        self.calls.append(environment.id)

    def refresh(self, history: History) -> None:
        self.label.setText(f"{history.iterations} iterations")
        self.calls.append("refresh")

    def reset(self) -> None:
        self.label.clear()

    def apply_theme(self, theme: Theme) -> None:
        self.theme = theme


def counter(made: Appearance = "soon", events: frozenset[type[Event]] = frozenset({Updated})) -> Panel:
    return Panel(
        title="Counter",
        region="lower",
        events=events,
        interval=100,
        help="How many iterations there have been",
        names_run=True,
        made=made,
        make=lambda context: Counter(context.theme),
    )


OTHERS = PANELS[:8]  # so that one more is the last of the nine that have a shortcut


@pytest.fixture
def open_with(qtbot: QtBot, settings: QSettings) -> Iterator[Callable[..., MainWindow]]:
    windows: list[MainWindow] = []

    def make(*more: Panel) -> MainWindow:
        window = MainWindow(settings, next(iter(presets.shipped().values())), panels=(*OTHERS, *more))
        windows.append(window)
        window.show()
        qtbot.waitUntil(lambda: window.isActiveWindow() and window.panels.complete)
        return window

    yield make
    for window in windows:
        window.close()
        assert window.shut_down()
        window.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def dock_of(window: MainWindow, title: str) -> QDockWidget:
    return next(dock for dock in window.findChildren(QDockWidget) if dock.windowTitle() == title)


def neighbours(window: MainWindow, dock: QDockWidget) -> list[str]:
    """What is a tab beside it."""
    return [other.windowTitle() for other in window.frame.train.inner.tabifiedDockWidgets(dock)]


@pytest.mark.parametrize("made", ["first", "seen"])
def test_a_panel_more_is_a_tab_of_its_region_with_menu_entry_shortcut_and_data(
    qtbot: QtBot, open_with: Callable[..., MainWindow], made: Appearance
) -> None:
    window = open_with(counter(made))
    dock = dock_of(window, "Counter")
    assert isinstance(dock.widget(), Counter) is (made == "first")
    dock.raise_()
    qtbot.waitUntil(lambda: isinstance(dock.widget(), Counter))
    panel = window.panels.find(Counter)
    assert dock.widget() is panel
    assert "Diagnostics" in neighbours(window, dock)
    toggle = dock.toggleViewAction()
    menu = next(menu for menu in window.findChildren(QMenu) if menu.title() == "View")
    assert toggle in menu.actions()
    shortcut = f"Alt+{len(OTHERS) + 1}"
    assert (toggle.shortcut().toString(), toggle.toolTip()) == (shortcut, "How many iterations there have been")
    assert panel.calls[-1] in ("CartPole-v1", "refresh")
    qtbot.waitUntil(lambda: panel.isVisible())
    window.start()
    qtbot.waitUntil(lambda: window.controller.history.iterations >= 3, timeout=20_000)
    qtbot.waitUntil(lambda: panel.label.text() not in ("", "0 iterations"), timeout=5000)
    window.set_theme("light")
    assert panel.theme.name == "light"
    window.controller.reset()
    qtbot.waitUntil(lambda: window.controller.state is RunState.IDLE, timeout=20_000)
    assert panel.label.text() in ("", "0 iterations")


def test_a_panel_that_a_remembered_layout_does_not_know_is_a_tab_of_its_region(
    open_with: Callable[..., MainWindow], settings: QSettings
) -> None:
    before = open_with()
    dock_of(before, "Signal").hide()
    before.frame.train.inner.tabifyDockWidget(dock_of(before, "Returns"), dock_of(before, "Diagnostics"))
    before.close()
    settings.remove("geometry")  # the screen of the tests is smaller than the window
    after = open_with(counter())
    assert {"Returns", "Diagnostics"} <= set(neighbours(after, dock_of(after, "Counter")))
    assert dock_of(after, "Signal").isHidden()
    assert not dock_of(after, "Counter").isHidden()


def test_a_panel_whose_neighbour_floats_has_a_place_all_the_same(open_with: Callable[..., MainWindow]) -> None:
    before = open_with()
    dock_of(before, "Diagnostics").setFloating(True)
    before.close()
    after = open_with(counter())
    assert dock_of(after, "Diagnostics").isFloating()
    assert not dock_of(after, "Counter").isFloating()
    assert not dock_of(after, "Counter").isHidden()


def test_the_shortcuts_are_listed_as_far_as_they_go(qtbot: QtBot, open_with: Callable[..., MainWindow]) -> None:
    window = open_with(counter())
    window.actions_by_name["shortcuts"].trigger()
    dialog = next(
        widget for widget in window.children() if getattr(widget, "windowTitle", str)() == "Keyboard shortcuts"
    )
    assert f"Alt+1 … Alt+{len(OTHERS) + 1}" in [label.text() for label in dialog.findChildren(QLabel)]


def test_nothing_of_a_panel_can_be_forgotten() -> None:
    assert all(field.default is MISSING and field.default_factory is MISSING for field in fields(Panel))


def test_no_two_panels_share_their_title_and_every_region_has_one() -> None:
    assert len({panel.title for panel in PANELS}) == len(PANELS)
    assert {panel.region for panel in PANELS} == {"left", "centre", "lower", "right", "foot"}


def test_a_panel_that_says_nothing_of_its_look_is_told_so() -> None:
    with pytest.raises(NotImplementedError):
        PanelWidget.apply_theme(None, load_theme("dark"))


def test_the_first_picture_waits_for_no_library_that_it_does_not_need(tmp_path: Path) -> None:
    made_at_once = """
import sys
from PySide6.QtCore import QSettings
from app.window.application import make_application
from app.window.main_window import MainWindow
from engine.config import presets
application = make_application()
settings = QSettings(sys.argv[1], QSettings.Format.IniFormat)
window = MainWindow(settings, next(iter(presets.shipped().values())))
window.show()
print([name for name in ("numpy", "pyqtgraph", "torch", "gymnasium", "scipy", "ziamath") if name in sys.modules])
window.close()
"""
    arguments = [sys.executable, "-c", made_at_once, str(tmp_path / "settings.ini")]
    run = subprocess.run(arguments, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_what_stands_behind_another_tab_is_made_once_somebody_looks_at_it(
    qtbot: QtBot, make_window: Callable[..., MainWindow]
) -> None:
    window = make_window()
    QApplication.processEvents()  # in which all that is seen would be made
    made = lambda: {made.record.title for made in window.panels._made}  # noqa: E731
    assert not {"Update", "Lab", "Teacher"} & made()
    window.docks.bring_forward("Lab")
    qtbot.waitUntil(lambda: "Lab" in made())
    assert not {"Update", "Teacher"} & made()


# --- turns ------------------------------------------------------------------------------------------------------------


class _Places:
    """Stands for the frame: every panel is held, and shown as a window."""

    def __init__(self, qtbot: QtBot) -> None:
        self._qtbot = qtbot

    def hold(self, title: str, widget: PanelWidget) -> None:
        self._qtbot.addWidget(widget)
        widget.setAttribute(Qt.WidgetAttribute.WA_DontShowOnScreen, False)
        widget.show()

    def name_run(self, name: str) -> None:
        pass


@pytest.fixture
def context(qapp: object, settings: QSettings) -> PanelContext:
    return PanelContext(load_theme("dark"), Experiment(), PlaybackThread(), AxisChoice(), settings)


@pytest.fixture
def turns(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, context: PanelContext
) -> Callable[[Panel], tuple[Panels, Counter, list[float]]]:
    """Panels of one record, its widget, and the clock that their turns go by."""
    clock = [1000.0]
    monkeypatch.setattr("app.window.panels.time.monotonic", lambda: clock[0])

    def make(record: Panel) -> tuple[Panels, Counter, list[float]]:
        panels = Panels([record], context, _Places(qtbot), slack=0.0)
        panels.make_others()
        widget = panels.find(Counter)
        qtbot.waitExposed(widget)
        qtbot.waitUntil(lambda: not widget.visibleRegion().isEmpty())
        panels.refresh(HISTORY)
        widget.calls.clear()
        return panels, widget, clock

    return make


HISTORY = History()


def test_a_panel_is_refreshed_for_the_events_it_wants_alone(turns: Callable) -> None:
    panels, widget, clock = turns(counter())
    clock[0] += 1
    panels.refresh_next(HISTORY, {Collected, Estimated})
    assert widget.calls == []
    panels.refresh_next(HISTORY, {Updated})
    assert widget.calls == ["refresh"]


def test_a_panel_is_not_refreshed_before_it_is_due_and_then_even_without_news(turns: Callable) -> None:
    panels, widget, clock = turns(counter())
    clock[0] += 0.09
    panels.refresh_next(HISTORY, {Updated})
    assert widget.calls == []
    clock[0] += 0.02
    panels.refresh_next(HISTORY, set())
    assert widget.calls == ["refresh"]
    clock[0] += 1
    panels.refresh_next(HISTORY, set())
    assert widget.calls == ["refresh"]


def test_what_cannot_be_seen_is_refreshed_when_it_can(turns: Callable) -> None:
    panels, widget, clock = turns(counter())
    widget.hide()
    clock[0] += 1
    panels.refresh_next(HISTORY, {Updated})
    assert widget.calls == []
    widget.show()
    panels.refresh_next(HISTORY, set())
    assert widget.calls == ["refresh"]


def test_a_panel_that_wants_no_events_takes_nobodys_turn(turns: Callable) -> None:
    panels, widget, clock = turns(counter(events=frozenset()))
    clock[0] += 1
    panels.refresh_next(History(), {Updated})
    assert widget.calls == []


def test_of_several_panels_the_one_that_has_waited_longest_is_next(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, context: PanelContext
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("app.window.panels.time.monotonic", lambda: clock[0])
    panels = Panels([counter(), counter(), counter()], context, _Places(qtbot), slack=0.0)
    panels.make_others()
    widgets = [made.widget for made in panels._made]
    for widget in widgets:
        qtbot.waitUntil(lambda widget=widget: not widget.visibleRegion().isEmpty())
    for _ in range(6):
        clock[0] += 0.2
        panels.refresh_next(HISTORY, {Updated})
    assert [widget.calls for widget in widgets] == [["refresh"] * 2] * 3


def test_a_panel_that_comes_late_has_the_look_of_the_others(qtbot: QtBot, context: PanelContext) -> None:
    panels = Panels([counter()], context, _Places(qtbot), slack=0.0)
    panels.apply_theme(load_theme("light"))
    panels.make_others()
    assert panels.find(Counter).theme.name == "light"


def test_a_panel_that_comes_late_is_told_what_the_others_were_told(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, context: PanelContext
) -> None:
    told: dict[PanelWidget, list[tuple[str, tuple[object, ...]]]] = {}
    for name in ("set_choice", "refresh", "name_run", "show_ghosts", "show_seeds"):
        noted = lambda widget, *given, name=name: told.setdefault(widget, []).append((name, given))  # noqa: E731
        monkeypatch.setattr(Counter, name, noted)
    panels = Panels([counter(), counter("seen")], context, _Places(qtbot), slack=0.0)
    panels.make_others()
    experiment, group = context.experiment, SeedGroup((), together=False)
    panels.set_choice(experiment.environment, experiment.config)
    panels.refresh(HISTORY)
    panels.name_run("run 3")
    panels.show_ghosts(())
    panels.show_seeds(group, "b", print)
    panels.titled("Counter")
    early, late = (told[made.widget] for made in panels._made)
    assert late == early


def test_the_history_of_another_run_is_news(turns: Callable) -> None:
    panels, widget, clock = turns(counter())
    clock[0] += 1
    panels.refresh_next(History(), set())
    assert widget.calls == ["refresh"]
