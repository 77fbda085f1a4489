"""`conformance`: the kit as an author's own tests."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import fkbench
from fkbench.specs import DetectorSpec
from fkbench.testing import conformance
from fkbench.testing.limits import TooSlowError, limited

DETECTOR = """
import fkbench
import numpy as np

@fkbench.detector("{name}")
def {name}():
    \"\"\"Finds nothing.\"\"\"
    return lambda image: np.zeros((0, {columns}))
"""


@fkbench.detector("anybody")
def anybody():
    """Finds what stands out."""
    import cv2
    import numpy as np

    def finder(image):
        grey = image.mean(axis=2)
        box = cv2.boundingRect((np.abs(grey - np.median(grey)) > 10).astype(np.uint8))
        return [box] if box[2] else []

    return finder


def cases(test) -> dict:
    """The tests that pytest would make of it, by id."""
    (mark,) = test.pytestmark
    assert mark.args[0] == "case"
    return dict(zip(mark.kwargs["ids"], mark.args[1], strict=True))


def write(folder: Path, name: str, columns: int = 4) -> Path:
    file = folder / f"{name}.py"
    file.write_text(DETECTOR.format(name=name, columns=columns))
    return file


CHECKS = ["declared", "answers", "grey", "tiny", "huge", "empty", "faces", "repeats"]


@pytest.mark.parametrize("target", [anybody, anybody.__fkbench_spec__])
def test_each_check_of_a_target_is_a_test_of_its_own(target):
    test = conformance(target)
    assert list(cases(test)) == CHECKS
    for case in cases(test).values():
        test(case)


def test_a_failing_check_fails_with_its_message_and_remedy_and_no_trace_of_ours(tmp_path):
    test = conformance(write(tmp_path, "wide", columns=6))
    with pytest.raises(pytest.fail.Exception) as failure:
        test(cases(test)["answers"])
    assert failure.value.pytrace is False
    said = str(failure.value)
    assert said.startswith("answers: For a picture of 120×160×3 it gives float64 (0, 6).")
    assert "What to do: (M, 4) numbers" in said


def test_what_the_plugin_raises_is_shown_with_its_trace():
    spec = DetectorSpec(name="broken", summary="raises", find=lambda: 1 / 0)
    test = conformance(spec)
    with pytest.raises(pytest.fail.Exception, match=r"test_authoring\.py"):
        test(cases(test)["answers"])


def test_a_skipped_check_says_why():
    test = conformance(DetectorSpec(name="lacking", summary="s", find="nowhere:x", needs=("no_such_package",)))
    with pytest.raises(pytest.skip.Exception, match="no_such_package"):
        test(cases(test)["empty"])


def test_paths_are_taken_from_the_folder_of_the_test():
    """This file's own folder has such a file for no longer than the test lasts."""
    file = write(Path(__file__).parent, "beside_the_test")
    try:
        assert list(cases(conformance("./beside_the_test.py"))) == CHECKS
    finally:
        file.unlink()


def test_names_of_registered_plugins_and_several_targets(tmp_path):
    ids = list(cases(conformance("truth", write(tmp_path, "second"))))
    assert ids == [f"truth-{name}" for name in CHECKS] + [f"second-{name}" for name in CHECKS]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("./not_here.py", "not_here.py"),
        ("thruth", "Did you mean truth"),
        (anybody.__doc__, "Unknown plugin"),
        (3, "3 is no plugin"),
    ],
)
def test_a_target_that_is_none_is_one_failing_test(target, words):
    test = conformance(target)
    assert list(cases(test)) == ["file"]
    with pytest.raises(pytest.fail.Exception, match=words):
        test(cases(test)["file"])


def test_importing_the_kit_costs_no_torch():
    code = "import sys, fkbench.testing; sys.exit('torch' in sys.modules or 'pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0


def spin() -> None:
    while True:
        pass


def test_a_limit_ends_what_takes_too_long_and_gives_an_older_alarm_back():
    import signal

    heard = []
    previous = signal.signal(signal.SIGALRM, lambda number, frame: heard.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 30)
        with pytest.raises(TooSlowError), limited(computing=20, waiting=0.05):
            time.sleep(20)
        with pytest.raises(TooSlowError), limited(computing=0.05, waiting=20):
            spin()
        with limited(computing=0.05, waiting=20):
            time.sleep(0.3)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
        signal.setitimer(signal.ITIMER_REAL, 0)
        with limited():
            pass
        assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_in_another_thread_there_is_no_limit_and_no_error():
    done = []

    def work() -> None:
        with limited(0.001, 0.001):
            time.sleep(0.01)
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
