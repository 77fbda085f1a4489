"""Results about detectors, written and published, for the tests about them."""

from __future__ import annotations

import json

from fkbench.publishing import Scrubber, publish, publish_detectors
from fkbench.records import ResultStore
from fkbench.records.detection_keys import detector_key, detector_stem

FINDING = {"recall": 0.9, "recall_ci": [0.8, 1.0], "precision": 1.0, "precision_ci": None, "ap": None,
           "extra_per_picture": 0.0, "cover": 0.9, "noise": None}  # fmt: skip


def detector(name="finder", **changes):
    page = {
        "schema": 1, "kind": "detector",
        "detector": {
            "name": name, "settings": {"model_path": "/home/jane/secret.tflite", "level": 3}, "source": "0a",
            "weights": "", "versions": {"cv2": "4.14.0"},
        },
        "dataset": {
            "name": "faces", "split": "honest", "split_version": 1, "fingerprint": "sha256:0123456789", "pictures": 9,
        },
        "correction": {"scale": 1.0, "dx": 0.0, "dy": 0.1, "provenance": {}},
        "clean": {"corrected": FINDING, "raw": FINDING, "main_recall": 0.9},
        "harder": {"dark": {"corrected": FINDING, "raw": FINDING, "main_recall": None}},
        "timing": {"ms": {"p50": 3.0, "p90": 4.0}, "void": False, "quick": True},
    }  # fmt: skip
    return {**page, "key": detector_key(page), **changes}


def boxed(record, box="finder", **changes):
    page = {
        "subject": record.key, "model": record.model.name, "seed": record.seed, "protocol": "fair", "overrides": {},
        "trained_on": "whole", "box_jitter": None, "recorded_rmse": 1.0, "box": box,
        "box_settings": {"settings": {"file": "/home/jane/x"}, "jitter": 0.0},
        "dataset": {"name": "faces", "split": "honest", "fingerprint": "sha256:0123456789", "images": 48},
        "metrics": {"rmse": 2.5, "rmse_ci": [2.0, 3.0], "missed_faces": 4},
        "extra_rmse": 0.5, "extra_rmse_ci": [0.4, 0.6],
    }  # fmt: skip
    return page | changes


def write(path, page):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(page))
    return path


def put_detector(root, page=None):
    """Write a detector's page, by its own name, into a runs folder."""
    page = detector() if page is None else page
    return write(root / "detectors" / page["dataset"]["name"] / f"{detector_stem(page)}.json", page)


def boxed_file(folder):
    (file,) = folder.glob("boxed-finder-*.json")
    return file


def publish_all(store, folder, **options):
    records = ResultStore(store.root).records()
    done = publish(records, folder, Scrubber(("jane",)), **options)
    publish_detectors(store.root, folder, Scrubber(("jane",)), done.sides, **options)
    return done


def texts(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
