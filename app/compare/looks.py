"""By which look each setting is known while its seeds are compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from app.models.run_style import HUES, RunStyle, style_of

_ALL = 140  # looks that there are


class Looks:
    """A setting keeps its look for as long as it is compared, whatever else is ticked meanwhile."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, wanted: Mapping[str, int], alone: Iterable[RunStyle] = ()) -> dict[str, RunStyle]:
        """The looks of settings, each that of the number that it has ``wanted`` or else of the next one whose colour
        none has; where all colours are taken, of one that differs otherwise. Runs that stand ``alone`` have theirs."""
        self._known = {setting: number for setting, number in self._known.items() if setting in wanted}
        taken = [*alone, *map(style_of, self._known.values())]
        for setting, number in wanted.items():
            if setting not in self._known:
                while _is_taken(style_of(number), taken):
                    number += 1
                self._known[setting] = number
                taken.append(style_of(number))
        return {setting: style_of(self._known[setting]) for setting in wanted}


def _is_taken(style: RunStyle, taken: list[RunStyle]) -> bool:
    hues = {other.hue for other in taken}
    return style.hue in hues if len(hues) < HUES else style in taken and len(taken) < _ALL
