"""Entry point of `fkbench`: puts the commands together, and turns errors into one line, a remedy and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fkbench.cli.session import Session, note
from fkbench.errors import FkbenchError
from fkbench.version import __version__

# Modules of fkbench.cli in the order of `fkbench --help`; each has `register(app)`. Only the one that is called for is
# imported: reading the options of all of them takes a quarter of the 0.3 s that help may take.
COMMANDS = {
    "run": "Train a model on a dataset, score it, time it, and record it all.",
    "sweep": "Run a matrix of models, datasets and seeds, each run in a process of its own.",
    "list": "List models, datasets, detectors, schemes, metrics, protocols or runtimes.",
    "show": "Show a model, dataset, scheme, protocol or other plugin in full.",
    "data": "Get, import, verify and preview datasets.",
    "score": "Score a finished run, or points that another program predicted.",
    "predict": "Predict keypoints for pictures, or for a part of a run's dataset.",
    "detect": "Find faces in pictures, or score face detectors.",
    "demo": "Draw keypoints on live or recorded video: into a file, a window or a browser.",
    "time": "Time a run, or a net without one, under each runtime.",
    "export": "Write a run's net to a file for other programs, checked against the original.",
    "leaderboard": "Rank the runs of a folder, and publish them.",
    "merge": "Put results of several people together, with a report of conflicts.",
    "verify": "Recompute the scores of results from their predictions.",
    "compare": "Say which of two results is better, by how much, how surely; a gate for CI.",
    "reproduce": "Train a result again from its record, and say how far it drifts.",
    "runs": "List, remove and clean up runs.",
    "new": "Write a new model, dataset or detector with its test.",
    "check": "Check that a plugin does what the harness expects, and say what to do where it does not.",
    "plugins": "Show which plugins are loaded, and what failed to load and why.",
}
WITH_VALUE = {"--data", "--runs", "--plugin"}
FLAGS = {"--strict-plugins", "--offline", "--debug"}
EPILOG = (
    "Start here: fkbench run --model dfk --dataset synthetic15 --protocol smoke. "
    "Then fkbench list, fkbench show NAME, and fkbench data get kaggle15 for real faces. "
    "The options above may also stand after the command."
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fkbench {__version__}")
        raise typer.Exit


def root(
    context: typer.Context,
    data: Annotated[
        Path | None, typer.Option(help="Data folder (default: FKBENCH_DATA, or the user's data folder).")
    ] = None,
    runs: Annotated[Path | None, typer.Option(help="Runs folder (default: FKBENCH_RUNS, or ./runs).")] = None,
    plugin: Annotated[list[Path] | None, typer.Option(help="Load a local plugin file; repeatable.")] = None,
    strict_plugins: Annotated[bool, typer.Option("--strict-plugins", help="A plugin that fails is an error.")] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Benchmark facial keypoint detectors: train every model the same way, score, time and rank them."""
    if offline:
        os.environ["HF_HUB_OFFLINE"] = "1"  # for libraries of models that fetch weights by themselves
    context.obj = Session(data, runs, list(plugin or ()), strict_plugins, offline, debug)


def _stub() -> None:
    """Stands for a command that this call does not use."""


def build_app(wanted: str = "") -> typer.Typer:
    """The command line, with the `wanted` command in full and the others by name and summary."""
    # Rich help pages cost 0.2 s at start; plain ones answer at once.
    app = typer.Typer(
        name="fkbench",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    )
    app.callback(epilog=EPILOG)(root)
    for name, summary in COMMANDS.items():
        if name == wanted:
            importlib.import_module(f"fkbench.cli.{name}").register(app)
        else:
            app.command(name, help=summary)(_stub)
    return app


def command_of(words: Sequence[str]) -> str:
    """The command of a command line whose global options stand in front; empty where there is none."""
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if word in WITH_VALUE:
            queue = queue[1:]
        elif not word.startswith("-"):
            return word
    return ""


def hoist(arguments: Sequence[str]) -> list[str]:
    """Global options moved before the command, wherever they stand; nothing after `--` is touched."""
    front: list[str] = []
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        word = queue.pop(0)
        if word == "--":
            rest += [word, *queue]
            break
        if word in FLAGS or ("=" in word and word.partition("=")[0] in WITH_VALUE):
            front.append(word)
        elif word in WITH_VALUE and queue:
            front += [word, queue.pop(0)]
        else:
            rest.append(word)
    return front + rest


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 0, 1 (a run failed), 2 (bad use or input) or 130 (Ctrl-C)."""
    words = hoist(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    try:
        result = build_app(command_of(words))(args=words, standalone_mode=False)
    except KeyboardInterrupt:
        note("Interrupted.")
        return 130
    except Exception as error:
        return _report(error, debug)
    return result if isinstance(result, int) else 0


def _report(error: Exception, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(error)
    if isinstance(error, FkbenchError):
        note(f"Error: {error.message}")
        if error.remedy:
            note(error.remedy)
        return error.exit_code
    show = getattr(error, "show", None)
    if callable(show):  # Typer's own usage errors, which print their line and a pointer to --help
        show()
        return int(getattr(error, "exit_code", 2))
    if type(error).__name__ in {"Abort", "Exit"}:
        return 130 if type(error).__name__ == "Abort" else int(getattr(error, "exit_code", 0))
    if isinstance(error, BrokenPipeError):
        return 0
    note(f"Error: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no message'}")
    note("This is a fault in fkbench or a plugin; --debug shows where.")
    return 1


def entry() -> None:
    """Console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
