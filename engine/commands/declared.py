"""The commands about what has been trained before, with their options."""

import gc
from pathlib import Path
from typing import Annotated

import typer

from engine.commands.interrupts import Interrupts

Run = Annotated[str, typer.Argument(metavar="RUN", help="Its number, the beginning of its id, or its title.")]
Runs = Annotated[list[str], typer.Argument(metavar="RUN…", help="Their numbers, the beginnings of ids, or titles.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON.")]
Report = Annotated[Path | None, typer.Option(help="Append one JSON object per iteration to this file.")]
Steps = Annotated[int | None, typer.Option(help="Environment steps in all, those taken before included.")]
Where = Annotated[
    Path | None, typer.Option(metavar="DIR", help="The run library's folder; the platform's data folder otherwise.")
]
FORMS = "csv, csv-episodes, tensorboard, preset, text, script, policy, onnx, run"  # in which a run can be written out


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
            typer.Argument(metavar="[deleted|between|strays|all]…", help="What to remove for good."),
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
