"""The equation as a person sees it: every symbol explained, rows that fit, and the line on its bias."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate, product

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from pytestqt.qtbot import QtBot

from app.panels.experiment.equation.bias_line import EXACT, BiasLine
from app.panels.experiment.equation.equation_box import EquationBox
from app.panels.experiment.equation.equation_glossary import glossary
from app.panels.experiment.equation.equation_layout import GAP, SMALLEST, Piece
from app.panels.experiment.equation.equation_svg import glyphs_of
from app.panels.experiment.equation.equation_view import EquationView
from app.style.theme import load_theme
from engine.catalogue.environments import ENVIRONMENTS
from engine.catalogue.methods.compatibility import refusal
from engine.catalogue.methods.entries import ALGORITHMS, BASELINES, CREDITS, POLICIES, UPDATES
from engine.catalogue.methods.picking import choose
from engine.catalogue.methods.specs import PLANNING_SPECS
from engine.catalogue.methods.stops import STOPS
from engine.catalogue.spaces import EnvironmentInfo, Space
from engine.config import PolicyGradientConfig, RunConfig, ValueBasedConfig
from engine.config.parameters import with_values
from engine.equations import Line, Term, equation
from engine.equations.pseudo_code import lit_terms

CARTPOLE = ENVIRONMENTS["CartPole-v1"]
BOX = replace(CARTPOLE, action=Space("box", 2, bounds=((-1.0, 1.0),)))
PARTS = replace(CARTPOLE, action=Space("multi-discrete", 5, parts=(2, 3)))
SWITCHES = replace(CARTPOLE, action=Space("multi-binary", 4))
GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "varepsilon": "ε", "zeta": "ζ",
    "theta": "θ", "lambda": "λ", "mu": "μ", "xi": "ξ", "pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ",
}  # fmt: skip


def of(algorithm: str = "", **values: object) -> RunConfig:
    config = choose(PolicyGradientConfig(), ALGORITHMS[algorithm]) if algorithm else PolicyGradientConfig()
    return with_values(config, {path.replace("__", "."): value for path, value in values.items()})


def many() -> Iterator[tuple[RunConfig, EnvironmentInfo]]:
    for entries in product(CREDITS.values(), BASELINES.values(), UPDATES.values()):
        config: RunConfig = PolicyGradientConfig()
        for entry in entries:
            config = choose(config, entry)
        if not isinstance(config, PolicyGradientConfig):
            continue
        if config.estimator.baseline.kind == "optimal":
            config = with_values(config, {"estimator.baseline.per_parameter": False})
        if refusal(config, CARTPOLE) is None:
            yield config, CARTPOLE
    for environment, policy in product((CARTPOLE, BOX, PARTS, SWITCHES), POLICIES.values()):
        yield with_values(choose(PolicyGradientConfig(), policy), {"exploration.temperature": 2.0}), environment
    for distribution, spread in product(("gaussian", "tanh-gaussian", "beta"), ("one", "per-state")):
        yield of(policy__distribution=distribution, policy__spread=spread), BOX
    yield of("reinforce-optimal-baseline"), CARTPOLE
    yield of("a2c", estimator__credit="reward-to-go", estimator__discount_states=True), CARTPOLE
    yield of("ppo", estimator__baseline="shared-value", update__clip_range_schedule="linear"), CARTPOLE
    yield of("ppo", update__learning_rate_schedule="linear", update__optimizer="rmsprop"), CARTPOLE
    yield of("ppo-penalty", update__form="single-sample", update__entropy_coefficient=0.1), CARTPOLE
    yield of(estimator__baseline__fitted_on="independent", estimator__baseline__clip_range=0.1), CARTPOLE
    yield of("off-policy-pg", exploration__greedy_start=0.5, update__truncation=9.0), CARTPOLE
    yield of("v-trace"), CARTPOLE
    yield of("v-trace", estimator__credit="gae", exploration__greedy_start=0.5), CARTPOLE
    yield of("off-policy-pg", update__weighting="per-trajectory", update__self_normalized=True), CARTPOLE
    yield of(update__optimizer="momentum", update__max_grad_norm=1.0, policy__features="rbf", policy="linear"), CARTPOLE
    for algorithm, n in product(ALGORITHMS, (1, 3)):
        if isinstance(of(algorithm), ValueBasedConfig):
            yield of(algorithm, estimator__n=n), ENVIRONMENTS["FrozenLake-v1"]
    yield of("sarsa", update__step_size="1/n"), ENVIRONMENTS["FrozenLake-v1"]
    replay = {"update__replay__sampling": "prioritized", "update__target__rate": 1.0, "update__target__every": 500}
    yield of("dqn", policy="mlp", update__dueling=True, **replay), CARTPOLE
    for algorithm, n, environment in product(("sac", "td3", "ddpg"), (1, 3), (BOX, ENVIRONMENTS["Pendulum-v1"])):
        yield of(algorithm, policy="mlp", estimator__n=n), environment
    for algorithm in ("sac", "q-actor-critic"):
        yield of(algorithm, policy="mlp", estimator__n=3), CARTPOLE
    yield of("sac", policy="linear", update__automatic_temperature=False), BOX
    for traces, decay in (("retrace", 1.0), ("tree-backup", 0.5), ("importance", 0.9)):
        traced = {"update__traces": traces, "update__trace_lambda": decay, "estimator__n": 4}
        yield of("q-actor-critic", policy="mlp", **traced), CARTPOLE
    yield of("td3", exploration__persistence=0.5), ENVIRONMENTS["Pendulum-v1"]
    yield of("sac", exploration__persistence=0.5), ENVIRONMENTS["Pendulum-v1"]
    yield of("td3", update__smoothing_noise=0.0, update__target__rate=1.0), BOX
    for update in PLANNING_SPECS.values():
        for entry in update.algorithms:
            yield of(entry.id, policy="tabular"), ENVIRONMENTS["FrozenLake-v1"]
    yield of("value-iteration", update__horizon="time-limit"), ENVIRONMENTS["FrozenLake-v1"]
    yield of("exact-natural-gradient", policy="tabular", update__damping=0.1), ENVIRONMENTS["FrozenLake-v1"]


def symbols(lines: tuple[Line, ...]) -> set[str]:
    """The letters and names that the equation is made of."""
    latex = " ".join(term.latex for line in lines for term in line)
    names = set(re.findall(r"\\mathrm\{([A-Za-z]{2,})\}", latex)) - {"arg", "with", "every", "steps"}
    latex = re.sub(r"\\(mathrm|mathcal|mathbf|mathbb)\{[^}]*\}", " ", latex)
    greek = {GREEK[name] for name in re.findall(r"\\([a-z]+)", latex) if name in GREEK}
    return names | greek | set(re.findall(r"[A-Za-z]", re.sub(r"\\[A-Za-z]+", " ", latex)))


def unexplained(lines: tuple[Line, ...]) -> set[str]:
    """What is neither in the glossary's column of symbols nor a name in the words beside it."""
    table = unicodedata.normalize("NFD", glossary(lines))
    column = re.sub(r"<[^>]*>", "", " ".join(re.findall(r"<i>(.*?)</i>", table)))
    words = re.sub(r"<[^>]*>", " ", table)
    found = symbols(lines) - {"old", "min", "max"}
    return {symbol for symbol in found if symbol not in column and not re.search(rf"\b{symbol}\b", words)}


def test_every_symbol_is_explained() -> None:
    missing = {symbol for config, environment in many() for symbol in unexplained(equation(config, environment))}
    assert missing == set()


def test_nothing_has_two_meanings() -> None:
    """What another family means by the same letter is not said of this one's. λ stands in GAE and is a price, too."""
    for config, environment in many():
        column = re.findall(r"<i>([^λ]*?)</i>", glossary(equation(config, environment)))
        assert len(column) == len(set(column)), (config.update.kind, environment.id, column)


def test_an_actor_critic_is_explained_in_its_own_words() -> None:
    pendulum = ENVIRONMENTS["Pendulum-v1"]
    of_td3 = glossary(equation(of("td3", policy="mlp"), pendulum))
    for word in ("random actions", "Gaussian", "temperature", "every action"):
        assert word not in of_td3
    of_sac = glossary(equation(of("sac", policy="mlp"), pendulum))
    for word in ("learning rate", "less decided", "every action", "weighted entropy"):
        assert word not in of_sac


def test_nothing_is_explained_that_is_not_there() -> None:
    text = glossary(equation(of("reinforce"), CARTPOLE))
    for symbol in ("V<sub>", "δ", "λ", "τ", "ρ", "KL", "Beta"):
        assert symbol not in text


@pytest.fixture
def view(qtbot: QtBot) -> EquationView:
    view = EquationView(load_theme("dark"))
    qtbot.addWidget(view)
    view.resize(288, 600)
    view.show()
    return view


@pytest.mark.parametrize(
    ("config", "environment"),
    [
        (of("ppo", estimator__baseline="shared-value", update__entropy_coefficient=0.1), CARTPOLE),
        (of("trpo", policy__distribution="tanh-gaussian", policy__spread="per-state"), BOX),
        (of("ppo-lagrangian", exploration__temperature=2.0), PARTS),
        (of("off-policy-pg", policy="gru", update__truncation=9.0), CARTPOLE),
    ],
    ids=["ppo", "trpo", "lagrangian", "off-policy"],
)
def test_with_room_enough_long_equations_are_broken_rather_than_shrunk(
    view: EquationView, qtbot: QtBot, config: RunConfig, environment: EnvironmentInfo
) -> None:
    view.set_room(QSize(288, 2000), 8)
    view.show_equation(equation(config, environment))
    qtbot.waitUntil(lambda: view.is_up_to_date, timeout=20_000)
    assert max(row.width for row in view._rows) <= 288
    assert view._scale == 1.0
    whole = view.height_in_use
    view.set_room(QSize(288, whole - 40), 8)
    assert view.height_in_use <= whole - 40
    assert view._scale >= SMALLEST
    terms = [glyph for row in view._rows for _, piece in row.pieces for glyph in piece.glyphs]
    assert len(terms) == sum(len(glyphs_of(line)) for line in view.lines)


def test_no_row_begins_with_what_closes_a_bracket(view: EquationView, qtbot: QtBot) -> None:
    view.set_room(QSize(120, 600), 8)
    view.show_equation(((Term(r"[a = b + c + d"), Term(r"\; + \; e + f + g + h"), Term(r"\, ]")),))
    qtbot.waitUntil(lambda: view.is_up_to_date)
    assert len(view._rows) == 2


def _bottoms(heights: list[float], scale: float) -> list[float]:
    """Where the rows end, with what belongs to them."""
    return list(accumulate(height + GAP * scale for height in heights))


def test_an_equation_taller_than_its_room_scrolls(qtbot: QtBot) -> None:
    box = EquationBox(load_theme("dark"))
    qtbot.addWidget(box)
    box.resize(300, 400)
    box.show()
    box.equation.show_equation(equation(of("ppo"), CARTPOLE))
    qtbot.waitUntil(lambda: box.equation.is_up_to_date and box.scroll_area.height() > 300)
    assert box.scroll_area.verticalScrollBar().maximum() == 0
    box.resize(300, 180)
    qtbot.waitUntil(lambda: box.scroll_area.verticalScrollBar().maximum() > 0)
    assert 80 < box.scroll_area.height() <= 180
    rows = [row.height * box.equation._scale for row in box.equation._rows]
    around = 4  # where the focus is shown
    assert any(abs(box.scroll_area.height() - around - bottom) <= 1 for bottom in _bottoms(rows, box.equation._scale))
    assert box.scroll_area.focusPolicy() & Qt.FocusPolicy.TabFocus
    box.scroll_area.setFocus()
    qtbot.keyClick(box.scroll_area, Qt.Key.Key_Down)
    assert box.scroll_area.verticalScrollBar().value() > 0


def test_however_little_room_there_is_what_is_said_beneath_an_equation_is_whole(qtbot: QtBot) -> None:
    box = EquationBox(load_theme("dark"))
    qtbot.addWidget(box)
    box.bias.show_biases(["one reason"])
    box.resize(300, 400)
    box.show()
    box.equation.show_equation(equation(of("ppo"), CARTPOLE))
    qtbot.waitUntil(lambda: box.equation.is_up_to_date)
    one_row = box.taken(1)
    for height in (one_row, 60):
        box.resize(300, height)
        whole = box.bias.line_height - 1  # the rest is rounded away
        qtbot.waitUntil(
            lambda height=height, whole=whole: box.bias.geometry().bottom() < height and box.bias.height() >= whole
        )
    box.resize(300, one_row)
    row = box.equation._rows[0].height * box.equation._scale
    qtbot.waitUntil(lambda: box.scroll_area.height() >= row)


def test_a_button_tells_of_more_of_the_equation_and_leads_there(qtbot: QtBot) -> None:
    box = EquationBox(load_theme("dark"))
    qtbot.addWidget(box)
    box.resize(300, 400)
    box.show()
    box.equation.show_equation(equation(of("ppo"), CARTPOLE))
    qtbot.waitUntil(lambda: box.equation.is_up_to_date and box.scroll_area.height() > 300)
    assert not box.more.isVisible()
    box.resize(300, 180)
    qtbot.waitUntil(box.more.isVisible)
    for _ in range(3):
        qtbot.mouseClick(box.more, Qt.MouseButton.LeftButton)
    assert box.scroll_area.verticalScrollBar().value() == box.scroll_area.verticalScrollBar().maximum()
    assert not box.more.isVisible()


def test_what_tells_of_more_of_an_equation_covers_no_terms_that_are_lit(qtbot: QtBot) -> None:
    box = EquationBox(load_theme("dark"))
    qtbot.addWidget(box)
    box.resize(300, 400)
    box.show()
    lines = equation(of("ppo"), CARTPOLE)
    box.equation.show_equation(lines)
    qtbot.waitUntil(lambda: box.equation.is_up_to_date and box.scroll_area.height() > 300)
    box.resize(300, 150)
    qtbot.waitUntil(box.more.isVisible)
    covered = 0
    for stop in STOPS:
        for start in (0, box.scroll_area.verticalScrollBar().maximum()):
            box.scroll_area.verticalScrollBar().setValue(start)
            box.light(lit_terms(lines, stop))
            place = box.equation.lit_at
            if place is None:
                continue
            covered += 1
            shown = place.toAlignedRect().translated(box.equation.mapTo(box, QPoint(0, 0)))
            assert box.scroll_area.geometry().top() <= shown.top() + 4  # which the first row is close to
            assert not (box.more.isVisible() and box.more.geometry().intersects(shown)), stop
    assert covered > 4


def test_what_stands_for_a_choice_is_marked_once_and_where_it_stands() -> None:
    line = (Term("a + b", "credit"), Term("- c"), Term(r"\cdot d + e", "update"), Term("+ f"), Term(")", "update"))
    piece = Piece(line, glyphs_of(line))
    (credit, start, end), (update, _, last) = piece.marks()
    assert (credit, update, start) == ("credit", "update", 0.0)
    assert end < last < piece.width


# --- the line on its bias ---------------------------------------------------------------------------------------------

REASONS = ("The first reason is a rather long sentence that no narrow column holds.", "The second.")


@pytest.fixture
def line(qtbot: QtBot) -> BiasLine:
    line = BiasLine()
    qtbot.addWidget(line)
    line.resize(280, 100)
    line.show()
    return line


def test_without_reasons_the_estimate_is_unbiased(line: BiasLine) -> None:
    line.show_biases(())
    assert line.text == "Unbiased estimate of ∇J"
    assert not line.button.isVisible()


def test_the_exact_gradient_is_no_estimate(line: BiasLine) -> None:
    line.show_biases((), "")
    assert line.text == EXACT


def test_a_bias_is_told_in_one_line_and_in_full_on_hover(line: BiasLine) -> None:
    line.show_biases(REASONS)
    assert line.text == line.button.text() == "Biased estimate of ∇J: 2 reasons"
    assert all(reason in line.button.toolTip() for reason in REASONS)
    assert not line.all_reasons.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_the_keyboard_opens_all_reasons(line: BiasLine, qtbot: QtBot, key: Qt.Key) -> None:
    line.show_biases(REASONS)
    line.button.setFocus()
    qtbot.keyClick(line.button, key)
    assert all(reason in line.all_reasons.text() for reason in REASONS)
    assert line.all_reasons.isVisible()


@pytest.mark.parametrize("id", ["GridWorld-v0", "Ledge-v0"])
@pytest.mark.parametrize(
    "algorithm", ["policy-iteration", "truncated-policy-iteration", "conservative-policy-iteration"]
)
def test_the_letters_of_policy_iteration_are_its_own(algorithm: str, id: str) -> None:
    config = with_values(choose(PolicyGradientConfig(), ALGORITHMS[algorithm]), {"environment": id})
    told = glossary(equation(config, ENVIRONMENTS[id]))
    assert "what the k-th policy is worth" in told
    assert "teacher" not in told
    assert ("greedy(Q)" in told) == (algorithm == "conservative-policy-iteration")
    assert ("look like o" in told) == (id == "Ledge-v0")
