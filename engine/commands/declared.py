"""The commands about what has been trained before, with their options."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.interrupts import Interrupts

Run = Annotated[str, typer.Argument(metavar="RUN", help="Its number, the beginning of its id, or its title.")]
Runs = Annotated[list[str], typer.Argument(metavar="RUN…", help="Their numbers, the beginnings of ids, or titles.")]
Recording = Annotated[
    str, typer.Argument(metavar="RECORDING", help="Its number, the beginning of its id, or its title.")
]
Recordings = Annotated[
    list[str], typer.Argument(metavar="RECORDING…", help="Their numbers, the beginnings of ids, or titles.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Report = Annotated[Path | None, typer.Option(help="Append one JSON object per iteration to this file.")]
Steps = Annotated[int | None, typer.Option(help="Environment steps in all, those taken before included.")]
Where = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The run library's folder; the platform's data folder otherwise.")
]
FORMS = "csv, csv-episodes, tensorboard, preset, text, script, policy, onnx, run"  # in which a run can be written out


def add_sweep(cli: typer.Typer, interrupts: Interrupts) -> None:
    """``sweep``."""

    @cli.command()
    def sweep(
        sweep: Annotated[
            str | None, typer.Argument(metavar="SWEEP", help="A TOML file, or an experiment that ships.")
        ] = None,
        workers: Annotated[
            int | None, typer.Option(min=1, help="Train so many at once; as many as there are cores otherwise.")
        ] = None,
        ray: Annotated[
            str | None,
            typer.Option(
                metavar="ADDRESS", help="Train on the Ray cluster there: HOST:PORT, ray://HOST:PORT, auto or local."
            ),
        ] = None,
        report: Annotated[
            Path | None, typer.Option(metavar="FOLDER", help="Write a file of lines for each run, and a summary.")
        ] = None,
        estimate: Annotated[
            bool, typer.Option("--estimate", help="Only say what it would take, from a few seconds of training.")
        ] = False,
        library: Where = None,
        experiment: Annotated[
            str | None,
            typer.Option(
                metavar="NAME", help="Go on with one of the library: its number, title or id; see experiments."
            ),
        ] = None,
    ) -> None:
        """Train many runs: settings that vary, with several seeds each. The same command goes on where it was left."""
        from engine.commands import sweep as sweeping

        gc.enable()
        place = sweeping.Place(workers, ray, estimate)
        sweeping.sweep(sweep, experiment, place, (report, library), interrupts)


def add_experiments(cli: typer.Typer) -> None:
    """``experiments …``: what the library has of them."""
    experiments = typer.Typer(help="The experiments of the library; sweep trains them.")
    cli.add_typer(experiments, name="experiments")

    @experiments.command("list")
    def list_(json: AsJson = False, library: Where = None) -> None:
        """List all experiments, the newest first: how far each is, and how to go on."""
        from engine.commands import experiments as of_library

        of_library.print_list(json, library)

    @experiments.callback()
    def _has_commands() -> None:
        """The experiments of the library; sweep trains them."""  # without this, one command alone has no name


def add_runs(cli: typer.Typer) -> None:
    """``runs …``: what the library holds."""
    runs = typer.Typer(help="The runs of the library.")
    cli.add_typer(runs, name="runs")

    @runs.command("list")
    def list_(json: AsJson = False, library: Where = None) -> None:
        """List all runs, the newest first."""
        from engine.commands import runs as of_library

        of_library.print_list(json, library)

    @runs.command()
    def show(run: Run, json: AsJson = False, library: Where = None) -> None:
        """Show what is known of a run."""
        from engine.commands import runs as of_library

        of_library.print_run(run, json, library)

    @runs.command()
    def export(
        run: Run,
        form: Annotated[str, typer.Option("--as", metavar="FORM", help=f"One of {FORMS}.")],
        file: Annotated[
            Path | None, typer.Argument(metavar="[FILE]", help="Where to; by default a file named after the run.")
        ] = None,
        policy: Annotated[str, typer.Option(help="That of the last checkpoint, or of the best.")] = "last",
        library: Where = None,
    ) -> None:
        """Write a run out: its numbers, its configuration, its policy, or all of it."""
        from engine.commands import transfer
        from engine.commands.output import say

        say(transfer.export_run(run, form, file, policy, library))

    @runs.command("import")
    def import_(
        folders: Annotated[list[Path], typer.Argument(metavar="FOLDER…", help="Libraries, or folders of single runs.")],
        library: Where = None,
    ) -> None:
        """Take runs from other libraries into this one."""
        from engine.commands import transfer
        from engine.commands.output import say

        for folder in folders:
            say(transfer.import_runs(folder, library))

    @runs.command()
    def delete(runs: Runs, library: Where = None) -> None:
        """Put runs aside, from where `runs restore` brings them back."""
        from engine.commands import runs as of_library
        from engine.commands.output import say

        say(of_library.delete(runs, library))

    @runs.command()
    def restore(runs: Runs, library: Where = None) -> None:
        """Bring back runs that were deleted."""
        from engine.commands import runs as of_library
        from engine.commands.output import say

        say(of_library.restore(runs, library))

    @runs.command()
    def clean(
        what: Annotated[
            list[str] | None,
            typer.Argument(metavar="[deleted|between|strays|recordings|all]…", help="What to remove for good."),
        ] = None,
        budget: Annotated[
            str | None, typer.Option(metavar="SIZE", help="How much room the runs may take from now on, as 8GB.")
        ] = None,
        library: Where = None,
    ) -> None:
        """Say how much room the runs take and what can go, and remove what is named."""
        from engine.commands import cleaning
        from engine.commands.output import say

        say(cleaning.clean_up(what or (), budget, library))


def add_recordings(cli: typer.Typer, interrupts: Interrupts) -> None:
    """``recordings …``: what was played and kept, to be learned from."""
    recordings = typer.Typer(help="The recordings of the library, and the datasets that they are merged into.")
    cli.add_typer(recordings, name="recordings")

    @recordings.command("list")
    def list_(json: AsJson = False, library: Where = None) -> None:
        """List all recordings, the newest first, and all datasets."""
        from engine.commands import recordings as of_library

        of_library.print_list(json, library)

    @recordings.command()
    def show(recording: Recording, json: AsJson = False, library: Where = None) -> None:
        """Show what is known of a recording."""
        from engine.commands import recordings as of_library

        of_library.print_recording(recording, json, library)

    @recordings.command()
    def record(
        run: Run,
        episodes: Annotated[int, typer.Option(min=1, max=100_000, help="How many to record.")] = 1,
        greedy: Annotated[
            bool, typer.Option("--greedy", help="The policy's most likely actions, not sampled ones.")
        ] = False,
        at_least: Annotated[float | None, typer.Option(help="Keep only episodes with such a return, or more.")] = None,
        tries: Annotated[int | None, typer.Option(min=1, help="Play at most so many; 20 for each, otherwise.")] = None,
        iteration: Annotated[
            int | None, typer.Option(help="The policy after so many iterations, where that was kept; else the last.")
        ] = None,
        seed: Annotated[int, typer.Option(min=0, help="The number from which the episodes follow.")] = 0,
        library: Where = None,
    ) -> None:
        """Record episodes of a run's policy."""
        from engine.commands import recordings as of_library
        from engine.commands.output import say

        gc.enable()
        wanted = episodes, greedy, at_least, tries
        say(of_library.record(run, wanted, (iteration, seed), interrupts, library))

    @recordings.command()
    def export(
        recording: Annotated[str, typer.Argument(metavar="RECORDING|DATASET", help="What is written out.")],
        file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to.")],
        form: Annotated[
            str, typer.Option("--as", metavar="FORM", help="plain, the program's own, or minari: a folder.")
        ] = "plain",
        library: Where = None,
    ) -> None:
        """Write a recording or a dataset to a file that another program can read."""
        from engine.commands import recordings as of_library
        from engine.commands.output import say

        say(of_library.export(recording, form, file, library))

    @recordings.command("import")
    def import_(
        files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Recordings, or folders of Minari's.")],
        library: Where = None,
    ) -> None:
        """Take recordings from files into the library."""
        from engine.commands import recordings as of_library
        from engine.commands.output import say

        for file in files:
            say(of_library.take_in(file, library))

    @recordings.command()
    def merge(
        dataset: Annotated[str, typer.Argument(metavar="DATASET", help="Its name; it is made where there is none.")],
        recordings: Recordings,
        library: Where = None,
    ) -> None:
        """Put recordings into a dataset, to be learned from together."""
        from engine.commands import recordings as of_library
        from engine.commands.output import say

        say(of_library.merge(dataset, recordings, library))

    @recordings.command()
    def trim(
        recording: Recording,
        episode: Annotated[int, typer.Argument(min=1, help="Which of its episodes, counted from 1.")],
        first: Annotated[int, typer.Argument(min=0, help="The first step that is kept, counted from 0.")],
        stop: Annotated[int, typer.Argument(min=0, help="The step before which to stop.")],
        library: Where = None,
    ) -> None:
        """Keep only some steps of an episode; none of them with 0 0. The others stay, and can be brought back."""
        from engine.commands import recordings as of_library
        from engine.commands.output import say

        say(of_library.trim(recording, episode, first, stop, library))

    @recordings.command()
    def delete(recordings: Recordings, library: Where = None) -> None:
        """Put recordings aside, from where `recordings restore` brings them back."""
        from engine.commands import recordings as of_library
        from engine.commands.output import say

        say(of_library.delete(recordings, library))

    @recordings.command()
    def restore(recordings: Recordings, library: Where = None) -> None:
        """Bring back recordings that were deleted."""
        from engine.commands import recordings as of_library
        from engine.commands.output import say

        say(of_library.restore(recordings, library))


def add_going_on(cli: typer.Typer, interrupts: Interrupts) -> None:
    """``resume`` and ``fork``."""

    @cli.command()
    def resume(
        run: Run,
        steps: Steps = None,
        report: Report = None,
        library: Where = None,
    ) -> None:
        """Go on with a run from its last checkpoint."""
        from engine.commands import going_on

        gc.enable()
        going_on.go_on(run, steps, report, interrupts, library)

    @cli.command()
    def fork(
        run: Run,
        at: Annotated[int | None, typer.Option(help="From its last checkpoint by so many environment steps.")] = None,
        set: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Set any parameter.")] = None,
        steps: Steps = None,
        report: Report = None,
        library: Where = None,
    ) -> None:
        """Train a new run on from a checkpoint of another, with something changed."""
        from engine.commands import going_on

        gc.enable()
        going_on.fork_off(run, at, steps, set or (), (report, interrupts, library))
