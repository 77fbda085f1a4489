"""What an exported file says of itself: all that a program needs to use the net without fkbench."""

from __future__ import annotations

from typing import Any

from fkbench.errors import FkbenchError
from fkbench.records import RunRecord
from fkbench.runner.loading import LoadedRun
from fkbench.train.codecs import CoordinateCodec
from fkbench.train.pictures import FLAT
from fkbench.train.predictors import NetPredictor
from fkbench.version import __version__

KEY = "fkbench"
"""Under which the metadata stands, as JSON, in an ONNX file's metadata and a PT2 file's extra files."""
INPUTS = {
    "unit": "grey levels / 255, as float32",
    "standard": f"grey levels / 255, then each picture (x − mean) / (deviation + {FLAT:g}) over all its channels and "
    "pixels, as float32",
}


def metadata_of(loaded: LoadedRun) -> dict[str, Any]:
    """Input, output and origin of a run's net, as JSON values.

    Raises:
        FkbenchError: the run's model is no net, or its outputs are no coordinates.
    """
    predictor, record = loaded.predictor, loaded.record
    if not isinstance(predictor, NetPredictor):
        raise FkbenchError(f"{loaded.model.name} is no net: there is nothing to export.", "Export the run of a net.")
    codec = predictor.codec
    if not isinstance(codec, CoordinateCodec):
        raise FkbenchError(
            f"The outputs of {loaded.model.name} are no coordinates.", "Only nets with a coordinate head are exported."
        )
    channels, size = loaded.model.input
    return {
        "format": 1,
        "input": {
            "shape": ["N", channels, size, size],
            "channels": "grey" if channels == 1 else "RGB",
            "dtype": "float32",
            "normalise": predictor.normalise,
            "meaning": INPUTS[predictor.normalise],
            "geometry": _geometry(loaded),
        },
        "output": {
            "shape": ["N", codec.outputs(len(loaded.scheme.points))],
            "order": "x0, y0, x1, y1, …",
            "scale": codec.scale,
            "offset": codec.offset,
            "meaning": "pixels of the input = output × scale + offset; pixel centres at integers",
        },
        "scheme": loaded.scheme.name,
        "points": list(loaded.scheme.points),
        "flip_order": loaded.scheme.flip_order(),
        "run": _origin(record),
        "precision": "fp32",
        "fkbench": __version__,
    }


def _origin(record: RunRecord) -> dict[str, Any]:
    return {
        "key": record.key,
        "model": record.model.name,
        "dataset": record.dataset.name,
        "split": record.dataset.split,
        "protocol": f"{record.protocol.name} v{record.protocol.version}",
        "box": record.box,
        "seed": record.seed,
        "rmse": record.metric("rmse"),
    }


def _geometry(loaded: LoadedRun) -> str:
    """How a picture becomes the net's square, in words."""
    geometry = loaded.geometry
    if geometry is not None and geometry.kind != "view":
        return f"the whole frame, as the recipe's geometry '{geometry.kind}' fits it into the square"
    return f"the box '{loaded.record.box}' cut out as a square and resized with antialiasing"
