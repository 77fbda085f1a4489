"""The loader: transactional, fault-isolating, three doors."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from fkbench import DatasetSpec, FkbenchError, ModelSpec, hookimpl
from fkbench.errors import UnknownNameError
from fkbench.registry import Registry, load_file, load_module, load_registry
from fkbench.specs import Plugin, RuntimeSpec


def plugin(**hooks):
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


def model(name: str) -> ModelSpec:
    return ModelSpec(name=name, build="nowhere:build")


def test_a_raising_plugin_leaves_nothing_behind_and_stops_nothing():
    def broken(register):
        register(model("half"))
        raise RuntimeError("no weights today")

    registry = Registry()
    load_module(registry, plugin(fkbench_models=lambda register: register(model("good"))), Plugin("good"))
    load_module(registry, plugin(fkbench_models=broken), Plugin("broken"))
    load_module(registry, plugin(fkbench_models=lambda register: register(model("later"))), Plugin("later"))
    assert [spec.name for spec in registry.all(ModelSpec)] == ["good", "later"]
    assert [(f.plugin, f.part) for f in registry.failures] == [("broken", "fkbench_models")]
    assert "no weights today" in registry.failures[0].reason


def test_other_hooks_of_a_half_broken_plugin_still_register():
    def broken(register):
        raise RuntimeError

    both = plugin(
        fkbench_models=broken, fkbench_runtimes=lambda register: register(RuntimeSpec(name="r", prepare="nowhere:x"))
    )
    registry = Registry()
    load_module(registry, both, Plugin("both"))
    assert [spec.name for spec in registry.all(RuntimeSpec)] == ["r"]


def test_two_plugins_of_one_name_are_both_named_and_the_first_stays():
    registry = Registry()
    load_module(registry, plugin(fkbench_models=lambda register: register(model("net"))), Plugin("first"))
    load_module(registry, plugin(fkbench_models=lambda register: register(model("net"))), Plugin("second"))
    assert str(registry.get(ModelSpec, "net").plugin) == "first"
    assert "first" in registry.failures[0].reason
    assert "second" in registry.failures[0].reason


def test_an_unknown_hook_is_reported():
    registry = Registry()
    load_module(registry, plugin(fkbench_modles=lambda register: None), Plugin("typo"))
    assert registry.failures[0].part == "unknown hook"
    assert registry.plugins == []


def test_a_hook_with_a_wrong_argument_is_reported():
    registry = Registry()
    load_module(registry, plugin(fkbench_models=lambda registar: None), Plugin("typo"))
    assert registry.failures[0].part == "hooks"


def test_a_spec_of_the_wrong_kind_is_refused():
    registry = Registry()
    load_module(registry, plugin(fkbench_datasets=lambda register: register(model("net"))), Plugin("mixed"))
    assert "ModelSpec" in registry.failures[0].reason
    assert registry.all(DatasetSpec) == []


def test_unknown_names_say_what_is_near():
    registry = Registry()
    load_module(registry, plugin(fkbench_models=lambda register: register(model("resnet"))), Plugin("p"))
    with pytest.raises(UnknownNameError, match="Did you mean resnet"):
        registry.get(ModelSpec, "resnett")
    with pytest.raises(UnknownNameError, match="None is registered"):
        registry.get(RuntimeSpec, "eager")


LOCAL = '''
import fkbench

@fkbench.model("tiny", input=(1, 32))
def tiny(channels, size, outputs):
    """A tiny net."""
    raise NotImplementedError
'''


def test_a_local_file_gives_what_it_marks(tmp_path: Path):
    file = tmp_path / "tiny.py"
    file.write_text(LOCAL)
    registry = Registry()
    (spec,) = load_file(registry, file)
    assert isinstance(spec, ModelSpec)
    assert (spec.name, spec.input, spec.summary) == ("tiny", (1, 32), "A tiny net.")
    assert registry.get(ModelSpec, "tiny").plugin.path == str(file)


def test_two_local_files_of_one_file_name_do_not_collide(tmp_path: Path):
    registry = Registry()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.py").write_text(LOCAL.replace("tiny", name))
        load_file(registry, tmp_path / name / "net.py")
    assert [spec.name for spec in registry.all(ModelSpec)] == ["a", "b"]


@pytest.mark.parametrize("text", ["import no_such_package_here", "def broken(:", "raise SystemExit(3)"])
def test_a_broken_local_file_is_a_failure_not_a_crash(tmp_path: Path, text: str):
    file = tmp_path / "bad.py"
    file.write_text(text)
    registry = Registry()
    assert load_file(registry, file) == []
    assert registry.failures[0].plugin == "bad.py"


def test_a_plugin_file_that_is_not_there_is_an_error_and_one_given_twice_is_loaded_once(tmp_path: Path):
    with pytest.raises(FkbenchError, match="nothere"):
        load_registry([tmp_path / "nothere.py"], entry_points=False)
    file = tmp_path / "tiny.py"
    file.write_text(LOCAL)
    registry = load_registry([file, file], entry_points=False)
    assert registry.failures == []
    assert load_file(registry, file) == registry.all(ModelSpec)


def test_strict_raises_what_else_is_kept(tmp_path: Path):
    file = tmp_path / "bad.py"
    file.write_text("1 / 0")
    assert load_registry([file], entry_points=False).failures
    with pytest.raises(FkbenchError, match=r"bad\.py"):
        load_registry([file], entry_points=False, strict=True)


def test_the_built_in_plugins_load_without_failure():
    registry = load_registry()
    assert registry.failures == []
    assert {"dfk", "mean-shape", "pca-ridge", "nearest"} <= {spec.name for spec in registry.all(ModelSpec)}
