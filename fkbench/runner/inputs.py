"""What a run reads: samples, split, boxes and views of one dataset, opened once for all seeds and baselines."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fkbench.datasets.access import open_samples
from fkbench.datasets.boxes import BoxArray, check_box, find_boxes, jittered, squared, whole_frames
from fkbench.datasets.geometry import WholeFrames, cached_rescaled, cached_whole_views, check_geometry
from fkbench.datasets.progress import Progress, listening
from fkbench.datasets.samples import FloatArray, Frames, IntArray, Samples, Split
from fkbench.datasets.scoring import scoring_scale
from fkbench.datasets.splits import get_split
from fkbench.datasets.store import Store
from fkbench.datasets.views import Views, apply_affine, cached_views, invert_affine
from fkbench.detect.correction import choose_correction
from fkbench.detect.opening import check_detector_usable, detector_settings
from fkbench.finding import find_run_dataset
from fkbench.records import RunRecord
from fkbench.registry import Registry
from fkbench.schemes import Scheme, scheme_of
from fkbench.specs import DatasetSpec, DetectorSpec, Geometry
from fkbench.train.resident import Resident, ResidentFrames, Rows


@dataclass
class Inputs:
    """An opened dataset with a split and a source of boxes.

    Attributes:
        box_settings: the detector's settings, resolved.
        test_only: a detector searches only the pictures that are scored; the boxes of the others are not known.
        missed: (N,) where the detector found none.
        scale: (N,) scoring-frame pixels per native pixel.
    """

    spec: DatasetSpec
    store: Store
    samples: Samples
    split: Split
    detector: DetectorSpec
    box_settings: dict[str, Any]
    test_only: bool = False
    _views: dict[tuple[Any, ...], Views] = field(default_factory=dict)

    @property
    def scheme(self) -> Scheme:
        return scheme_of(self.spec)

    @cached_property
    def scale(self) -> FloatArray:
        return scoring_scale(self.spec, self.samples)

    @cached_property
    def _found(self) -> tuple[BoxArray, npt.NDArray[np.bool_]]:
        rows = self.split.test.tolist() if self.test_only else None
        return find_boxes(self.detector, self.samples, self.box_settings, self.store, rows)

    def find(self) -> None:
        """Look for the faces now, where that takes long: later it is remembered."""
        _ = self._found

    @property
    def missed(self) -> npt.NDArray[np.bool_]:
        return self._found[1]

    @property
    def eval_boxes(self) -> BoxArray:
        """(N, 4) squares as they are scored: jittered where the box is."""
        return jittered(self._found[0], self.samples.ids, self.detector.jitter).copy()

    @property
    def box(self) -> dict[str, Any]:
        """The box as plan and record state it: all that decides where it lies."""
        stated = {"name": self.detector.name, "settings": self.box_settings, "jitter": self.detector.jitter}
        return {**stated, **({"correction": self.correction} if self.detector.find is not None else {})}

    @cached_property
    def correction(self) -> dict[str, float]:
        """What brings the detector's boxes onto the reference square."""
        chosen = choose_correction(self.detector, self.box_settings, self.store)
        return {"scale": chosen.scale, "dx": chosen.dx, "dy": chosen.dy}

    def eval_views(self, size: int, channels: int, geometry: Geometry | None = None) -> Views:
        """Views of all samples as they are scored: jittered box without margin, or by an article's geometry."""
        if geometry is None or geometry.kind == "view":
            return self._view(size, channels, training=False)
        check_geometry(geometry, size, self._whole_box)
        key = (size, channels, geometry)
        if key not in self._views:
            stated = {"fingerprint": self.samples.fingerprint}
            self._views[key] = cached_whole_views(self.store, stated, self.samples.frames, size, channels, geometry)
        return self._views[key]

    def canvases(self, size: int, channels: int) -> Views:
        """Views of all samples for training: unjittered box, with the dataset's margin."""
        return self._view(size, channels, training=True)

    def training(self, size: int, channels: int, geometry: Geometry, rows: IntArray, device: torch.device) -> Rows:
        """Rows as they are trained on, on the device.

        Raises:
            FkbenchError: the geometry does not go with the box.
        """
        if geometry.kind == "view":
            return self.resident(self.canvases(size, channels), rows, device)
        if geometry.kind == "resize":
            return self.resident(self.eval_views(size, channels, geometry), rows, device)
        check_geometry(geometry, size, self._whole_box)
        stated = {"fingerprint": self.samples.fingerprint}
        whole = cached_rescaled(self.store, stated, self.samples.frames, channels, geometry)
        return self._resident_frames(whole, rows, size, device)

    @cached_property
    def _whole_box(self) -> bool:
        """Whether the box is the whole frame."""
        return bool((self._found[0] == squared(whole_frames(self.samples))).all())

    def _resident_frames(self, whole: WholeFrames, rows: IntArray, size: int, device: torch.device) -> ResidentFrames:
        frames = Frames.pack([whole.frames[int(row)] for row in rows])
        points, valid, unit = self._labels(whole.to_native, rows, device)
        offsets, shapes = frames.offsets // frames.shapes[:, 2], torch.from_numpy(frames.shapes).to(device)
        return ResidentFrames(
            buffer=torch.from_numpy(frames.buffer.reshape(-1, int(frames.shapes[0, 2]))).to(device),
            offsets=torch.from_numpy(offsets).to(device),
            height=shapes[:, 0],
            width=shapes[:, 1],
            points=points,
            valid=valid,
            unit=unit,
            size=size,
        )

    def _view(self, size: int, channels: int, *, training: bool) -> Views:
        plain = self.spec.margin == 0 and self.detector.jitter == 0
        key = (size, channels, training and not plain)
        if key not in self._views:
            self._views[key] = self._as_they_are(size, channels) if plain else self._cut(size, channels, training)
        return self._views[key]

    def _as_they_are(self, size: int, channels: int) -> Views:
        """Frames that are views already are used in place, without a copy."""
        frames = self.samples.frames
        whole = bool((frames.shapes == (size, size, channels)).all()) and bool(
            (self._found[0] == whole_frames(self.samples)).all()
        )
        if not whole or channels != 1 or len(frames.buffer) != len(frames) * size * size:
            return self._cut(size, channels, training=False)
        maps = np.tile(np.array([[1.0, 0, 0], [0, 1.0, 0]]), (len(frames), 1, 1))
        return Views(frames.buffer.reshape(len(frames), 1, size, size), maps, size, 0)

    def _cut(self, size: int, channels: int, training: bool) -> Views:
        boxes, _ = self._found
        jitter = 0.0 if training else self.detector.jitter
        boxes = jittered(boxes, self.samples.ids, jitter)
        margin = self.spec.margin if training else 0.0
        key = {"fingerprint": self.samples.fingerprint, **self.box, "jitter": jitter}
        if self.detector.find is not None:  # another version of its library finds other boxes under the same settings
            key["boxes"] = hashlib.sha256(boxes.tobytes()).hexdigest()[:20]
        return cached_views(self.store, key, self.samples.frames, boxes, size, channels, margin)

    def resident(self, views: Views, rows: IntArray, device: torch.device) -> Resident:
        """Rows of views on the device, with their points in view pixels."""
        images = torch.from_numpy(np.ascontiguousarray(views.images[rows])).to(device)
        return Resident(images, *self._labels(views.to_native, rows, device), pad=views.pad)

    def _labels(
        self, to_native: npt.NDArray[np.float64], rows: IntArray, device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Points, valid and unit of these rows."""
        points = apply_affine(invert_affine(to_native[rows]), self.samples.points[rows])
        unit = self.scale[rows, None] * np.stack([to_native[rows, 0, 0], to_native[rows, 1, 1]], axis=1)
        return (
            torch.from_numpy(np.nan_to_num(points, nan=0.0)).to(device),
            torch.from_numpy(np.ascontiguousarray(self.samples.valid[rows])).to(device),
            torch.from_numpy(unit.astype(np.float32)).to(device),
        )


def open_inputs(
    registry: Registry,
    store: Store,
    spec: DatasetSpec,
    *,
    split: str,
    box: str,
    settings: Mapping[str, Mapping[str, Any]],
    progress: Progress | None = None,
    test_only: bool = False,
) -> Inputs:
    """Open a dataset for running or scoring.

    Args:
        test_only: for scoring alone: a detector is spared the pictures of the other parts.

    Raises:
        FkbenchError: the data is not there, or split, box or a setting is bad.
    """
    detector = check_box(spec, registry, box)
    samples = open_samples(spec, store, settings.get("dataset"), progress, registry=registry)
    chosen = get_split(spec, samples, split)
    box_settings = detector_settings(detector, settings.get("detector", {}))
    inputs = Inputs(spec, store, samples, chosen, detector, box_settings, test_only)
    if detector.find is not None:
        check_detector_usable(detector, box_settings)
        with listening(progress):
            inputs.find()
    return inputs


def inputs_of(record: RunRecord, registry: Registry, store: Store) -> Inputs:
    """The data that a run was scored on, with its box.

    Raises:
        FkbenchError: it is not there.
    """
    spec = find_run_dataset(registry, record.dataset.name, store.root)
    settings = {"dataset": record.dataset.settings, "detector": record.detector_settings}
    return open_inputs(registry, store, spec, split=record.dataset.split, box=record.box, settings=settings)
