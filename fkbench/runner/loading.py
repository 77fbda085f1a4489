"""A finished run as something that predicts: weights, codec and input size put back together from its record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fkbench.datasets.boxes import BoxArray, find_boxes, squared, whole_frames
from fkbench.datasets.geometry import whole_frame_views
from fkbench.datasets.samples import FloatArray, Frames, Samples
from fkbench.datasets.store import Store
from fkbench.datasets.views import apply_affine, make_views
from fkbench.detect import Found, OpenDetector, detector_settings, open_detector
from fkbench.detect.pictures import as_picture
from fkbench.errors import FkbenchError
from fkbench.finding import find_run_dataset
from fkbench.records import RunRecord, read_arrays
from fkbench.registry import Registry
from fkbench.runner.boxing import like_the_run
from fkbench.runner.calibration import settled, trained_relation
from fkbench.runner.device import precision_of
from fkbench.runner.fit import build_net, make_predictor
from fkbench.runner.loop import points_in
from fkbench.runner.recorded import recorded_model, recorded_recipe
from fkbench.schemes import Scheme, scheme_of
from fkbench.specs import DetectorSpec, Geometry, ModelSpec
from fkbench.train.allocator import keep_freed_memory
from fkbench.train.codecs import make_codec
from fkbench.train.predictors import NetPredictor, Predictor


@dataclass
class LoadedRun:
    """A run that predicts.

    Attributes:
        predictor: takes views of the model's input size.
        scheme: of its points.
        geometry: of its recipe; None where it has none.
        store: the data folder, where a detector's own corrections lie; None: those of its plugin are used.
        runtime: by whose form of the net it predicts; empty: PyTorch as the run was scored.
    """

    record: RunRecord
    model: ModelSpec
    predictor: Predictor
    scheme: Scheme
    registry: Registry
    geometry: Geometry | None = None
    store: Store | None = None
    runtime: str = ""

    @cached_property
    def relation(self) -> BoxArray | None:
        """(3,) what a square of its training is to a face's reference square, see `fkbench.runner.calibration`."""
        return trained_relation(self)

    def predict(
        self,
        images: Sequence[npt.NDArray[np.uint8]],
        detector: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> FloatArray:
        """Points of one face per picture.

        Args:
            images: N pictures (H, W) or (H, W, C) uint8, colour as RGB, of any sizes.
            detector: says where the face is; None: it fills the picture.
            settings: the detector's settings; the run's own box has those of the run where none are given.

        Returns:
            (N, K, 2) float32, x then y in pixels of the picture, centres at integers.
        """
        points, _ = self.predict_frames(Frames.pack(list(images)), detector, settings)
        return points

    def predict_frames(
        self, frames: Frames, detector: str | None, settings: Mapping[str, Any] | None = None
    ) -> tuple[FloatArray, BoxArray]:
        """The same for packed frames, with the boxes that were used, (N, 4)."""
        boxes, missed = self._boxes(frames, detector, settings or {})
        if detector is None and self.geometry is not None and self.geometry.kind != "view":
            channels, size = self.model.input
            views = whole_frame_views(frames, size, channels, self.geometry)
            return apply_affine(views.to_native, self.predictor.predict(views.images)), boxes
        if detector is not None and self.registry.get(DetectorSpec, detector).find is not None:
            seen = np.flatnonzero(~missed)
            boxes[seen] = settled(partial(self.look, frames.chosen(seen)), boxes[seen], self.relation)
        return self.look(frames, boxes), boxes

    def look(self, frames: Frames, squares: BoxArray) -> FloatArray:
        """Points (N, K, 2) in native pixels of what lies in one square (N, 4) of each of N ≥ 1 frames."""
        channels, size = self.model.input
        views = make_views(frames, squares, size, channels)
        return apply_affine(views.to_native, self.predictor.predict(views.images))

    def open_detector(self, name: str, settings: Mapping[str, Any] | None = None) -> OpenDetector:
        """A detector ready to find the faces that this run's model shall see.

        The run's own box has the settings that it had in the run; its correction is the one that is known here.

        Args:
            settings: go before those of the run.
        """
        spec = self.registry.get(DetectorSpec, name)
        return open_detector(spec, like_the_run(self.record, spec, settings or {}), self.store)

    def predict_squares(self, image: npt.NDArray[np.uint8], squares: BoxArray) -> FloatArray:
        """Points of several faces of one picture, in one batch.

        Args:
            image: (H, W) or (H, W, C) uint8, colour as RGB.
            squares: (M, 4) square boxes in native pixels, as `OpenDetector.squares` gives them; they may leave it.

        Returns:
            (M, K, 2) float32, x then y in pixels of the picture, centres at integers.
        """
        if not len(squares):
            return np.zeros((0, len(self.scheme.points), 2), np.float32)
        return points_in(image, squares, self.predictor, self.model)

    def predict_faces(self, image: npt.NDArray[np.uint8], detector: OpenDetector) -> tuple[Found, BoxArray, FloatArray]:
        """Every face that a detector finds in one picture.

        Returns:
            What it found, M faces; the squares (M, 4) that the model saw; points (M, K, 2) in native pixels.
        """
        picture = as_picture(image)
        found = detector.find(picture)
        squares = settled(partial(self.predict_squares, picture), detector.squares(found), self.relation)
        return found, squares, self.predict_squares(picture, squares)

    def _boxes(self, frames: Frames, detector: str | None, settings: Mapping[str, Any]) -> tuple[BoxArray, np.ndarray]:
        ids = tuple(str(i) for i in range(len(frames)))
        nowhere = np.full((len(frames), len(self.scheme.points), 2), np.nan, np.float32)
        unlabelled = Samples(ids, frames, nowhere, ids, "")
        if detector is None:
            return squared(whole_frames(unlabelled)), np.zeros(len(frames), np.bool_)
        spec = self.registry.get(DetectorSpec, detector)
        if spec.needs_labels:
            raise FkbenchError(
                f"The box '{detector}' needs labels, and these pictures have none.",
                "Leave --detector out.",
            )
        own = like_the_run(self.record, spec, settings)
        return find_boxes(spec, unlabelled, detector_settings(spec, own), self.store)


def load_run(record: RunRecord, registry: Registry, device: torch.device, data: Path | None = None) -> LoadedRun:
    """Put a finished run back together.

    Args:
        data: the data folder, by which a run on own data finds the file that describes it.

    Raises:
        FkbenchError: it did not finish, its model or dataset is not registered, or its weights are gone or of another
            net.
    """
    if record.status != "done":
        raise FkbenchError(f"The run {record.key} has no weights: {record.status}, {record.reason}.", "Run it again.")
    model = recorded_model(record, registry).sized(record.model.settings)
    scheme = scheme_of(find_run_dataset(registry, record.dataset.name, data))
    path, store = weights_file(record), Store(data) if data is not None else None
    if model.kind == "predictor":
        predictor = make_predictor(model, dict(record.model.settings))
        predictor.restore(read_arrays(path)[0])
        return LoadedRun(record, model, predictor, scheme, registry, store=store)
    recipe = recorded_recipe(record.protocol.recipe)
    codec = make_codec(recipe.codec, model.input[1])
    settings = model.keywords(record.model.settings, fresh=False)
    net = build_net(model, settings, codec.outputs(len(scheme.points)), record.seed)
    arrays, _ = read_arrays(path)
    try:
        net.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    except RuntimeError as error:
        raise FkbenchError(
            f"The weights of run {record.key} do not fit {model.name} as it is now.",
            "Its code has changed: run it again.",
        ) from error
    net = net.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if device.type == "cpu":
        keep_freed_memory()
    precision = precision_of(recipe, device)
    trained = NetPredictor(net, codec, device, precision, recipe.normalise)
    return LoadedRun(record, model, trained, scheme, registry, recipe.geometry, store)


def weights_file(record: RunRecord) -> Path:
    """The weights that a run is scored with.

    Raises:
        FkbenchError: they are gone.
    """
    folder = Path(record.path)
    best = record.protocol.recipe.get("selection") == "best" and (folder / "best.safetensors").is_file()
    path = folder / ("best.safetensors" if best else "last.safetensors")
    if not path.is_file():
        raise FkbenchError(f"The weights of run {record.key} are gone: no '{path}'.", "Run it again with --force.")
    return path
