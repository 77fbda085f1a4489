"""The page of a model: card, size, layers."""

from __future__ import annotations

import warnings
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from fkbench.cli.session import console
from fkbench.cli.show_page import Page, plain_table, plugin_facts, print_facts, print_settings, setting_rows
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.schemes import SCHEMES, Scheme
from fkbench.specs import ModelSpec, resolve

if TYPE_CHECKING:
    from torch import nn


def model_page(spec: ModelSpec, scheme: str, graph: Path | None) -> Page:
    """A model with its layers; with `graph` a picture of them is written.

    Raises:
        UnknownNameError: no such scheme.
        FkbenchError: the net cannot be built or executed, or a predictor is asked for a picture of layers.
    """
    if scheme not in SCHEMES:
        raise UnknownNameError("scheme", scheme, SCHEMES)
    if graph is not None and (spec.kind != "net" or spec.member is not None):
        what = "a predictor" if spec.kind != "net" else "a family of models"
        raise FkbenchError(f"'{spec.name}' is {what} without layers to draw.", "--graph is for nets.")
    data = _facts(spec, SCHEMES[scheme])
    notes = (f"Picture: {_draw(spec, data, graph)}",) if graph is not None else ()
    return Page(data, lambda: _write(spec, data), notes)


def _facts(spec: ModelSpec, scheme: Scheme) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": spec.name, "kind": "model", **plugin_facts(spec), "role": spec.role, "type": spec.kind,
        "input": list(spec.input), "source": spec.card.source or spec.plugin.path or str(spec.plugin),
        "card": asdict(spec.card), "recipes": sorted(spec.recipes), "settings": setting_rows(spec),
        "parameters": None, "macs": None, "layers": [],
    }  # fmt: skip
    if spec.kind == "net" and spec.member is None and not spec.lacking():
        facts |= _measured(spec, scheme)
    return facts


def _measured(spec: ModelSpec, scheme: Scheme) -> dict[str, Any]:
    import torch

    from fkbench.timing.layers import layer_table
    from fkbench.timing.macs import count_macs, count_parameters

    channels, size = spec.input
    shape, failure = (channels, size, size), None
    # On `meta` nothing is computed or filled: a net of 200 M parameters is there at once. Some nets need real numbers.
    for device in ("meta",) if spec.not_run else ("meta", "cpu"):
        try:
            with warnings.catch_warnings(), torch.device(device):
                warnings.simplefilter("ignore")
                net = _build(spec, 2 * len(scheme.points))
                layers = layer_table(net, shape)
                return {
                    "scheme": scheme.name, "outputs": 2 * len(scheme.points), "parameters": count_parameters(net),
                    "macs": count_macs(net, shape), "layers": [asdict(layer) for layer in layers],
                }  # fmt: skip
        except FkbenchError:
            raise
        except Exception as error:
            failure = error
    raise FkbenchError(
        f"The net '{spec.name}' does not work on pictures of {channels}×{size}×{size}: "
        f"{type(failure).__name__}: {str(failure).splitlines()[0] if str(failure) else ''}.",
        "build(channels, size, outputs) must give a torch.nn.Module for that input.",
    ) from failure


def _build(spec: ModelSpec, outputs: int) -> nn.Module:
    channels, size = spec.input
    settings = {name: setting.default for name, setting in spec.settings.items()}
    net: nn.Module = resolve(spec.build)(channels=channels, size=size, outputs=outputs, **spec.keywords(settings))
    return net


def _draw(spec: ModelSpec, data: dict[str, Any], graph: Path) -> Path:
    from fkbench.draw.architecture import architecture_picture, short_number
    from fkbench.timing.layers import Layer

    if not data["layers"]:
        raise FkbenchError(f"'{spec.name}' cannot be drawn here: {data['reason']}.", "Install what it needs.")
    layers = [Layer(**row) for row in data["layers"]]
    title = (
        f"{spec.name}: {_spaced(data['parameters'])} parameters, {short_number(data['macs'])} MACs for {_input(spec)}"
    )
    return architecture_picture(layers, graph, title=title, total_macs=data["macs"])


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _input(spec: ModelSpec) -> str:
    channels, size = spec.input
    return f"{channels}×{size}×{size}"


def _write(spec: ModelSpec, data: dict[str, Any]) -> None:
    facts: dict[str, Any] = {
        "usable": f"no: {data['reason']}" if data["reason"] else "yes", "plugin": data["plugin"], "input": _input(spec),
        "recipes": ", ".join(data["recipes"]), "baseline": "yes" if spec.role == "baseline" else None,
    }  # fmt: skip
    if data["parameters"] is not None:
        facts |= {"parameters": _spaced(data["parameters"]), "MACs per picture": _spaced(data["macs"]),
                  "outputs": f"{data['outputs']} ({data['scheme']})"}  # fmt: skip
    elif spec.kind == "predictor":
        facts["parameters"] = "fitted from the data: no net"
    elif spec.member is not None:
        facts["members"] = f"{spec.name}:NAME, for example {', '.join(f'{spec.name}:{rest}' for rest in spec.examples)}"
    print_facts(f"model {spec.name}", spec.summary, facts)
    _write_card(spec)
    if data["layers"]:
        _write_layers(data)
    if spec.settings:
        print_settings(data["settings"], "model")


def _write_card(spec: ModelSpec) -> None:
    card, out = spec.card, console()
    print_facts("", "", {"source": card.source, "url": card.url})
    if card.text:
        out.print(escape(card.text))
    for title, lines in (("deviates from its source", card.deviations), ("assumed", card.assumed)):
        if lines:
            out.print(f"[dim]{title}[/dim]")
        for line in lines:
            out.print(f"  - {escape(line)}")


def _write_layers(data: dict[str, Any]) -> None:
    table = plain_table("layer", "type", "", "output", "parameters", "MACs", right=("parameters", "MACs"))
    for layer in data["layers"]:
        shape = "×".join(map(str, layer["output"])) if layer["output"] else "not executed"
        cells = (layer["name"], layer["type"], layer["detail"], shape, _some(layer["parameters"]), _some(layer["macs"]))
        table.add_row(*(escape(cell) for cell in cells))
    table.add_row("total", "", "", "", _spaced(data["parameters"]), _spaced(data["macs"]), style="bold")
    out = console()
    out.print()
    out.print(table)


def _some(number: int) -> str:
    return _spaced(number) if number else ""
