"""What plugins declare: light descriptions with references to the heavy code that does the work.

Standard library only. `fkbench list` reads every spec of every plugin and must not import torch, cv2 or pandas, so a
spec names its code as `"package.module:attribute"`, which is imported when it is first called for.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fkbench.errors import FkbenchError
from fkbench.recipes import Augmentation, CodecSpec, Geometry, Protocol, Recipe, Stage
from fkbench.schemes import Scheme

__all__ = [
    "Augmentation",
    "Card",
    "CodecSpec",
    "DatasetSpec",
    "DetectorSpec",
    "Geometry",
    "MetricSpec",
    "ModelSpec",
    "Plugin",
    "Protocol",
    "Recipe",
    "Ref",
    "RuntimeSpec",
    "Setting",
    "Spec",
    "SplitSpec",
    "Stage",
    "Terms",
    "from_plugin",
    "resolve",
]

Ref = str | Callable[..., Any]
"""A callable, or where to find one: `"package.module:attribute"`."""


def resolve(ref: Ref) -> Callable[..., Any]:
    """The callable behind a reference.

    Raises:
        FkbenchError: the module or attribute is not there.
    """
    if not isinstance(ref, str):
        return ref
    module_name, _, attribute = ref.partition(":")
    try:
        found: Callable[..., Any] = getattr(importlib.import_module(module_name), attribute)
    except (ImportError, AttributeError) as error:
        raise FkbenchError(
            f"Plugin code '{ref}' cannot be loaded: {error}.", "Install what the plugin needs, see `fkbench plugins`."
        ) from error
    return found


@dataclass(frozen=True)
class Setting:
    """A value that `--set` can change. Its type is that of the default."""

    default: Any
    help: str
    choices: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Plugin:
    """Where a spec came from: distribution and version, or a local file, and the digest of its source."""

    name: str
    version: str = ""
    path: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What all kinds of spec share.

    Attributes:
        name: as typed on the command line; unique within its kind.
        summary: one line for `fkbench list`.
        settings: what `--set` can change, by name.
        needs: importable packages without which it is listed as not available.
        plugin: filled in by the registry.
    """

    name: str
    summary: str = ""
    settings: Mapping[str, Setting] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    plugin: Plugin = Plugin("unregistered")

    def lacking(self) -> str | None:
        """Which packages are not here, or None. Cheap: looks for them without importing them."""
        lacking = [package for package in self.needs if importlib.util.find_spec(package) is None]
        return f"needs the package {', '.join(lacking)}" if lacking else None

    def unavailable(self) -> str | None:
        """Why this cannot be used here, or None."""
        return self.lacking()


# --- datasets -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SplitSpec:
    """One way to part a dataset.

    Attributes:
        name: as in `--split name` or `--split name/fold`.
        summary: one line.
        folds: number of folds that `name/i` can ask for (1 = no folds).
        leaky: persons, clips or near-duplicates stand on both sides by construction: marked, ranked apart.
        version: raised whenever membership changes; part of a run's key. 0: made from the membership itself, for parts
            that come from files which may change.
    """

    name: str
    summary: str
    folds: int = 1
    leaky: bool = False
    version: int = 1


@dataclass(frozen=True)
class Terms:
    """Licence and terms of a dataset: `public` says whether its pictures may be shown in published pages."""

    licence: str
    url: str = ""
    public: bool = False
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class DatasetSpec(Spec):
    """A dataset.

    Attributes:
        scheme: its landmark scheme, or the name of a built-in one; read it through `fkbench.schemes.scheme_of`.
        load: `load(store: Store, settings: dict) -> Samples` (see `fkbench.datasets`); long work reports to
            `fkbench.datasets.progress.listener()`.
        split: `split(samples, name: str, fold: int) -> Split`; default: 65/10/25 % by a hash of the group.
        importer: `importer(store, path) -> Mapping` reads the official layout from a zip or folder.
        acquire: `acquire(store, offline) -> Path | None` fetches the official files, or raises with what to do.
        requires: names of the imports that must be in the store (none: the data is made by the plugin).
        makes: names of the packs that `load` itself puts into the store; `data verify` looks at them too.
        splits: the first is the default.
        boxes: boxes that make sense: `frame` for sets that are face crops already.
        any_box: detectors of any name make sense too: the frames are no crops.
        defaults: protocol name → (split, box); `uniform` serves for any other protocol.
        channels: channels of the frames (1 grey, 3 colour).
        scoring: `own` (the sample's own pixels) or `face224` (224 / (1.25 · longer side of the points' box)).
        margin: share of the box kept around training views for augmentation; 0 where frames are crops already.
        convention_mix: row kind → weight of `rmse_kaggle_mix`-like weighted scores, by metric name.
        ways: how to get the data, shown when it is not there.
    """

    scheme: str | Scheme
    load: Ref
    splits: tuple[SplitSpec, ...] = (SplitSpec("default", "65/10/25 % by a hash of the group"),)
    split: Ref | None = None
    importer: Ref | None = None
    acquire: Ref | None = None
    requires: tuple[str, ...] = ()
    makes: tuple[str, ...] = ()
    boxes: tuple[str, ...] = ("frame",)
    any_box: bool = False
    defaults: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    channels: int = 1
    scoring: Literal["own", "face224"] = "own"
    margin: float = 0.0
    convention_mix: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    terms: Terms = Terms("unknown")
    ways: str = ""
    embedded: bool = False

    @property
    def scheme_name(self) -> str:
        return self.scheme if isinstance(self.scheme, str) else self.scheme.name

    def default_split(self, protocol: str) -> str:
        return self.defaults.get(protocol, self.defaults.get("uniform", (self.splits[0].name, "")))[0]

    def default_box(self, protocol: str) -> str:
        return self.defaults.get(protocol, self.defaults.get("uniform", ("", self.boxes[0])))[1]


# --- models -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """Where an architecture comes from and how this version differs."""

    source: str = ""
    url: str = ""
    text: str = ""
    deviations: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelSpec(Spec):
    """A model: a net that the engine trains, or a predictor that fits by itself.

    Attributes:
        build: `net`: `build(channels, size, outputs, **settings) -> torch.nn.Module` that maps (N, C, R, R) floats
            (in [0, 1], or standardised where the recipe says so) to (N, outputs); `predictor`: `build(**settings)`
            gives an object with `fit(images, points, valid)`, `predict(images) -> (N, K, 2)`,
            `state() -> dict of arrays` and `restore(state)`.
        input: (channels, size) of the views that it sees.
        role: `baseline` rows stand in every table; the core knows them by this alone.
        deterministic: one run is enough, there is no randomness in fitting.
        recipes: protocol name → the model's own recipe (`article`).
        collapse_share: of a baseline: a net that ends no better than this share of its rmse is marked `collapsed`.
        reduced: settings under which the conformance kit runs a net that is too large for it; parameters are counted
            at full size all the same.
        not_run: why this net is listed and counted but never trained; empty for all others.
    """

    build: Ref
    input: tuple[int, int] = (1, 96)
    kind: Literal["net", "predictor"] = "net"
    role: Literal["entry", "baseline"] = "entry"
    head: str = "coordinates"
    deterministic: bool = False
    collapse_share: float = 0.0
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    card: Card = Card()
    reduced: Mapping[str, Any] = field(default_factory=dict)
    not_run: str = ""

    def unavailable(self) -> str | None:
        return self.lacking() or self.not_run or None


# --- the rest -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DetectorSpec(Spec):
    """A source of face boxes.

    Attributes:
        boxes: `boxes(samples, settings) -> (N, 4)` float x, y, w, h in native pixels, NaN where no face was found.
        role: `oracle` boxes are made from the frame or the labels, and are not scored as detectors.
        needs_labels: made from the true points, so not for pictures without them.
        jitter: greatest shift of centre and side, share of the side, by a hash of the id, when scoring.
    """

    boxes: Ref
    role: Literal["detector", "oracle"] = "detector"
    needs_labels: bool = False
    jitter: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """A score beyond the built-in ones: `compute(errors: ImageErrors) -> float`; it becomes a column of the tables."""

    compute: Ref
    better: Literal["lower", "higher"] = "lower"


@dataclass(frozen=True, kw_only=True)
class RuntimeSpec(Spec):
    """A way to execute a trained net: `prepare(net, device) -> callable` with the net's own signature."""

    prepare: Ref


def from_plugin(spec: Spec, plugin: Plugin) -> Spec:
    """The same spec with its origin filled in."""
    return replace(spec, plugin=plugin)
