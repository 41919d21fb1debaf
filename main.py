"""The one entry: opens the window, or trains without one."""

import gc
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

if TYPE_CHECKING:
    import typer

    from engine.commands.interrupts import Interrupts


TRACEBACK = "PLAYGROUND_TRACEBACK"  # the variable with which an unexpected error says where it came from


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 0 done, 1 the run failed, 2 the request was wrong, 128 + a signal's number interrupted (130
    by Ctrl+C, 143 by the system, 129 by a terminal that was closed), with one line on stderr that says so."""
    # The window is to show soon: nothing that start-up makes is garbage, and there are no plugins worth looking for.
    gc.disable()
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    from engine.commands.interrupts import Interrupts
    from engine.commands.output import adapt, complain
    from engine.runtime.errors import RequestError, RunError

    arguments = sys.argv[1:] if arguments is None else arguments
    adapt()
    interrupts = Interrupts()
    sentence: object = ""
    with interrupts:
        try:
            status = _opened() if not arguments else _parsed(arguments, interrupts)
        except RequestError as error:
            sentence, status = error, 2
        except RunError as error:
            sentence, status = error, 1
        except SystemExit:
            raise
        except BaseException as error:
            sentence, status = _unexpected(error), 1
        finally:
            interrupts.end()
            gc.enable()
        if interrupts.came and status != 0:  # whatever it was that it interrupted made of it
            sentence, status = interrupts.tell(), interrupts.status
        if str(sentence):
            complain(sentence)
    return status


def _opened() -> int:
    from app.window.startup import open_window

    return open_window()


def _parsed(arguments: list[str], interrupts: "Interrupts") -> int:
    """Do what the arguments say."""
    import typer
    from typer.main import get_command

    from engine.commands.output import to_stdout
    from engine.runtime.errors import RequestError

    command = get_command(_command_line(interrupts))
    try:
        with command.make_context("python main.py", arguments) as context:
            return command.invoke(context) or 0
    except typer.Exit as error:  # after help
        with to_stdout():
            return error.exit_code
    except OSError:
        with to_stdout():  # which, if it is what failed, fails again
            raise
    except Exception as error:
        if hasattr(error, "format_message"):  # what the command line itself finds wrong
            raise RequestError(error.format_message()) from None
        raise


def _unexpected(error: BaseException) -> str:
    """What to say of an error that should have been one sentence already."""
    import traceback

    from engine.runtime.errors import describe

    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, MemoryError):
        return "There is not enough memory for this."
    if isinstance(error, ModuleNotFoundError) and error.name and not error.name.startswith(("app", "engine")):
        return (
            f"The Python that runs this lacks the package {error.name}; run it with the one in which it was installed, "
            "as in .venv/bin/python main.py."
        )
    if os.environ.get(TRACEBACK):
        traceback.print_exception(error)
        return ""
    return f"Something unexpected happened: {describe(error)}; set the variable {TRACEBACK} to 1 to see where."


def _command_line(interrupts: "Interrupts") -> "typer.Typer":
    """The commands and their options. Made only when there are arguments: the plain window need not wait for it."""
    import typer

    from engine.commands import declared

    cli = typer.Typer(
        help="Pick an environment, a policy and an algorithm, and watch an agent learn; "
        "without a command, the window opens.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    preset_option = typer.Option(help="A preset's name or file, or a configuration's text.")
    library_option = typer.Option(metavar="DIR", help="The run library's folder; the platform's data folder otherwise.")

    @cli.callback(invoke_without_command=True)
    def window(
        context: typer.Context,
        preset: Annotated[str | None, preset_option] = None,
        start: Annotated[bool, typer.Option("--start", help="Start training at once.")] = False,
        seconds: Annotated[float | None, typer.Option(help="Quit after so many seconds.")] = None,
        screenshot: Annotated[Path | None, typer.Option(help="Save a picture of the window before quitting.")] = None,
        theme: Annotated[str | None, typer.Option(help="dark, light or system; otherwise as last chosen.")] = None,
        size: Annotated[str | None, typer.Option(help="The window's size, for example 1280x800.")] = None,
        library: Annotated[Path | None, library_option] = None,
    ) -> int:
        if context.invoked_subcommand is not None:
            return 0
        from app.window.startup import open_window

        return open_window(
            preset, start=start, seconds=seconds, screenshot=screenshot, theme=theme, size=size, library=library
        )

    @cli.command()
    def train(
        preset: Annotated[str | None, preset_option] = None,
        environment: Annotated[
            str | None, typer.Option(help="An environment's Gymnasium id; for what learns in it see list presets.")
        ] = None,
        policy: Annotated[str | None, typer.Option(help="A policy: see list policies.")] = None,
        algorithm: Annotated[str | None, typer.Option(help="An algorithm: see list algorithms.")] = None,
        steps: Annotated[int | None, typer.Option(help="Environment steps to train for.")] = None,
        seed: Annotated[int | None, typer.Option(help="The number all randomness flows from.")] = None,
        seeds: Annotated[
            int,
            typer.Option(
                min=1, max=1000, help="Train so many seeds, from --seed on: together where the method allows it."
            ),
        ] = 1,
        device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps.")] = None,
        report: Annotated[Path | None, typer.Option(help="Append one JSON object per iteration to this file.")] = None,
        set: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="Set any parameter.")] = None,
        library: Annotated[Path | None, library_option] = None,
    ) -> None:
        """Train without a window."""
        from engine.commands import configure, headless

        gc.enable()
        values = {"budget.environment_steps": steps, "seed": seed, "device": device}
        config = configure.configuration(preset, environment, policy, algorithm, values, set or ())
        headless.train(config, seeds, report, interrupts, library)

    @cli.command("list")
    def list_(
        what: Annotated[str, typer.Argument(metavar="environments|policies|algorithms|presets")],
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """List what there is to pick from."""
        from engine.commands import listing

        listing.print_listing(what, json)

    @cli.command()
    def compare(
        runs: Annotated[
            list[str],
            typer.Argument(
                metavar="RUN RUN… | EXPERIMENT",
                help="Runs by their numbers, ids or titles; or one experiment by its number, title or TOML file.",
            ),
        ],
        axis: Annotated[
            str, typer.Option(help="Over what: environment_steps, episodes, seconds or gradient_steps.")
        ] = "environment_steps",
        threshold: Annotated[
            float | None, typer.Option(help="The mean return to reach; by default that which solves the environment.")
        ] = None,
        statistic: Annotated[
            str, typer.Option(help="What seeds of one setting are told by: median, iqm or mean.")
        ] = "median",
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
        library: Annotated[Path | None, library_option] = None,
    ) -> None:
        """Compare runs, or the settings of an experiment: what differs, what each came to, and what that says."""
        from engine.commands import compare as comparing

        asked = comparing.Asked(axis, threshold, statistic)
        comparing.print_comparison(runs, asked, json, library)

    @cli.command()
    def selftest(
        algorithm: Annotated[
            list[str] | None, typer.Option(metavar="NAME", help="Only this one: see list algorithms. Several times.")
        ] = None,
        json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """Train algorithms in worlds so small that it is known what must be learned; 1 where one fails."""
        from engine.commands import selftest as testing

        gc.enable()
        testing.print_self_test(algorithm or (), json, interrupts)

    declared.add_sweep(cli, interrupts)
    declared.add_experiments(cli)
    declared.add_runs(cli)
    declared.add_recordings(cli, interrupts)
    declared.add_going_on(cli, interrupts)
    return cli


if __name__ == "__main__":
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # before and after main sees to it, there is nothing to be said
    sys.exit(main())
