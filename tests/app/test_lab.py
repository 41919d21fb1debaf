"""The Lab in the window: experiments with the policy that is shown, by mouse and keyboard."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from app.models.run_state import RunState
from app.panels.lab.baseline.page import BaselinePage
from app.panels.lab.baseline.plots import NoisePlot
from app.panels.lab.choices import Column
from app.panels.lab.estimators.measures import MEASURES
from app.panels.lab.estimators.page import EstimatorsPage
from app.panels.lab.estimators.plot import RowsPlot
from app.panels.lab.estimators.rows import dots
from app.panels.lab.gradients.page import GradientsPage
from app.panels.lab.likelihood.page import LikelihoodPage
from app.panels.lab.panel import LabPanel
from app.panels.lab.progress import Busy
from app.panels.lab.two_plots import TwoPlots
from app.panels.lab.weights.page import WeightsPage
from app.panels.lab.work import LabWork
from app.plotting.marks import Frame
from app.plotting.plot import Plot
from app.plotting.view import BESIDE_NAMES
from app.style.combo import Combo
from app.style.text import Stage
from app.style.theme import load_theme
from app.window.main_window import MainWindow
from engine.analysis.lab.comparison import ByHand, Comparison, Sums, Truth
from engine.analysis.lab.settings import PAIRS, TOTAL_RETURN, Pair, Settings
from engine.runs import snapshot_keeper
from tests.app.test_run_timeline import look, place, strip

Make = Callable[..., MainWindow]
LEFT = Qt.MouseButton.LeftButton
PATIENCE = 30_000  # ms


def turn(panel: LabPanel, title: str) -> None:
    """Click on a page's button."""
    button = next(button for button in panel.findChildren(QToolButton) if button.text() == title)
    QTest.mouseClick(button, LEFT)


def take(plot: Plot, x: float) -> None:
    """Press where ``x`` is, and let go a little further on."""
    area, (low, high) = plot.area, plot.seen[0]

    def at(value: float) -> QPoint:
        return QPoint(
            round(area.left() + (value - low) / (high - low) * area.width()),
            round(area.center().y() - 0.3 * area.height()),
        )

    viewport = plot.viewport()
    QTest.mousePress(viewport, LEFT, pos=at(low + 0.5 * (high - low)))
    QTest.mouseMove(viewport, at(x))
    QTest.mouseRelease(viewport, LEFT, pos=at(x))


def test_a_lecturer_opens_the_lab_drags_b_and_moves_lambda(
    qtbot: QtBot, make_window: Make, reach: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot_keeper, "SHARE", 1e9)  # so that every iteration is kept, however little time it takes
    window = make_window(environment="GridWorld-v0", policy="tabular", budget__environment_steps=1500)
    panel = window.panels.find(LabPanel)
    window.docks["Lab"].raise_()
    turn(panel, "Estimators")
    page = panel.turn_to("Estimators")
    assert isinstance(page, EstimatorsPage)
    page.asking.batches.setCurrentIndex(page.asking.batches.findData(10))
    window.start()
    reach(window, RunState.FINISHED)
    last = window.controller.history.iterations

    def settled(iteration: int) -> bool:
        found = page.comparison
        return found is not None and found.iteration == iteration and not page.work.busy

    qtbot.waitUntil(lambda: settled(last), timeout=PATIENCE)
    assert page._stage.filled
    assert page.asking.policy.currentText() == f"shown: iteration {last}"
    assert len(page.comparison.estimates) == 16
    assert "reward-to-go − V(s)" in page.plot.shown
    assert page.plot.legend.entries[0].text.startswith("∇J ")
    # λ by the keyboard: the same samples, another spread of GAE alone.
    by_pair = {each.pair: each.along for each in page.comparison.estimates}
    page.asking.gae_lambda.slider.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(page.asking.gae_lambda.slider, Qt.Key.Key_Home)
    assert page.asking.settings.gae_lambda == 0.0
    qtbot.waitUntil(lambda: page.comparison.settings.gae_lambda == 0.0 and not page.work.busy, timeout=PATIENCE)
    for each in page.comparison.estimates:
        assert np.array_equal(each.along, by_pair[each.pair]) is (each.pair.credit != "gae"), each.pair
    # What does not fit is there with the reason, and a run's own critic can be looked at.
    assert "learned value" in page.menu._actions[Pair("gae", "none")].toolTip()
    page.asking.value.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(page.asking.value, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: page.comparison.settings.value == "wrong" and not page.work.busy, timeout=PATIENCE)
    # What is paid besides makes longer episodes better: the gradient itself points elsewhere, and by how much is said.
    page.asking.added.slider.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(page.asking.added.slider, Qt.Key.Key_End)
    qtbot.waitUntil(lambda: page.comparison.settings.added > 0.0 and not page.work.busy, timeout=PATIENCE)
    degrees = math.degrees(math.acos(page.comparison.turned))
    assert degrees > 1.0
    assert f"+{page.comparison.settings.added:g} turns ∇J by {degrees:.0f}°" in [
        entry.text for entry in page.plot.legend.entries
    ]
    # Looking back is at the policy that there was.
    look(window, qtbot)
    first = window.panels.past.kept[0]
    QTest.mouseClick(strip(window), LEFT, pos=place(window, first))
    qtbot.waitUntil(lambda: settled(first.iteration), timeout=PATIENCE)
    assert "Estimator".lower() in page.plot.numbers().text()
    # What nobody looks at is not computed.
    turn(panel, "Baseline")
    hand = panel.turn_to("Baseline")
    assert isinstance(hand, BaselinePage)
    qtbot.waitUntil(lambda: not page.following.active and "lab estimators" not in window.playback._wanting)
    qtbot.waitUntil(lambda: hand.hand is not None and not hand.work.busy, timeout=PATIENCE)
    # b by the mouse: it is drawn to what has a name, the mean stays and the spread moves.
    assert hand.baseline == 0.0
    before = hand.hand.at(0.0)
    take(hand.noise, hand.hand.best)
    assert hand.baseline in [named.at for named in hand.noise.named]
    assert hand.baseline != 0.0
    moved = hand.hand.at(hand.baseline)
    assert abs(moved.mean() - before.mean()) < 4.0 * before.std() / math.sqrt(len(before))
    assert hand.noise.legend.entries[0].text == "in all parameters"
    assert f"spread {moved.std():.2f}"[:10] in hand.spread.legend.entries[1].text
    hand.slider.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(hand.slider, Qt.Key.Key_End)
    assert hand.baseline == pytest.approx(hand.noise.seen[0][1])
    _look_at_the_others(qtbot, panel, window)


def _look_at_the_others(qtbot: QtBot, panel: LabPanel, window: MainWindow) -> None:
    turn(panel, "Weights")
    weights = panel.turn_to("Weights")
    assert isinstance(weights, WeightsPage)
    qtbot.waitUntil(lambda: weights.found is not None and not weights.work.busy, timeout=PATIENCE)
    assert weights.slider.value() == weights.found.horizons
    assert weights.slider.isEnabled()
    assert weights.found.exact is not None
    take(weights.course, 5.0)
    assert weights.slider.value() in (4, 5, 6)
    assert "ESS" in weights.weights.legend.entries[-1].text
    weights.shows.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(weights.shows, Qt.Key.Key_End)
    assert [entry.text for entry in weights.course.legend.entries] == ["per decision", "per trajectory", "exact"]
    turn(panel, "Gradients")
    gradients = panel.turn_to("Gradients")
    assert isinstance(gradients, GradientsPage)
    QTest.keyClick(gradients.of, Qt.Key.Key_End)
    qtbot.waitUntil(
        lambda: gradients.found is not None and gradients.found.told == "log π(a|s)" and not gradients.work.busy,
        timeout=PATIENCE,
    )
    assert gradients.formula.isVisibleTo(panel)
    take(gradients.errors, -14.0)
    agree = [row.filled for row in gradients.digits._bars.rows]
    take(gradients.errors, -5.0)
    assert gradients.digits._bars.rows[0].filled > agree[0] + 3.0
    turn(panel, "Likelihood")
    likelihood = panel.turn_to("Likelihood")
    assert isinstance(likelihood, LikelihoodPage)
    qtbot.waitUntil(lambda: likelihood.found is not None and not likelihood.work.busy, timeout=PATIENCE)
    assert likelihood.told.text().startswith("J = ")
    assert likelihood.components.shown
    for plot in panel.findChildren(Plot):  # beside the axis of a low plot there is room for a unit
        assert not plot.left.labelText or plot.letters.horizontalAdvance(plot.bottom.shorter[-1]) <= plot.left.width()
    window.actions_by_name["reset"].trigger()
    assert likelihood.found is None
    assert not likelihood._stage.filled
    hand = panel.turn_to("Baseline")
    assert isinstance(hand, BaselinePage)
    for page in (hand, weights, gradients, likelihood):  # how far it is stands where nobody has to scroll
        assert page.findChild(Busy).mapTo(page, QPoint()).y() < 100
    for page in (hand, weights, gradients):  # what there is nothing to be moved over is not offered
        assert not page.slider.isEnabled()


def test_the_untrained_policy_can_be_looked_at_before_any_run_and_computing_stopped(
    qtbot: QtBot, make_window: Make
) -> None:
    window = make_window(environment="CartPole-v1", policy="linear")
    panel = window.panels.find(LabPanel)
    window.docks["Lab"].raise_()
    page = panel.turn_to("Estimators")
    assert isinstance(page, EstimatorsPage)
    page.asking.episodes.set_value(2)
    page.asking.horizon.set_value(5)
    qtbot.waitUntil(lambda: page.comparison is not None, timeout=PATIENCE)
    assert page.asking.policy.currentText() == "shown: untrained"
    assert "±" in page.plot.legend.entries[0].text  # ∇J is an estimate here
    busy = next(button for button in page.findChildren(QToolButton) if button.accessibleName() == "Stop computing")
    qtbot.waitUntil(busy.isVisible, timeout=PATIENCE)
    QTest.mouseClick(busy, LEFT)
    assert not page.work.busy
    qtbot.waitUntil(lambda: not busy.isVisible())
    found = page.comparison
    assert len(found.estimates[0].along) < 1000
    qtbot.wait(400)
    assert page.comparison is found
    assert not page.work.busy


def test_what_is_computed_is_said_until_there_is_something_to_be_seen(make_window: Make) -> None:
    panel = make_window(environment="CartPole-v1", policy="linear").panels.find(LabPanel)
    for title in ("Baseline", "Estimators", "Weights", "Gradients", "Likelihood", "Around θ"):
        page = panel.turn_to(title)
        work, stage = page.findChild(LabWork), page.findChild(Stage)
        assert isinstance(work, LabWork)
        assert isinstance(stage, Stage)
        will_appear = stage._hint.text()
        assert "appear" in will_appear
        work.progressed.emit(0.25)
        assert stage._hint.text().endswith(": 25\u00a0%.")  # which no line ends within
        assert any(doing in stage._hint.text() for doing in ("played", "plays", "computed")), title
        work.progressed.emit(None)
        assert stage._hint.text() == will_appear
        work.failed.emit("It could not be had.")
        assert stage._hint.text() == "It could not be had."


def test_estimates_that_lie_over_each_other_are_filled_and_no_name_is_cut(qtbot: QtBot) -> None:
    theme = load_theme("dark")
    frame = Frame(QRectF(0.0, 0.0, 200.0, 40.0), (0.0, 2.0), (0.0, 1.0), 1.0)
    path = dots(frame, np.array([1.0, 1.001]), 20.0, 20.0, theme)
    assert path.contains(QPointF(100.0, 20.0))
    plot = RowsPlot(theme)
    qtbot.addWidget(plot)
    plot.resize(600, 400)
    plot.show()
    plot.apply_theme(theme)
    for pair in PAIRS:
        assert plot.letters.horizontalAdvance(pair.title) <= plot.left.width() - BESIDE_NAMES, pair.title
    plot.toggle_enlarged()
    large = plot.enlarged
    assert large is not None
    for pair in PAIRS:
        assert large.letters.horizontalAdvance(pair.title) <= large.left.width() - BESIDE_NAMES, pair.title


def test_the_first_estimates_are_seen_however_little_is_known_of_their_mean(qtbot: QtBot) -> None:
    theme = load_theme("dark")
    plot = RowsPlot(theme)
    qtbot.addWidget(plot)
    plot.apply_theme(theme)
    sums = Sums(PAIRS[0], Truth(np.array([1.0, 0.0]), 1.0))
    sums.add(np.array([[0.5, 0.0], [2.5, 0.0]]))
    few = sums.estimates()
    assert few.interval[1] > 10.0  # by Student's t over two
    for measure in MEASURES:
        plot.show_comparison(Comparison(Settings(), sums._truth, (few,), (), None, 1, 10, 0.1), measure, lambda _: ())
        low, high = plot.ranges[0]
        if measure.title == "Bias along ∇J":
            assert low < few.interval[0] < few.interval[1] < high
        else:
            assert -1.0 < low < high < 5.0, measure.title


def test_choices_in_a_column_of_the_lab_are_told_apart(make_window: Make) -> None:
    window = make_window(environment="GridWorld-v0", policy="tabular")
    window.show()
    window.docks["Lab"].raise_()
    panel = window.panels.find(LabPanel)
    for title in ("Estimators", "Baseline", "Weights", "Likelihood"):
        page = panel.turn_to(title)
        QApplication.processEvents()
        combos = [each for column in page.findChildren(Column) for each in column.findChildren(Combo)]
        assert combos
        for combo in combos:
            shown = []
            for row in range(combo.count()):
                combo.setCurrentIndex(row)
                shown.append(combo.shown)
            assert len(set(shown)) == combo.count(), shown
            if title == "Estimators":
                assert shown == [combo.itemText(row) for row in range(combo.count())]


def test_what_counts_for_the_return_alone_is_not_offered_for_the_probability_of_an_action(make_window: Make) -> None:
    page = make_window(environment="CartPole-v1", policy="linear").panels.find(LabPanel).turn_to("Gradients")
    assert isinstance(page, GradientsPage)
    assert page.value.text() == "h = 1.0×10⁻⁶"  # whether there is anything yet that it changes or not
    offered = []
    for key in (Qt.Key.Key_End, Qt.Key.Key_Home):
        QTest.keyClick(page.of, key)
        offered.append((page.of.currentData(), page.gamma.isEnabled(), page.horizon.isEnabled()))
    assert offered == [("log-probability", False, False), ("return", True, True)]


def test_names_of_baselines_cover_neither_the_noise_nor_each_other(qtbot: QtBot) -> None:
    """The least noise is what is to be seen: of a steep curve it is at the foot, of a flat one near the top."""
    theme = load_theme("dark")
    plot = NoisePlot(theme)
    qtbot.addWidget(plot)
    plot.show()
    plot.apply_theme(theme)
    random = np.random.default_rng(0)
    scores = random.normal(0.0, 1.0, 500)
    for best, noise in ((8.5, 0.1), (0.5, 20.0)):
        along = best * scores + noise * random.normal(0.0, 1.0, 500)
        own = ByHand(TOTAL_RETURN, along, scores, (float(along.var()), best, 1.0), average=1.01 * best)
        plot.show_hand(own, (-10.0, 20.0))
        for size in ((230, 170), (420, 320)):
            plot.resize(*size)
            frame = Frame(plot.area, *plot.ranges)
            places = [place for _, place in plot._handle.places(frame, QFontMetrics(plot.font()))]
            assert len(places) == 3
            assert not any(one.intersects(other) for one, other in combinations(places, 2))
            for line in (plot._all, plot._along):
                x, y = frame.to_x(line.x), frame.to_y(line.y)
                assert not any(place.contains(QPointF(*at)) for place in places for at in zip(x, y, strict=True))


def test_two_plots_share_whatever_room_there_is(qtbot: QtBot) -> None:
    """Side by side or one above the other where both are of use; else the one that is chosen has all of it."""
    theme = load_theme("dark")
    first, second = (Plot(theme, f"how far it has come by now ({unit})", "y") for unit in ("m", "s"))
    first.title, second.title = "First", "Second"
    plots = TwoPlots(theme, first, second)
    qtbot.addWidget(plots)
    plots.show()
    for width, height, seen in ((600, 200, "both"), (250, 400, "both"), (250, 200, "one"), (120, 150, "one")):
        plots.resize(width, height)
        wanted = seen == "both", seen == "one"

        def shared(wanted: tuple[bool, bool] = wanted) -> bool:
            room = min(first.width(), first.height()) > 100
            return room and first.isVisible() and (second.isVisible(), plots.choice.isVisible()) == wanted

        qtbot.waitUntil(shared)
        title = first.bottom.label.mapRectToItem(first.arrangement, first.bottom.label.boundingRect())
        assert title.left() >= -6.0  # nor is the title of an axis cut
    plots.choice.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(plots.choice, Qt.Key.Key_End)
    qtbot.waitUntil(second.isVisible)
    assert not first.isVisible()
