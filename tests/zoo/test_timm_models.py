"""The family of timm's nets."""

from __future__ import annotations

import json
import sys

import pytest
import torch

pytest.importorskip("timm")

from fkbench.cli.main import main
from fkbench.errors import FkbenchError, UnknownNameError
from fkbench.registry import load_registry
from fkbench.runner.fit import build_net
from fkbench.runner.plan import find_model
from fkbench.runner.provenance import source_digest
from fkbench.specs import ModelSpec

REGISTRY = load_registry()


def build(name, channels, size, outputs, **settings):
    spec = find_model(REGISTRY, name).sized({"input_channels": channels, "input_size": size})
    return build_net(spec, settings, outputs, seed=0)


@pytest.mark.parametrize(
    ("name", "channels", "size", "outputs", "parameters"),
    [
        # Eleven million in torchvision's resnet18 without its classifier, less two thirds of the first layer.
        ("timm:resnet18", 1, 96, 30, 11_176_512 - 2 * 64 * 49 + 513 * 30),
        ("timm:resnet18", 3, 64, 136, 11_176_512 + 513 * 136),
        ("timm:mobilenetv4_conv_small", 1, 96, 30, None),
        ("timm:vit_tiny_patch16_224", 1, 96, 30, None),
    ],
)
def test_nets_take_any_channels_size_and_outputs(name, channels, size, outputs, parameters):
    net = build(name, channels, size, outputs)
    with torch.inference_mode():
        assert net(torch.rand(2, channels, size, size)).shape == (2, outputs)
    if parameters is not None:
        assert sum(p.numel() for p in net.parameters()) == parameters


def test_dropout_is_set_where_asked_for():
    assert build("timm:resnet18", 1, 32, 30, drop_rate=0.25).drop_rate == 0.25


def test_a_member_says_what_it_is():
    spec = REGISTRY.get(ModelSpec, "timm:resnet18.a1_in1k")
    assert (spec.name, spec.input, spec.member, spec.unavailable()) == ("timm:resnet18.a1_in1k", (1, 96), None, None)
    assert "timm/resnet18.a1_in1k, licence apache-2.0" in spec.card.text
    assert source_digest(spec).startswith("sha256:")
    assert source_digest(spec) == source_digest(REGISTRY.get(ModelSpec, "timm:resnet34"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "timm:resnet1",
            r"model 'resnet1'\. Did you mean timm:resnet18 or .* `fkbench list models 'timm:\*net\*'`",
        ),
        ("timm:resnet18.nope", r"Unknown timm model 'resnet18\.nope'\. Did you mean timm:resnet18\."),
        ("tim:resnet18", r"Unknown model 'tim:resnet18'\. Did you mean timm:resnet18"),
    ],
)
def test_unknown_names_offer_near_ones(name, words):
    with pytest.raises(UnknownNameError, match=words):
        find_model(REGISTRY, name)


def test_an_empty_name_is_refused():
    with pytest.raises(FkbenchError, match=r"'timm:' names no net"):
        find_model(REGISTRY, "timm:")


def test_pretrained_weights_that_cannot_be_had_are_said_in_one_line(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(FkbenchError, match=r"pretrained weights of 'timm:resnet18' cannot be had.*forbidden") as caught:
        build("timm:resnet18", 1, 64, 30, pretrained=True)
    assert "\n" not in caught.value.message + caught.value.remedy


def test_a_net_without_pretrained_weights_says_so():
    import timm

    bare = next(name for name in timm.list_models() if not timm.is_model_pretrained(name))
    with pytest.raises(FkbenchError, match=rf"timm has no pretrained weights for '{bare}'"):
        build(f"timm:{bare}", 1, 96, 30, pretrained=True)


def test_pretrained_weights_are_loaded_into_all_but_the_last_layer(monkeypatch):
    import timm

    asked = []
    original = timm.create_model

    def create(name, pretrained=False, **options):
        asked.append(pretrained)
        return original(name, **options)

    monkeypatch.setattr(timm, "create_model", create)
    build("timm:resnet18", 1, 64, 30)
    assert not any(asked)
    build("timm:resnet18", 1, 64, 30, pretrained=True)
    assert asked[-1]


def test_a_library_that_cannot_be_imported_is_one_line(monkeypatch, tmp_path):
    broken = tmp_path / "timm"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('operator torchvision::nms does not exist\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name == "timm" or name.startswith("timm.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(
        FkbenchError, match="timm cannot be imported: operator torchvision::nms does not exist"
    ) as caught:
        find_model(REGISTRY, "timm:resnet18")
    assert "pip install --upgrade torch torchvision timm" in caught.value.remedy


def test_the_list_names_the_family_without_importing_it_and_its_members_on_request(capsys, monkeypatch):
    for name in [name for name in sys.modules if name == "timm" or name.startswith("timm.")]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["list", "models"]) == 0
    assert "timm:NAME" in capsys.readouterr().out
    assert "timm" not in sys.modules
    assert main(["list", "models", "timm:resnet18*", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"timm:resnet18", "timm:resnet18d"} <= set(rows)
    assert rows["timm:resnet18"]["available"]


def test_show_has_the_layers_of_a_member(capsys):
    assert main(["show", "timm:resnet18", "--json"]) == 0
    page = json.loads(capsys.readouterr().out)
    assert (page["name"], page["input"], page["outputs"]) == ("timm:resnet18", [1, 96], 30)
    assert page["parameters"] == sum(layer["parameters"] for layer in page["layers"]) == 11_185_630
    assert main(["show", "timm", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"] == []
