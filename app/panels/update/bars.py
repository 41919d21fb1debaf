"""What a histogram of an update tells under the mouse, and the steps to which a click on a bar leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.models.inspection import Bar
from app.plotting.histogram import Histogram
from app.plotting.readout import Pointer, Reading
from app.style.format import tick_labels
from app.style.theme import Theme

if TYPE_CHECKING:  # with torch
    from engine.analysis.samples import Quantity

CLICK = "click: the steps in it"


class Bins(NamedTuple):
    """A histogram as it is drawn: of a ``quantity`` as a bar names it, called so in ``words``, after so many steps of
    the update were ``taken``, None once it is over."""

    shown: Histogram
    quantity: Quantity
    words: str
    taken: int | None


def read_bar(bins: Bins | None, pointer: Pointer, theme: Theme) -> Reading | None:
    """The bar under the mouse."""
    found = bins.shown.bar_at(pointer.data_x) if bins is not None else None
    if bins is None or found is None:
        return None
    index, ends = found
    low, high = tick_labels(ends, bins.shown.width)
    height = 100 * float(bins.shown.shares[index])
    told = f"{bins.words}: {low} to {high}", f"{height:.1f} % of the steps", *((CLICK,) if height > 0 else ())
    return Reading(sum(ends) / 2, height, told, theme.text)


def bar_under(bins: Bins | None, pointer: Pointer) -> Bar | None:
    """What the bar there stands for; None where there is none, or nothing in it."""
    found = bins.shown.bar_at(pointer.data_x) if bins is not None else None
    if bins is None or found is None or bins.shown.shares[found[0]] == 0:
        return None
    low, high = tick_labels(found[1], bins.shown.width)
    after = "" if bins.taken is None else f" after step {bins.taken:,} of the update"
    return Bar(bins.quantity, *found[1], f"{bins.words} {low} to {high}{after}", bins.taken)
