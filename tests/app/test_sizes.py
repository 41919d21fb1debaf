"""The window at the sizes of small and large screens, and with larger text: everything there, nothing cut."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect, QSettings, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QMenu, QStyle, QStyleOptionComboBox, QWidget
from pytestqt.qtbot import QtBot

from app.style.combo import SHORTER, Combo
from app.style.text import ElidedLabel
from app.style.theme import load_theme, style_sheet
from app.window import screen_fit
from app.window.forms import COLUMNS, DRAWER, HALVES, ROWS, TABS, Form, form_for
from app.window.main_window import MainWindow

Make = Callable[..., MainWindow]


def resize(qtbot: QtBot, window: MainWindow, width: int, height: int) -> None:
    window.resize(width, height)
    QApplication.processEvents()
    assert window.size() == QSize(width, height)


def click(window: MainWindow, widget: QWidget, at: QPoint | None = None) -> None:
    """Click on a widget as the window system tells the window of it."""
    place = widget.mapTo(window, widget.rect().center() if at is None else at)
    QTest.mouseClick(window.windowHandle(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, place)
    QApplication.processEvents()


def press(window: MainWindow, key: Qt.Key, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    QTest.keyClick(window.windowHandle(), key, modifier)
    QApplication.processEvents()


def cut(window: MainWindow) -> list[str]:
    """What is not shown whole, of the bar and of the panels."""
    bar, inner = window.toolbar, window.frame.train.inner
    told = [
        f"{type(child).__name__} of the bar"
        for child in bar.findChildren(QWidget)
        if child.parent() is bar and child.isVisible() and not isinstance(child, QMenu)
        if not bar.rect().contains(child.geometry())
        or (child is not bar.preset_button and child.width() < child.minimumSizeHint().width())  # which is shortened
    ]
    for title in window.docks.titles:
        dock = window.docks[title]
        if dock.visibleRegion().isEmpty():
            continue
        content, least = dock.widget(), dock.widget().minimumSizeHint().expandedTo(dock.widget().minimumSize())
        if not inner.rect().contains(dock.geometry()):
            told.append(f"{title} is not inside: {dock.geometry()}")
        if content.width() < least.width() or content.height() < least.height():
            told.append(f"{title} has {content.size()}, and needs {least}")
    return told


@pytest.mark.parametrize(
    ("width", "height", "form"),
    [
        (1920, 1000, COLUMNS),
        (1280, 600, COLUMNS),
        (1024, 520, DRAWER),
        (960, 420, HALVES),
        (700, 800, ROWS),
        (500, 420, TABS),
    ],
)
def test_columns_give_way_to_a_drawer_and_to_tabs(width: int, height: int, form: Form) -> None:
    assert form_for(width, height) is form


def test_nothing_is_cut_at_any_size_and_the_narrowest_window_shows_the_whole_toolbar(
    qtbot: QtBot, make_window: Make
) -> None:
    window = make_window()
    wrong = {}
    for percent in (100, 150):
        for width, height in ((1920, 1080), (1280, 800), (1280, 720), (1024, 768), (1024, 640), (960, 540), (700, 900)):
            resize(qtbot, window, width, height)
            found = cut(window)
            assert window.toolbar.start_button.isVisible()
            assert window.toolbar.preset_button.isVisible()
            follow = window.runs.pace.follow
            assert follow.isHidden() or not follow.icon().isNull()  # never a bare box
            if found:
                wrong[(width, height, percent)] = found
        window.look.percent = 140  # as if the key had been pressed four times, each of which styles every widget
        press(window, Qt.Key.Key_Plus, Qt.KeyboardModifier.ControlModifier)
    press(window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert wrong == {}
    window.resize(1, 1)
    QApplication.processEvents()
    assert cut(window) == []
    assert window.width() < 640
    assert window.toolbar.start_button.isVisible()
    assert window.toolbar.preset_button.isVisible()


def test_the_bar_gives_way_in_order_and_its_parts_stand_apart(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    bar = window.toolbar
    worded = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
    stages = []
    for width in range(1740, 500, -20):
        resize(qtbot, window, width, 800)
        shown = (
            bar.device.box.isVisible(),
            bar.progress.speed_is_shown,
            bar._worded[0].toolButtonStyle() == worded,
            bar.start_button.toolButtonStyle() == worded,
        )
        if shown not in stages:
            stages.append(shown)
    assert stages == [
        (True, True, True, True),
        (False, True, True, True),
        (False, False, True, True),
        (False, False, False, True),
        (False, False, False, False),
    ]
    resize(qtbot, window, 1280, 800)
    assert bar.progress.time_left_is_shown
    assert bar._worded[0].toolButtonStyle() == worded
    assert all(button.toolTip() for button in bar._worded)
    run = next(menu for menu in window.findChildren(QMenu) if menu.title() == "Run")
    assert bar.device.menu.menuAction() in run.actions()

    # Its parts stand apart, and its icons are as large as its text.
    icons = []
    for percent in (100, 150, 200):
        window.look.percent = percent - 10
        window.look.larger()
        for width in (1920, 1280, 1024, 960):
            resize(qtbot, window, width, 800)
            parts = [part for part in bar.findChildren(QWidget) if part.parent() is bar and part.isVisible()]
            places = sorted((part.geometry() for part in parts), key=QRect.left)
            apart = [right.left() - left.right() for left, right in pairwise(places)]
            assert min(apart) >= 4, (percent, width, apart)
        icons.append(bar.start_button.iconSize().height())
        combo = bar.device.combo
        assert combo.room >= combo.fontMetrics().horizontalAdvance(combo.currentText())
    assert icons == [16, 24, 32]


def test_the_drawer_has_the_focus_opens_over_the_plots_and_closes_by_escape_or_a_click_beside_it(
    qtbot: QtBot, make_window: Make
) -> None:
    window = make_window()
    resize(qtbot, window, 1024, 640)
    step = window.toolbar.preset_button
    step.setFocus(Qt.FocusReason.TabFocusReason)
    press(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert window.experiment_panel.isAncestorOf(QApplication.focusWidget())
    press(window, Qt.Key.Key_1, Qt.KeyboardModifier.AltModifier)
    assert not window.frame.train.drawer.isVisible()
    assert QApplication.focusWidget() is step

    page, drawer = window.frame.train, window.frame.train.drawer
    before = window.docks["Returns"].geometry()
    assert not window.experiment_panel.isVisible()
    click(window, drawer.button)
    assert window.experiment_panel.isVisible()
    assert drawer.geometry().left() == page.inner.geometry().left()
    assert window.docks["Returns"].geometry() == before
    click(window, window.experiment_panel, QPoint(4, 4))
    assert drawer.isVisible()
    click(window, window.docks["Agent"].widget())
    assert not drawer.isVisible()
    click(window, drawer.button)
    assert drawer.isVisible()
    press(window, Qt.Key.Key_Escape)
    assert not drawer.isVisible()
    click(window, drawer.button)
    click(window, drawer.button)
    assert not drawer.isVisible()


def places(window: MainWindow) -> dict[str, tuple[int, int, int, int]]:
    """Where the docks that can be seen are."""
    docks = {title: window.docks[title] for title in window.docks.titles}
    return {title: dock.geometry().getRect() for title, dock in docks.items() if not dock.visibleRegion().isEmpty()}


def test_a_wide_window_has_its_columns_back_as_they_were(qtbot: QtBot, make_window: Make, settings: QSettings) -> None:
    window = make_window()
    inner = window.frame.train.inner
    window.docks["Agent"].hide()
    inner.resizeDocks([window.docks["Returns"], window.docks["Signal"]], [200, 400], Qt.Orientation.Vertical)
    QApplication.processEvents()
    columns = {title: pytest.approx(place, abs=4) for title, place in places(window).items()}  # but for rounding
    for width, height in ((1024, 640), (960, 540), (520, 400)):
        resize(qtbot, window, width, height)
        assert not window.docks["Experiment"].isVisible()
        assert window.docks["Agent"].isHidden()
    resize(qtbot, window, 1280, 800)
    assert places(window) == columns
    assert window.experiment_panel.isVisible()
    resize(qtbot, window, 960, 540)
    window.close()
    settings.remove("geometry")
    assert places(make_window()) == columns


def widths(window: MainWindow) -> list[int]:
    return [window.docks[title].width() for title in ("Experiment", "Returns", "Agent")]


def test_what_is_turned_to_stays_in_front_where_the_window_becomes_small(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    resize(qtbot, window, 1280, 800)
    for title in ("Lab", "Surface"):
        window.docks[title].raise_()
    QApplication.processEvents()
    for width, height, wanted in ((1024, 640, {"Returns", "Lab", "Surface"}), (700, 800, {"Returns", "Lab"})):
        resize(qtbot, window, width, height)
        QApplication.processEvents()
        seen = {title for title in window.docks.titles if not window.docks[title].visibleRegion().isEmpty()}
        assert seen == wanted


def test_columns_keep_their_shares_whatever_the_window_was_meanwhile(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    resize(qtbot, window, 1280, 800)
    before = widths(window)
    resize(qtbot, window, 1920, 1080)
    window.present.enter()
    resize(qtbot, window, 1280, 800)
    window.present.leave()
    qtbot.waitUntil(lambda: widths(window) == pytest.approx(before, abs=4))
    resize(qtbot, window, 1920, 1080)
    resize(qtbot, window, 960, 540)
    resize(qtbot, window, 1280, 800)
    assert widths(window) == pytest.approx(before, abs=4)
    # Where two of the lower ones have room beside each other, both have as much, whatever they would like to have.
    resize(qtbot, window, 1920, 1080)
    window.actions_by_name["restore_layout"].trigger()
    signal, diagnostics = window.docks["Signal"], window.docks["Diagnostics"]
    qtbot.waitUntil(lambda: abs(signal.width() - diagnostics.width()) < 8)


def test_the_equation_leaves_room_to_what_matters_most_and_takes_no_more_than_it_needs(
    qtbot: QtBot, make_window: Make
) -> None:
    window = make_window()
    panel = window.experiment_panel
    qtbot.waitUntil(lambda: panel.equation.is_up_to_date and panel.equation.height_in_use > 1)
    for width, height in ((1920, 1080), (1280, 800)):
        resize(qtbot, window, width, height)
        assert panel.divider.sizes()[1] == panel._box.taken(panel.divider.sizes()[1])
    resize(qtbot, window, 960, 540)
    click(window, window.frame.train.drawer.button)
    QApplication.processEvents()
    pinned = panel.form.pinned
    assert pinned.visibleRegion().boundingRect().height() >= pinned.height() - 8


def test_a_very_wide_window_starts_with_signal_and_diagnostics_side_by_side(qtbot: QtBot, make_window: Make) -> None:
    window = make_window()
    docks = window.docks
    assert docks["Diagnostics"] in window.frame.train.inner.tabifiedDockWidgets(docks["Signal"])
    resize(qtbot, window, 1920, 1080)
    window.actions_by_name["restore_layout"].trigger()
    QApplication.processEvents()
    assert docks["Signal"].geometry().bottom() == docks["Diagnostics"].geometry().bottom()  # which has a tab above it
    assert not docks["Diagnostics"].visibleRegion().isEmpty()
    assert docks["Signal"].geometry().right() < docks["Diagnostics"].geometry().left()


def test_a_window_is_never_larger_than_its_screen(
    make_window: Make, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = make_window()
    large.resize(1900, 1000)
    large.close()
    there = QRect(0, 36, 960, 504)
    monkeypatch.setattr(screen_fit, "room", lambda _window: there)
    restored = make_window()
    assert there.contains(QRect(there.topLeft(), restored.size()))
    assert cut(restored) == []
    restored.close()
    settings.remove("geometry")
    fresh = make_window()
    assert fresh.isMaximized()
    assert there.contains(QRect(there.topLeft(), fresh.normalGeometry().size()))


def test_a_window_that_is_partly_elsewhere_is_moved_onto_the_screen() -> None:
    there = QRect(0, 36, 960, 504)
    assert screen_fit.fitted(QRect(800, 400, 400, 300), there) == QRect(560, 240, 400, 300)
    assert screen_fit.fitted(QRect(-50, 0, 2000, 300), there) == QRect(0, 36, 960, 300)


def test_text_has_a_size_that_keys_change_and_the_window_remembers(
    qtbot: QtBot, make_window: Make, settings: QSettings
) -> None:
    window = make_window()
    control = Qt.KeyboardModifier.ControlModifier
    named = {"menus": window.menuBar(), "bar": window.toolbar.start_button, "panel": window.experiment_panel}
    named |= {"plot": window.docks["Returns"].widget(), "shelf": window.frame.shelf.notice, "log": window.log}
    before = {name: widget.font().pointSizeF() for name, widget in named.items()}
    press(window, Qt.Key.Key_Plus, control)
    press(window, Qt.Key.Key_Equal, control)
    grown = {name: widget.font().pointSizeF() / before[name] for name, widget in named.items()}
    assert grown == pytest.approx(dict.fromkeys(named, 1.2), abs=0.02)
    assert {made.widget._theme.text_scale for made in window.panels._made if hasattr(made.widget, "_theme")} == {1.2}
    press(window, Qt.Key.Key_Minus, control)
    window.close()
    again = make_window()
    assert again.look.percent == 110
    assert again.toolbar.start_button.font().pointSizeF() == pytest.approx(1.1 * before["bar"], abs=0.1)
    press(again, Qt.Key.Key_0, control)
    assert again.look.percent == 100
    again.look.percent = 90
    for _ in range(3):
        press(again, Qt.Key.Key_Minus, control)
    assert again.look.percent == 80
    press(again, Qt.Key.Key_0, control)


def test_a_name_in_a_combo_that_is_too_narrow_ends_in_dots_that_are_seen(qtbot: QtBot) -> None:
    combo = Combo()
    combo.setStyleSheet(style_sheet(load_theme("dark")))
    combo.addItem("V fitted to other episodes")
    qtbot.addWidget(combo)
    combo.show()
    for width in (90, 140, 240):
        combo.resize(width, 30)
        option = QStyleOptionComboBox()
        combo.initStyleOption(option)
        field = combo.style().subControlRect(
            QStyle.ComplexControl.CC_ComboBox, option, QStyle.SubControl.SC_ComboBoxEditField, combo
        )
        assert combo.room == field.width() - 2  # more is not drawn
    assert combo.width_for("DQN") == 240 - field.width() + 2 + combo.fontMetrics().horizontalAdvance("DQN") + 2


def test_what_has_little_room_keeps_what_tells_it_apart(qtbot: QtBot) -> None:
    combo = Combo()
    for number in (1, 2):
        combo.addItem(f"↑ angular velocity {number} (rad/s)")
        combo.setItemData(number - 1, f"↑ angular velocity {number}", SHORTER)
    combo.addItem("↑ angle 1 (rad)")
    qtbot.addWidget(combo)
    combo.show()
    whole, short = (combo.width_for(text) for text in ("↑ angular velocity 1 (rad/s)", "↑ angular velocity 1"))
    for width, texts in ((whole, "↑ angular velocity {} (rad/s)"), (whole - 8, "↑ angular velocity {}")):
        combo.resize(width, 30)
        for number in (1, 2):
            combo.setCurrentIndex(number - 1)
            assert combo.shown == texts.format(number)
    combo.resize(short - 20, 30)
    shown = []
    for index in range(3):
        combo.setCurrentIndex(index)
        shown.append(combo.shown)
    assert all("…" in text and text.endswith(str(number)) for number, text in zip((1, 2), shown, strict=False))
    assert shown[2] == "↑ angle 1 (rad)"

    label = ElidedLabel("iteration 87 · advantage −0.004 to −0.002 · 716 of 2,048 steps")
    label.shorter = "iteration 87 · Â −0.004 to −0.002 · 716 of 2,048"
    qtbot.addWidget(label)
    long, short = (label.fontMetrics().horizontalAdvance(text) for text in (label.text(), label.shorter))
    for width, text in ((long, label.text()), (long - 1, label.shorter), (short, label.shorter)):
        label.resize(width, 20)
        assert label.shown == text
    label.resize(short - 1, 20)
    assert label.shown.endswith("…")


def test_turning_to_another_tab_moves_nothing_in_the_smallest_window(qtbot: QtBot, make_window: Make) -> None:
    window = make_window(environment="CartPole-v1", policy="linear")
    resize(qtbot, window, 1024, 640)
    heights = {}
    for title in ("Signal", "Diagnostics", "Update", "Samples", "Lab", "Teacher"):
        window.docks[title].raise_()
        for _ in range(3):
            QApplication.processEvents()
        heights[title] = window.docks["Returns"].height()
    assert len(set(heights.values())) == 1, heights
