"""The kit finds what is wrong with a detector, metric or runtime: for each check one that fails it, and no other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from fkbench.specs import DetectorSpec, MetricSpec, RuntimeSpec
from fkbench.testing import check_detector, check_metric, check_runtime
from fkbench.testing.faces import drawn_faces


def bright(**settings):
    """A good detector: the box of what stands out from most of the picture."""

    def finder(image):
        grey = image.mean(axis=2)
        stands_out = np.abs(grey - np.median(grey)) > 10
        if not stands_out.any():
            return np.zeros((0, 4))
        y, x = np.nonzero(stands_out)
        return np.array([[x.min(), y.min(), x.max() + 1 - x.min(), y.max() + 1 - y.min()]], float)

    return finder


def spoilt(change):
    """The good detector with `change(boxes, image)` made to its answers."""

    def find(**settings):
        good = bright()
        return lambda image: change(good(image), image)

    return find


def doubled():
    good = bright()
    return lambda image: good(image) * 2


def writing():
    good = bright()

    def finder(image):
        image[0, 0] = 0
        return good(image)

    return finder


def colour():
    good = bright()

    def finder(image):
        return good(image[..., [0, 1, 2]])

    return finder


def never():
    return lambda image: None


def middling():
    """Finds the same place in every picture that shows anything, which is nobody's face."""

    def finder(image):
        height, width = image.shape[:2]
        return np.array([[width * 0.3, height * 0.3, width * 0.4, height * 0.4]][: int(np.ptp(image) > 10)])

    return finder


def corner():
    good = bright()

    def finder(image):
        assert image[5, 5].shape
        return good(image)

    return finder


def short():
    good = bright()

    def finder(image):
        if image.shape[1] > 2000:
            raise MemoryError
        return good(image)

    return finder


def forgetful():
    seen = []

    def finder(image):
        seen.append(image.shape)
        return bright()(image) * [1, 1, 1 - len(seen) % 3 / 10, 1]

    return finder


def corners(boxes, image):
    return np.column_stack([boxes[:, :2], boxes[:, :2] - 5])


def whole(boxes, image):
    height, width = image.shape[:2]
    return boxes if len(boxes) else np.array([[0, 0, width, height]], float)


DETECTORS = {
    "no_finder": (lambda: None, "answers", "finder(image)"),
    "doubled": (doubled, "answers", "which reaches beyond"),
    "corners": (spoilt(corners), "answers", "without area"),
    "one_box": (spoilt(lambda boxes, image: boxes[:1].reshape(-1)), "answers", "(M, 4) numbers"),
    "gap": (spoilt(lambda boxes, image: boxes * np.nan), "answers", "leave a face out"),
    "writing": (writing, "answers", "read-only"),
    "colour": (colour, "grey", "IndexError"),
    "corner": (corner, "tiny", "IndexError"),
    "short": (short, "huge", "MemoryError"),
    "whole": (spoilt(whole), "empty", "one flat colour (0)"),
    "never": (never, "faces", "finds none of 6 drawn faces, 96 px large in pictures of 320×240. "),
    "middling": (middling, "faces", "its 6 boxes lie elsewhere"),
    "forgetful": (forgetful, "repeats", "other boxes after other pictures"),
}


def findings(found):
    return {f.check: (f.status, f"{f.message} {f.remedy}") for f in found}


def failed(found):
    return {check for check, (status, _) in found.items() if status == "failed"}


def detector(find, **fields) -> DetectorSpec:
    return DetectorSpec(name="bright", summary="a box", find=find, **fields)


def test_good_ones_pass_everything():
    for found in (check_detector(detector(bright)), check_metric(metric(largest)), check_runtime(runtime(ready))):
        assert {finding.status for finding in found} == {"passed"}, found


@pytest.mark.parametrize("name", DETECTORS)
def test_a_bad_detector_fails_the_check_that_is_for_it_and_no_other(name):
    find, check, words = DETECTORS[name]
    found = findings(check_detector(detector(find)))
    assert failed(found) == {check}, found
    assert words in found[check][1]


def test_a_detector_that_says_why_it_finds_no_drawn_face_is_not_blamed():
    found = findings(check_detector(detector(never, misses_drawn="knows faces in infrared alone")))
    assert not failed(found)
    assert found["faces"] == ("skipped", "finds no drawn face, as it says: knows faces in infrared alone ")
    assert findings(check_detector(detector(bright, misses_drawn="an error")))["faces"][0] == "passed"


def test_the_drawn_faces_are_this_projects_own():
    from fkbench_plugins.datasets.synthetic.render import RENDER_VERSION, render

    faces = [picture[int(y) : int(y + h), int(x) : int(x + w)] for picture, (x, y, w, h) in drawn_faces()]
    assert RENDER_VERSION == 2, "draw fkbench/testing/faces.png anew, see fkbench/testing/faces.py"
    drawn = render(0, [2, 10, 20, 24, 26, 47], 96).images
    assert all((face == own[..., None]).all() for face, own in zip(faces, drawn, strict=True))


def test_the_drawn_faces_are_found_in_a_folder_of_any_name(monkeypatch):
    monkeypatch.setattr("cv2.imread", lambda *_: None)  # as on Windows for letters beyond its code page
    assert len(list(drawn_faces())) == 6


def test_boxes_that_are_made_from_labels_are_skipped_with_the_reason():
    found = findings(check_detector(DetectorSpec(name="o", summary="o", boxes=lambda s, t: None, role="oracle")))
    assert found["answers"][0] == found["empty"][0] == "skipped"
    assert "role oracle" in found["empty"][1]


def largest(errors):
    return float(errors.sum_sq.max())


def metric(compute, **fields) -> MetricSpec:
    return MetricSpec(name="worst", summary="the worst picture", compute=compute, **fields)


METRICS = {
    "text": (lambda errors: "good", "computes", "gives a str, not a number"),
    "infinite": (lambda errors: float((errors.sum_sq / (errors.count * 0 + 0.0)).max()), "computes", "gives inf"),
    "many": (lambda errors: errors.sum_sq[:3].mean() / (len(errors) > 1), "computes", "gives inf"),
    "first": (lambda errors: errors.sum_sq[0], "order", "order of the images"),
    "upside": (lambda errors: -errors.sum_sq.max(), "direction", 'better="higher"'),
}


@pytest.mark.parametrize("name", METRICS)
def test_a_bad_metric_fails_the_check_that_is_for_it_and_no_other(name):
    compute, check, words = METRICS[name]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = findings(check_metric(metric(compute)))
    assert failed(found) == {check}, found
    assert words in found[check][1]


def ready(net, device):
    return net.eval().to(device)


def runtime(prepare) -> RuntimeSpec:
    return RuntimeSpec(name="plain", summary="as it is", prepare=prepare)


def training(net, device):
    net.train()
    return lambda images: net(images)


def single(net, device):
    return lambda images: net(images[:1])


def halved(net, device):
    for value in net.parameters():
        value.data = value.data + 0.25
    return lambda images: net(images)


def zeroing(net, device):
    answer = net(torch.zeros(1, 1, 32, 32)).detach()

    def ready(images):
        found = net(images)
        nn.init.zeros_(net[0].weight)
        return found

    assert answer.shape == (1, 30)
    return ready


RUNTIMES = {
    "nothing": (lambda net, device: None, "runs", "prepare() gives a NoneType"),
    "single": (single, "runs", "gives (1, 30), not (5, 30)"),
    "halved": (halved, "agrees", "differ from the net's"),
    "zeroing": (zeroing, "agrees", "changes the weights"),
}


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_bad_runtime_fails_the_check_that_is_for_it_and_no_other(name):
    prepare, check, words = RUNTIMES[name]
    found = findings(check_runtime(runtime(prepare)))
    assert failed(found) == {check}, found
    assert words in found[check][1]


def test_a_runtime_that_leaves_dropout_on_does_not_agree():
    assert "agrees" in failed(findings(check_runtime(runtime(training))))
