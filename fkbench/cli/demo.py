"""`fkbench demo`: keypoints on live or recorded video, into a file, a window or a browser."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fkbench.cli.options import DetectorSettingsOption, DeviceOption, RuntimeOption
from fkbench.cli.session import Session, console, current, note, parse_settings, print_json
from fkbench.errors import FkbenchError
from fkbench.words import counted

if TYPE_CHECKING:
    from fkbench.live.player import Show
    from fkbench.live.sinks import Sink
    from fkbench.live.sources import About
    from fkbench.runner.loading import LoadedRun

EPILOG = (
    "Examples: fkbench demo --run 3f2a --source 0 --window; fkbench demo --run 3f2a --source film.mp4 --out drawn.mp4; "
    "fkbench demo --run 3f2a --source faces/ --overlay mesh --out faces.mp4; fkbench demo --run 3f2a --serve "
    "--overlay sunglasses --smooth. q or Esc closes the window, Ctrl-C ends the others."
)


def register(app: typer.Typer) -> None:
    app.command("demo", epilog=EPILOG)(command)


def command(
    context: typer.Context,
    run: Annotated[str, typer.Option(metavar="RUN", help="A run's folder, its key or the beginning of it.")],
    source: Annotated[str, typer.Option(help="A camera's number, a video file, an address, or a folder.")] = "0",
    detector: Annotated[str, typer.Option(help="Finds the faces; default: one that works here.")] = "",
    overlay: Annotated[str, typer.Option(help="points, mesh, boxes, sunglasses or sunglasses-fixed.")] = "points",
    out: Annotated[Path | None, typer.Option(help="Write a video: FILE.mp4 or FILE.avi.")] = None,
    window: Annotated[bool, typer.Option("--window", help="Show it in a window; q or Esc quits.")] = False,
    serve: Annotated[bool, typer.Option("--serve", help="Show it on a page for a browser.")] = False,
    host: Annotated[str, typer.Option(help="With --serve: listen here; 0.0.0.0: to everyone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="With --serve; 0: any free one.")] = 8000,
    every: Annotated[int, typer.Option(min=0, help="Look for faces in every n-th picture; 0: by the source.")] = 0,
    smooth: Annotated[bool, typer.Option("--smooth", help="Calm the points (one-euro filter).")] = False,
    fps: Annotated[float, typer.Option(min=0.0, max=240.0, help="Play a file or folder at this rate.")] = 0.0,
    max_frames: Annotated[int, typer.Option(min=0, help="Stop after so many pictures; 0: never.")] = 0,
    plain: Annotated[
        bool, typer.Option("--plain", help="Leave the frame rate and latency out of a live picture.")
    ] = False,
    device: DeviceOption = "auto",
    runtime: RuntimeOption = "",
    assignments: DetectorSettingsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="A summary as one object on stdout.")] = False,
) -> None:
    """Draw keypoints on the faces of a camera, a video or a folder, as fast as they come."""
    _check_places(out, source, looked_on=window or serve)
    session = current(context)
    settings = parse_settings(list(assignments or ()), "detector").get("detector", {})
    _check_video(out)
    from fkbench.live.assembling import shared_cores

    with ExitStack() as stack:
        stack.enter_context(shared_cores())  # a runtime takes the number of threads that it finds
        show, loaded = _prepare(
            session, stack, _load(session, run, device), source, detector, overlay, settings, runtime,
            rate=fps, every=every, smooth=smooth, most=max_frames,
        )  # fmt: skip
        show.status = not plain and (window or serve or show.about.live)  # a file has a speed only for who looks on
        show.sinks = _sinks(show.title, show.about, out, window, (host, port) if serve else None)
        _play(show, stack, out, as_json, loaded)


def _check_places(out: Path | None, source: str, *, looked_on: bool) -> None:
    """Refuse a show that nobody sees, and a video in the place of what it is made from."""
    if out is None and not looked_on:
        raise FkbenchError("Nowhere to show it.", "Add --window, --serve (a page for the browser) or --out FILE.mp4.")
    from fkbench.runner.pictures import spare_sources

    spare_sources((out,), (source,))


def _check_video(out: Path | None) -> None:
    from fkbench.live.sinks import check_video_target

    if out is not None:
        check_video_target(out)


def _load(session: Session, run: str, device: str) -> LoadedRun:
    from fkbench.records import RunStore
    from fkbench.runner.device import choose_device
    from fkbench.runner.loading import load_run

    record = RunStore(session.runs_root).find(run)
    return load_run(record, session.registry, choose_device(device), session.data_root)


def _prepare(
    session: Session,
    stack: ExitStack,
    loaded: LoadedRun,
    source: str,
    detector: str,
    overlay: str,
    settings: dict[str, Any],
    runtime: str,
    *,
    rate: float,
    **options: Any,
) -> tuple[Show, LoadedRun]:
    """The show, and the run as it predicts in it. A runtime may take long: it comes after all that can be refused."""
    from fkbench.live.assembling import make_show, usual_detector
    from fkbench.live.overlays import make_overlay
    from fkbench.live.sources import open_source
    from fkbench.runtimes import run_under

    drawing = make_overlay(overlay, loaded.scheme)
    chosen = detector or usual_detector(loaded)
    if not chosen:
        raise FkbenchError("No face detector works here.", "`fkbench list detectors` says why.")
    if not detector:
        note(f"Faces are found by {chosen}; --detector names another.")
    finder = loaded.open_detector(chosen, settings)
    opened = open_source(source, rate=rate, offline=session.offline, say=note)
    stack.callback(opened.close)
    if runtime:
        note(f"Preparing the net for {runtime}.")
    under = run_under(loaded, runtime)
    return make_show(under, opened, finder, drawing, (), **options), under


def _sinks(title: str, about: About, out: Path | None, window: bool, serve: tuple[str, int] | None) -> list[Sink]:
    from fkbench.live.server import LOOPBACK, Served
    from fkbench.live.sinks import VideoFile, Window

    sinks: list[Sink] = []
    if out is not None:
        sinks.append(VideoFile(out, about))
    if window:
        sinks.append(Window(f"fkbench: {title}"))
    if serve is not None:
        served = Served(*serve)
        sinks.append(served)
        end = "" if about.live else f", and so does the end of '{about.name}'"
        note(f"Open {served.address} in a browser; Ctrl-C ends it{end}.")
        if serve[0] not in LOOPBACK:
            note("Everyone who reaches this machine can look on.")
    return sinks


def _play(show: Show, stack: ExitStack, out: Path | None, as_json: bool, loaded: LoadedRun) -> None:
    from fkbench.cli.bars import progress_bars
    from fkbench.live.player import LOST
    from fkbench.live.sources import Folder

    if out is not None and not show.about.live:
        report = stack.enter_context(progress_bars())
        expected = min(show.about.total or show.most, show.most or show.about.total)
        show.progress = lambda done, total: report("frames", done, max(expected, done))
    try:
        show.play()
    finally:
        stack.close()  # the bar goes before the last lines are printed
        if show.meter.shown:
            _report(show, out, as_json, loaded)
    if show.ended == "lost":
        raise typer.Exit(LOST)
    if show.ended == "end" and isinstance(show.pipeline.source, Folder):
        show.pipeline.source.failures.finish()


def _report(show: Show, out: Path | None, as_json: bool, loaded: LoadedRun) -> None:
    facts = {
        "run": loaded.record.key,
        "model": loaded.model.name,
        "scheme": loaded.scheme.name,
        "runtime": loaded.runtime or None,
        **show.summary(),
        "out": None if out is None else str(out),
    }
    note(show.reason())
    if as_json:
        print_json(facts)
        return
    latency, count = facts["latency_ms"], facts["frames"]
    lines = [
        f"{show.title}: {counted(count, 'frame')}, faces in {facts['frames_with_faces']} of them",
        f"{facts['fps']:.1f} frames/s; latency {latency['p50']:.0f} ms (90 %: {latency['p90']:.0f} ms)",
    ]
    if facts["dropped"]:
        lines.append(f"{facts['dropped']} old pictures were left out to keep up")
    if out is not None:
        lines.append(f"video: {out}")
    console().print(*lines, sep="\n", soft_wrap=True)
