"""What plugins declare: light descriptions with references to the heavy code that does the work.

Standard library only. `fkbench list` reads every spec of every plugin and must not import torch, cv2 or pandas, so a
spec names its code as `"package.module:attribute"`, which is imported when it is first called for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from fkbench.errors import FkbenchError
from fkbench.recipes import Augmentation, CodecSpec, Geometry, Protocol, Recipe, Stage
from fkbench.schemes import Scheme
from fkbench.spec_base import Plugin, Ref, Setting, Spec, from_plugin, resolve
from fkbench.spec_detectors import Correction, DetectorSpec

__all__ = [
    "Augmentation",
    "Card",
    "CodecSpec",
    "Correction",
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
    """Terms of a dataset: licence and its url, whether pictures may be shown in `public`, a note for its users."""

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
        terms: licence, and whether its pictures may be shown in public.
        ways: how to get the data, shown when it is not there.
        embedded: there without any download; named where another dataset is missing.
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


INPUT_SETTINGS = ("input_channels", "input_size")
"""Settings of these names change a model's `input`; a model that takes any input declares them."""


@dataclass(frozen=True)
class Card:
    """Where an architecture comes from and how this version differs.

    Attributes:
        source: title and author of the article, year.
        url: its address.
        text: what the architecture is, as the source has it.
        deviations: what this version does otherwise, one line each.
        assumed: what the source leaves open and was chosen here, one line each.
    """

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
        kind: `net` or `predictor`, see `build`.
        head: `coordinates`: the output is the points themselves.
        card: where it comes from.
        role: `baseline` rows stand in every table; the core knows them by this alone.
        deterministic: one run is enough, there is no randomness in fitting.
        recipes: protocol name → the model's own recipe (`article`).
        collapse_share: of a baseline: a net that ends no better than this share of its rmse is marked `collapsed`.
        not_run: why this net is listed and counted but never trained; empty for all others.
        member: this spec is a family: `member(spec, rest) -> ModelSpec` gives the model named `family:rest`, or raises
            UnknownNameError. A family by itself is not built.
        members: of a family: `members() -> names`, each a `rest`; for `fkbench list models 'family:*'`.
        examples: of a family: members that stand for all of them where every model is tested.
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
    not_run: str = ""
    member: Ref | None = None
    members: Ref | None = None
    examples: tuple[str, ...] = ()

    def unavailable(self) -> str | None:
        return super().unavailable() or self.not_run or None

    def sized(self, settings: Mapping[str, Any]) -> ModelSpec:
        """The same model with its input as the settings `input_channels` and `input_size` say, where it has them.

        Raises:
            FkbenchError: one of them is below 1.
        """
        channels, size = (int(settings.get(name, own)) for name, own in zip(INPUT_SETTINGS, self.input, strict=True))
        if min(channels, size) < 1:
            raise FkbenchError(f"'{self.name}' cannot see pictures of {channels}×{size}×{size}.", "Give 1 or more.")
        return replace(self, input=(channels, size))

    def keywords(self, settings: Mapping[str, Any], *, fresh: bool = True) -> dict[str, Any]:
        """Settings as `build` takes them, beside `channels` and `size`, which are its input.

        Args:
            fresh: False where weights will be loaded: settings that concern fresh ones alone are at their default.
        """
        chosen = {name: value for name, value in settings.items() if name not in INPUT_SETTINGS}
        left = {} if fresh else {name: own.default for name, own in self.settings.items() if own.fresh}
        return chosen | left


# --- the rest -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class MetricSpec(Spec):
    """A score beyond the built-in ones: `compute(errors: ImageErrors) -> float`. It becomes a column of the tables.

    Attributes:
        better: which values are.
    """

    compute: Ref
    better: Literal["lower", "higher"] = "lower"


@dataclass(frozen=True, kw_only=True)
class RuntimeSpec(Spec):
    """A way to execute a trained net.

    Attributes:
        prepare: `prepare(net, device) -> callable` with the net's own signature; the net itself stays as it is. What
            depends on the shape of a batch may wait for the first call with it.
        precision: in which it computes, whatever was asked for: `fp32`, `bf16` or `fp16`; empty: as asked.
        devices: types of device on which it works.
        each_size: whether each size of batch is prepared anew, at its first call. Where sizes vary (`predict`, `demo`)
            batches are then filled up to the next power of two.
    """

    prepare: Ref
    precision: str = ""
    devices: tuple[str, ...] = ("cpu", "cuda")
    each_size: bool = False
