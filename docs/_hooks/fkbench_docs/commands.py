"""The command line: every command with every option, from the Typer application itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import typer

from fkbench.cli.main import COMMANDS, build_app
from fkbench_docs.markup import NOTE, code, fence, page, prose, table

VALUES = {"STR": "TEXT", "INT": "N", "FLOAT": "X"}
"""Typer's names of types → what stands for a value."""


@dataclass(frozen=True)
class Parameter:
    """An argument or option of a command, with its names as typed (an argument: as in the usage line)."""

    names: tuple[str, ...]
    value: str
    default: str
    help: str
    required: bool
    argument: bool


@dataclass(frozen=True)
class Command:
    """A command that can be called: its words after `fkbench`, help, epilog and parameters."""

    words: str
    help: str
    epilog: str
    parameters: tuple[Parameter, ...]


def commands() -> list[Command]:
    """Every command and subcommand, in the order of `fkbench --help`."""
    found: list[Command] = []
    for name in COMMANDS:
        root: Any = typer.main.get_command(build_app(name))
        found += _walk(root.commands[name], name)
    return found


def global_options() -> tuple[Parameter, ...]:
    """The options that work with every command."""
    return _parameters(typer.main.get_command(build_app()))


def _walk(node: Any, words: str) -> list[Command]:
    inner = getattr(node, "commands", None)
    if inner:
        return [command for name in inner for command in _walk(inner[name], f"{words} {name}")]
    return [Command(words, node.help or "", node.epilog or "", _parameters(node))]


def _parameters(node: Any) -> tuple[Parameter, ...]:
    return tuple(_parameter(item) for item in node.params if not getattr(item, "hidden", False))


def _parameter(item: Any) -> Parameter:
    argument = item.param_type_name == "argument"
    flag = bool(getattr(item, "is_flag", False))
    shown = item.metavar or ("" if flag else VALUES.get(item.type.name.upper(), item.type.name.upper()))
    default = "" if item.default in (None, False, "", ()) or callable(item.default) else str(item.default)
    names = (item.metavar or item.name.upper(),) if argument else (*item.opts, *item.secondary_opts)
    help_text = getattr(item, "help", "") or ""
    return Parameter(names, "" if argument or flag else shown, default, help_text, bool(item.required), argument)


def commands_page() -> str:
    """The whole reference of the command line."""
    return page(
        "# Command line",
        NOTE,
        "Every reporting command takes `--json`: one JSON value on stdout, all else on stderr. An error is one line "
        "and a remedy on stderr. Exit codes: 0 done; 1 a run, check or verification failed; 2 bad use or bad input; "
        "130 stopped by Ctrl-C.",
        "## Options of every command",
        "They stand before or after the command.",
        _table(global_options()),
        "Environment: `FKBENCH_DATA` is the data folder, `FKBENCH_RUNS` the runs folder. `FKBENCH_CALIBRATE=0` leaves "
        "the number of threads as PyTorch has it (see the timing contract).",
        *(_block(command) for command in commands()),
    )


def _block(command: Command) -> str:
    given = [p for p in command.parameters if p.argument]
    needed = [p for p in command.parameters if p.required and not p.argument]
    words = [*(_bracketed(p) for p in given), *(f"{p.names[0]} {p.value}".strip() for p in needed)]
    optional = ["[OPTIONS]"] if len(needed) + len(given) < len(command.parameters) else []
    usage = " ".join(["fkbench", command.words, *words, *optional])
    return page(
        f"## fkbench {command.words}", prose(command.help), fence(usage), _table(command.parameters), _examples(command)
    )


def _bracketed(parameter: Parameter) -> str:
    return parameter.names[0] if parameter.required else f"[{parameter.names[0]}]"


def _table(parameters: tuple[Parameter, ...]) -> str:
    rows = []
    for p in parameters:
        names = ", ".join(code(f"{name} {p.value}".strip()) for name in p.names)
        rows.append((names, "required" if p.required else code(p.default), prose(p.help)))
    return table(("option", "default", "meaning"), rows)


def _examples(command: Command) -> str:
    """The epilog: its example commands as code, what else it says as text."""
    examples = re.findall(r"fkbench .*?(?=; fkbench | \(|\. [A-Z]|\.$|$)", command.epilog)
    if not command.epilog.startswith("Example") or not examples:
        return prose(command.epilog)
    after = command.epilog.partition(f"{examples[-1]}. ")[2]
    return page(fence("\n".join(examples), "text"), prose(after))
