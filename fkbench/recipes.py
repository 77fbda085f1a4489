"""How nets are trained and scored: codec, augmentation, recipe and protocol. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class CodecSpec:
    """How points become a head's targets and back.

    Coordinate codec: target = (p − offset) / scale with p in input pixels; `canonical` takes
    offset and scale from the input size so that targets lie in [−1, 1].

    Attributes:
        kind: `canonical`: targets in [−1, 1] by the input size; `affine`: by offset and scale.
        offset: affine: subtracted from a point's pixels.
        scale: affine: then divided by.
        loss: `smooth_l1`, `mse`, or `root_mse` (root of the batch's mean, guarded at zero).
    """

    kind: Literal["canonical", "affine"] = "canonical"
    offset: float = 0.0
    scale: float = 1.0
    loss: Literal["smooth_l1", "mse", "root_mse"] = "smooth_l1"


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a training picture; all zero: none.

    Attributes:
        flip: probability of a mirrored picture (points swapped).
        rotation: σ of the angle, degrees.
        scale: σ of the relative size.
        shift: σ of the shift along each axis, share of the side.
        contrast: greatest relative change of contrast about the picture's mean (uniform in ±).
        brightness: greatest relative change of brightness (uniform in ±).
        blur: probability of a 3×3 binomial blur.
        noise: greatest σ of white noise, share of full scale (σ uniform in 0…noise).
        sharpness: sharpness factor (0 blurs, 1 leaves, 2 sharpens).
        sharpness_p: probability of applying it.
    """

    flip: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    contrast: float = 0.0
    brightness: float = 0.0
    blur: float = 0.0
    noise: float = 0.0
    sharpness: float = 1.0
    sharpness_p: float = 0.0


@dataclass(frozen=True)
class Geometry:
    """How a frame becomes a picture of the net's input size.

    Attributes:
        kind: `view`: the square around the box, antialiased; `rescale_crop`: the whole frame, shorter side to
            `rescale`, aspect kept, then a random crop in training and the middle one in scoring; `resize`: the whole
            frame, both axes apart. The last two are articles' own, without antialiasing and with p′ = p · s, and make
            sense for the box `frame` alone.
        rescale: length of the shorter side for `rescale_crop`, pixels.
    """

    kind: Literal["view", "rescale_crop", "resize"] = "view"
    rescale: int = 0


@dataclass(frozen=True)
class Stage:
    """One stage of an augmentation made before training: every row is kept, and a changed copy stands beside it.

    Stages follow one another, so three of them make eight rows of one. All draws are made once for the whole training.

    Attributes:
        gain: range of a factor on brightness, not clipped.
        blur_p: probability of a Gaussian blur.
        blur: range of its σ, pixels.
        rotation: one fixed angle, degrees, clockwise on the screen; what comes from outside the picture is black.
        scale: range of the size, about the middle.
        mirror: x′ = W − x, and no point changes its name: left eyes become “right eyes” that are labelled left. Wrong,
            and kept for the articles that do it.
    """

    gain: tuple[float, float] = (1.0, 1.0)
    blur_p: float = 0.0
    blur: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    mirror: bool = False


@dataclass(frozen=True)
class Recipe:
    """Everything about training that is not the net.

    Attributes:
        normalise: `unit`: pictures in [0, 1]; `standard`: each picture with mean 0 and deviation 1.
        initialisation: `own`: as the net comes; `he`: layers that still have PyTorch's default weights get He's, and
            the output layer starts at the mean of the training targets (see `fkbench.train.initialisation`).
        optimiser: `adamw`, `adam`, `adamax` or `sgd`.
        geometry: how frames become pictures.
        stages: augmentation made before training, see `Stage`.
        pool_split: share of the rows of all stages that an article took for validation *after* augmenting: copies of
            one picture stand on both sides, so its native score leaks, and the record says so. 0: validation is the
            split's own.
        codec: how points become targets, and the loss.
        augmentation: random changes of training pictures.
        lr: learning rate, the greatest of the schedule.
        weight_decay: of the optimiser.
        warmup: share of the steps in which the rate rises from 0 (cosine only).
        plateau_factor: what the rate is multiplied by (plateau only).
        plateau_patience: epochs without a better validation loss before that (plateau only).
        min_lr: the rate is not lowered below this (plateau only).
        batch: pictures in a step.
        schedule: `cosine` (linear warm-up for `warmup` of the steps, cosine to 0), `constant`, or `plateau`: the rate
            times `plateau_factor`, not below `min_lr`, when the validation loss has not fallen by 1e-4 of itself for
            more than `plateau_patience` epochs (PyTorch's ReduceLROnPlateau).
        images_seen: budget; 0 = by `epochs`.
        epochs: passes over the training part, where images_seen is 0.
        drop_last: leave out an epoch's last, smaller batch.
        precision: device type → `fp32` or `bf16` (autocast).
        selection: `best` weights by validation rmse, or the `last`.
        train_on: `train`, or `train+val` where an article uses all its training rows.
        native_loss: report the article's own loss (that of the codec) on the test part beside our scores.
    """

    codec: CodecSpec = CodecSpec()
    augmentation: Augmentation = Augmentation()
    normalise: Literal["unit", "standard"] = "unit"
    initialisation: Literal["own", "he"] = "own"
    optimiser: Literal["adamw", "adam", "adamax", "sgd"] = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.0
    geometry: Geometry = Geometry()
    stages: tuple[Stage, ...] = ()
    pool_split: float = 0.0
    schedule: Literal["cosine", "constant", "plateau"] = "constant"
    warmup: float = 0.0
    plateau_factor: float = 0.1
    plateau_patience: int = 10
    min_lr: float = 0.0
    batch: int = 32
    images_seen: int = 0
    epochs: int = 0
    drop_last: bool = False
    precision: Mapping[str, str] = field(default_factory=lambda: {"cpu": "fp32", "cuda": "fp32"})
    selection: Literal["best", "last"] = "best"
    train_on: Literal["train", "train+val"] = "train"
    native_loss: bool = False


@dataclass(frozen=True)
class Protocol:
    """A named, versioned way to train and score.

    Attributes:
        name: as in `--protocol`.
        version: raised whenever a frozen setting changes; in every record.
        summary: one line.
        recipe: the recipe for every net; None: the model's own one of this protocol's name.
        frozen: its settings will not change any more under this version.
        ranked: its rows may be ranked (frozen only).
    """

    name: str
    version: int
    summary: str
    recipe: Recipe | None
    frozen: bool = False
    ranked: bool = False
