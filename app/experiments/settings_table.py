"""A row for each setting of an experiment: what varies there, how its runs stand, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon

from app.experiments.sorted_table import Column, SortedTable
from app.models.experiment_results import SettingResult
from app.models.run_style import style_of
from app.plotting.run_sign import HEIGHT, WIDTH, sign_pixmap
from app.style.format import NOTHING, minus, setting, short_number
from app.style.theme import Theme, tabular
from engine.runs.comparison.wording import told_estimate, told_share, told_waiting


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
        columns = [*_varied(results), _done(results), _final(results, final)]
        if threshold is not None:
            columns += [_steps(results, short_number(threshold, 4)), _solved(results)]
        self.show_cells([one.point for one in results], columns, icons)

    def apply_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.setFont(tabular(self.font()))
        self.setIconSize(QSize(theme.px(WIDTH), theme.px(HEIGHT)))
        self.fit()


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


def _final(results: Sequence[SettingResult], help: str) -> Column:
    told = [told_estimate(one.final) if one.final is not None else (NOTHING, "") for one in results]
    keys = [one.final.value if one.final is not None else None for one in results]
    return _numbers("Final return", help, told, keys)


def _steps(results: Sequence[SettingResult], level: str) -> Column:
    help = (
        f"Environment steps until the mean return of 100 episodes was at {level}, the median. A run that is not there "
        "yet counts for as long as it was watched, and one that failed for as long as it was to be trained"
    )
    told = [told_waiting(one.steps) if one.steps is not None else (NOTHING, "") for one in results]
    return _numbers(f"Steps to {level}", help, told, [one.steps.steps if one.steps else None for one in results])


def _solved(results: Sequence[SettingResult]) -> Column:
    help = "How many have solved it of those that are finished or have failed"
    told = [told_share(one.solved) if one.solved is not None else (NOTHING, "") for one in results]
    return _numbers("Solved", help, told, [one.solved.value if one.solved is not None else None for one in results])


def _numbers(title: str, help: str, told: Sequence[tuple[str, str]], keys: Sequence[float | None]) -> Column:
    """Numbers with their intervals, and in the tips how these are known."""
    tips = [f"{words}\n{how}".strip() for words, how in told]
    return Column(title, help, [minus(words) for words, _ in told], keys, is_number=True, tips=tips)
