"""An experiment that is being designed: what its runs have in common, what varies, and how often each is trained."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal

from app.models.run_names import environment_title, method_title, plain_environment
from app.models.variables import Variable, variables_of
from app.models.varied_rows import NamedSetting, VariedRow, new_row, row_of, varied_of, written
from engine.catalogue.spaces import EnvironmentInfo
from engine.config import RunConfig
from engine.config.parameters import values_between
from engine.runs.sweeps.spec import MOST_SEEDS, Design, Sweep
from engine.runtime.errors import RequestError

SEEDS = (3, 5, 10, 20)
DESIGNS: dict[Design, str] = {
    "grid": "Grid: all combinations",
    "random": "Random points",
    "sobol": "Sobol points, spread evenly",
}


class SweepDraft(QObject):
    """Signals:
    changed: anything of it is another.
    rebuilt: there are other rows, or it starts from something else.
    """

    changed = Signal()
    rebuilt = Signal()

    def __init__(self, config: RunConfig, plain: EnvironmentInfo) -> None:
        super().__init__()
        self.config, self.plain = config, plain
        self.variables: Sequence[Variable] = variables_of(config, plain)
        self.rows: list[VariedRow] = []
        self.title = self.shows = ""
        self.design: Design = "grid"
        self.points = 16
        self.seeds = "5"

    @property
    def suggested_title(self) -> str:
        """What it is called where a person does not say: "Learning rate · PPO · Cart pole"."""
        varied = ", ".join(row.called for row in self.rows[:3]) or "Seeds"
        where = environment_title(self.config.environment.id)
        return f"{varied} · {method_title(self.config)} · {where}"[:80]

    @property
    def sampled(self) -> bool:
        """Whether its points are drawn, and do not follow from what varies."""
        return self.design != "grid"

    def start_from(self, config: RunConfig, plain: EnvironmentInfo) -> None:
        """Have the runs in common what ``config`` has; what varies stays, where that still can."""
        self._base(config, plain)
        self.rows = [self._again(row) for row in self.rows]
        self._tell()

    def _base(self, config: RunConfig, plain: EnvironmentInfo) -> None:
        self.config, self.plain = config, plain
        self.variables = variables_of(config, plain)

    def _again(self, row: VariedRow) -> VariedRow:
        """A row whose variable is what that of its path is now."""
        if row.variable is None:
            return row
        now = next((one for one in self.variables if one.path == row.variable.path), row.variable)
        return VariedRow(now, row.title, row.ticked, row.values, row.way, row.low, row.high, row.count)

    def take(self, sweep: Sweep) -> None:
        """Be what ``sweep`` asks.

        Raises:
            RequestError: its environment is none that is known here.
        """
        plain = plain_environment(sweep.config.environment)
        if plain is None:
            raise RequestError(f"{sweep.config.environment.id} is not known here; look at it in the gallery first.")
        self._base(sweep.config, plain)
        self.rows = [row_of(varied, self.variables) for varied in sweep.vary]
        self.title, self.shows = sweep.title, sweep.shows
        self.design, self.points = sweep.design, sweep.points
        self.seeds = str(sweep.seeds) if isinstance(sweep.seeds, int) else _listed(sweep.seeds)
        self._tell()

    # --- rows ---------------------------------------------------------------------------------------------------------

    def add(self, variable: Variable) -> None:
        """Have it vary as well; one that does so already is left as it is."""
        if not any(row.variable is not None and row.variable.path == variable.path for row in self.rows):
            self.rows.append(new_row(variable))
            self._tell()

    def add_settings(self) -> None:
        """Have several things vary together, beginning with all as it is."""
        if not any(row.variable is None for row in self.rows):
            self.rows.append(VariedRow(settings=(NamedSetting("as it is"),)))
            self._tell()

    def add_setting(self, row: int, config: RunConfig, title: str) -> None:
        """Add to the named settings what ``config`` has otherwise than all have in common."""
        there = self.rows[row].settings
        told = NamedSetting(_apart(title, [each.title for each in there]), written(values_between(self.config, config)))
        self.rows[row] = VariedRow(title=self.rows[row].title, settings=(*there, told))
        self._tell()

    def remove(self, row: int) -> None:
        del self.rows[row]
        self._tell()

    def set_row(self, place: int, row: VariedRow) -> None:
        """Take what was entered in a row."""
        if row != self.rows[place]:
            shape = len(row.settings) != len(self.rows[place].settings)
            self.rows[place] = row
            self._tell() if shape else self.changed.emit()

    def set(self, **values: object) -> None:
        """Set ``title``, ``shows``, ``design``, ``points`` or ``seeds``."""
        if any(getattr(self, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(self, name, value)
            self.changed.emit()

    def _tell(self) -> None:
        self.rebuilt.emit()
        self.changed.emit()

    # --- what it asks -------------------------------------------------------------------------------------------------

    def sweep(self) -> Sweep:
        """What is to be trained.

        Raises:
            RequestError: something was entered that cannot be.
        """
        vary = tuple(varied_of(row) for row in self.rows)
        title = self.title.strip() or self.suggested_title
        try:
            return Sweep(
                title=title[:80],
                shows=self.shows.strip(),
                config=self.config,
                vary=vary,
                design=self.design,
                points=self.points,
                seeds=seeds_of(self.seeds),
            )
        except ValidationError as error:
            said = error.errors()[0]
            where = ".".join(map(str, said["loc"]))
            raise RequestError(f"The experiment cannot be so: {where}: {said['msg']}.") from None


def seeds_of(text: str) -> int | tuple[int, ...]:
    """How many seeds, or which: "5" are five from the configuration's own on, "1, 2, 7" are these.

    Raises:
        RequestError: it is neither.
    """
    parts = [part for part in text.replace(";", ",").replace("×", " ").split(",") if part.strip()]
    if not parts or not all(part.strip().isdecimal() and len(part.strip()) < 11 for part in parts):
        raise RequestError("Seeds: enter how many, such as 5, or which, such as 1, 2, 7.")
    numbers = tuple(int(part) for part in parts)
    if len(numbers) > 1 or "," in text:
        if len(set(numbers)) < len(numbers):
            raise RequestError("Seeds: the same seed stands there twice; a seed trained twice is the same run.")
        return numbers
    if not 1 <= numbers[0] <= MOST_SEEDS:
        raise RequestError(f"Seeds: enter a number from 1 to {MOST_SEEDS}.")
    return numbers[0]


def _listed(seeds: Sequence[int]) -> str:
    return ", ".join(map(str, seeds)) + ("," if len(seeds) == 1 else "")


def _apart(title: str, taken: Sequence[str]) -> str:
    """``title``, with a number behind it where it is taken."""
    titles = (title, *(f"{title} ({number})" for number in range(2, len(taken) + 3)))
    return next(each for each in titles if each not in taken)[:80]
