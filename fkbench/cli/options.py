"""Options that mean the same in several commands."""

from __future__ import annotations

from typing import Annotated

import typer

JsonValueOption = Annotated[bool, typer.Option("--json", help="One JSON value on stdout.")]
JsonObjectOption = Annotated[bool, typer.Option("--json", help="One object on stdout.")]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
RuntimeOption = Annotated[
    str, typer.Option(help="Executes the net: a name of `fkbench list runtimes`; default: PyTorch.")
]
DetectorSettingsOption = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Of the detector: detector.…")
]
