"""How runs are told apart: by more than their hue, and alike wherever they are drawn."""

from __future__ import annotations

from itertools import combinations, pairwise

from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from app.models.run_style import HUES, style_of
from app.plotting.run_sign import draw_run_sign
from app.style.theme import load_theme


def test_runs_of_one_hue_have_another_dash_and_those_beside_each_other_differ_in_all() -> None:
    looks = [style_of(number) for number in range(1, 141)]
    assert len(set(looks)) == 140
    assert all(len({(look.hue, look.dash) for look in looks[at : at + 28]}) == 28 for at in range(113))
    for one, other in pairwise(looks):
        assert one.hue != other.hue
        assert one.dash != other.dash
        assert one.marker != other.marker


def test_every_theme_has_a_colour_for_each_hue() -> None:
    for name in ("dark", "light"):
        assert len(set(load_theme(name).runs)) == HUES


def test_signs_in_one_colour_are_drawn_apart(qapp: object) -> None:
    """The first twenty have every pair of dash and marker."""
    drawn = [_drawn(number) for number in range(20)]
    assert all(one != other for one, other in combinations(drawn, 2))


def _drawn(number: int) -> QImage:
    image = QImage(26, 12, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    draw_run_sign(painter, style_of(number), "#ffffff", QRectF(image.rect()))
    painter.end()
    return image
