"""Options that mean the same in several commands."""

from __future__ import annotations

from typing import Annotated

import typer

JsonValue = Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")]
JsonObject = Annotated[bool, typer.Option("--json", help="One object on stdout.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
Runtime = Annotated[str, typer.Option(help="Executes the net: a name of `fkbench list runtimes`; default: PyTorch.")]
DetectorSettings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of the detector: detector.…")
]
