"""A row for each setting of an experiment: what varies there, how its runs stand, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon

from app.experiments.sorted_table import Column, SortedTable
from app.models.experiment_results import Interval, SettingResult
from app.models.run_style import style_of
from app.plotting.run_sign import HEIGHT, WIDTH, sign_pixmap
from app.style.format import NOTHING, percent, setting, short_number
from app.style.theme import Theme, tabular
from engine.runs.comparison.proportions import share


class SettingsTable(SortedTable):
    def __init__(self, theme: Theme) -> None:
        super().__init__("What came of each setting")
        self._theme = theme
        self.setToolTip("Return or a double click opens the runs of a setting in Compare")
        self.apply_theme(theme)

    def show_results(self, results: Sequence[SettingResult], final: str, threshold: float | None) -> None:
        """Show these.

        Args:
            final: what the final return is, and its interval, in a sentence.
            threshold: the mean return at which the environment is solved, where all have one in common.
        """
        ratio = self.devicePixelRatioF()
        icons = [QIcon(sign_pixmap(style_of(one.point), self._theme, ratio)) for one in results]
        columns = [*_varied(results), _done(results), _interval("Final return", final, [one.final for one in results])]
        if threshold is not None:
            level = short_number(threshold, 4)
            help = f"Environment steps until the mean return of 100 episodes was at {level}: {_CENSORED}"
            columns.append(_interval(f"Steps to {level}", help, [one.steps for one in results]))
            columns.append(_solved(results))
        self.show_cells([one.point for one in results], columns, icons)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setFont(tabular(self.font()))
        self.setIconSize(QSize(theme.px(WIDTH), theme.px(HEIGHT)))
        self.fit()


_CENSORED = (
    "the median by Kaplan–Meier, with its 95 % interval after Brookmeyer and Crowley. A run that is not there yet "
    "counts for as long as it was watched, and one that failed for as long as any."
)


def _varied(results: Sequence[SettingResult]) -> list[Column]:
    titles = list(dict.fromkeys(title for one in results for title in one.values))
    if not titles:
        return [Column("Setting", "", [one.title for one in results], [one.point for one in results])]
    return [
        Column(
            title or "Setting",
            "",
            [setting(one.values[title]) if title in one.values else NOTHING for one in results],
            [_key(one.values.get(title)) for one in results],
        )
        for title in titles
    ]


def _key(value: object) -> object:
    """What a value is sorted by: numbers by size, all else as words."""
    return value if value is None or isinstance(value, (int, float)) else setting(value)


def _done(results: Sequence[SettingResult]) -> Column:
    tips = ["\n".join([one.done_words, *_reasons(one)]) for one in results]
    keys = [len(one.finished) for one in results]
    return Column("Runs", "How many are finished, of how many", [one.done_words for one in results], keys, tips=tips)


def _reasons(result: SettingResult) -> list[str]:
    return [f"Seed {run.seed} failed: {run.reason}" for run in result.counted if run.failed]


def _solved(results: Sequence[SettingResult]) -> Column:
    found = [share(one.solved, len(one.ended)) if one.ended else None for one in results]
    words = [NOTHING if one is None else f"{one.count} of {one.n}" for one in found]
    tips = [
        ""
        if one is None
        else f"{percent(one.value)} [{percent(one.low)}, {percent(one.high)}]: 95 % interval by "
        f"{one.method}, n = {one.n}"
        for one in found
    ]
    keys = [None if one is None else one.value for one in found]
    help = "How many have solved it of those that are finished or have failed"
    return Column("Solved", help, words, keys, is_number=True, tips=tips)


def _interval(title: str, help: str, found: Sequence[Interval | None]) -> Column:
    keys = [one.value if one is not None else None for one in found]
    return Column(title, help, [interval_words(one) for one in found], keys, is_number=True)


def interval_words(one: Interval | None) -> str:
    """ "473 [451, 489]"."""
    if one is None:
        return NOTHING
    if one.value == float("inf"):
        return "not reached"
    if one.low is None or one.high is None:
        return short_number(one.value, 4)
    high = short_number(one.high, 4) if one.high != float("inf") else "∞"
    return f"{short_number(one.value, 4)} [{short_number(one.low, 4)}, {high}]"
