"""The files of a site: what stands in them, that they are the same bytes, and that nothing in records acts."""

from __future__ import annotations

import colorsys
import json
import re
import shutil
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

import pytest

from fkbench.boards import build
from fkbench.schemes import FACE15
from fkbench.site import write_site
from fkbench.site.assets import GENERATOR

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
HOSTILE = (
    "<script>bad()</script>",
    "</script><script>bad()</script>",
    '"><img src=x onerror=bad()>',
    "' onmouseover='bad()",
    "</style></title></textarea><svg/onload=bad()>",
    "a\u202edoolf\u202c \u200f\u061c",
    "javascript:bad()",
    "&lt;script&gt;&#60;",
    "<!-- --!> ]]> \x1b[31m \x00",
)


class Seen(HTMLParser):
    """Elements of a page with their attributes, and the contents of scripts that hold data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.data: list[dict] = []
        self._script = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._script = dict(attrs).get("type", "code") if tag == "script" else "css" if tag == "style" else ""

    def handle_endtag(self, tag):
        self._script = ""

    def handle_data(self, data):
        if self._script == "application/json":
            self.data.append(json.loads(data))
        elif not self._script:
            self.text.append(data)

    @property
    def words(self) -> str:
        return "".join(self.text)


def page_of(folder: Path) -> str:
    return (folder / "index.html").read_text(encoding="utf-8")


def run_pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("pages/*/*.html"))


def test_all_boards_with_all_rows_reasons_notes_and_baselines_stand_on_the_index(site, filled):
    seen = Seen(page_of(site))
    boards = build(filled.records)
    assert len([1 for tag, at in seen.elements if tag == "section" and at.get("class") == "board"]) == len(boards) == 3
    rows = [at["id"] for tag, at in seen.elements if tag == "tr" and at.get("id")]
    assert rows == [f"{board.slug}-r{k}" for board in boards for k in range(len(board.rows))]
    for part in ("seed 0 oom: out of memory", "2 seeds, 3 needed", "settings changed", "mean-shape", "4="):
        assert part in seen.words
    assert "Leaky split" in seen.words
    assert "60 of 60 groups" in seen.words


def test_ranked_rows_and_only_they_have_a_page_and_links_lead_to_it(site, filled):
    linked = {at["href"] for tag, at in Seen(page_of(site)).elements if tag == "a" and at["href"].startswith("pages/")}
    ranked = [row for board in build(filled.records) for row in board.rows if row.rank is not None]
    assert {path.relative_to(site).as_posix() for path in run_pages(site)} == linked
    assert len(linked) == len(ranked)


def test_the_index_needs_no_other_file_and_no_network(site):
    text = page_of(site)
    for tag, at in Seen(text).elements:
        assert tag not in ("iframe", "object", "embed", "base")
        assert not at.get("src")
        if tag == "link":
            assert at["href"] == "data:,"
        if tag == "a":
            assert not at["href"].startswith(("http:", "https:", "//"))
    assert "@import" not in text
    assert "url(" not in text


def test_pages_of_runs_load_only_what_lies_beside_them(site):
    for path in run_pages(site):
        for tag, at in Seen(path.read_text(encoding="utf-8")).elements:
            address = at.get("src") or (at.get("href") if tag in ("link", "a") else None)
            if address and not address.startswith(("data:", "#")):
                assert (path.parent / address.partition("#")[0]).resolve().is_relative_to(site.resolve())
                assert (path.parent / address.partition("#")[0]).is_file()


def test_a_run_page_has_curves_points_predictions_recipe_environment_and_the_command(site):
    path = next(path for path in run_pages(site) if path.name.startswith("finenet") and "faces68" in path.parent.name)
    seen = Seen(path.read_text(encoding="utf-8"))
    assert [run["seed"] for run in seen.data[0]["history"]] == [0, 1, 2]
    assert len(seen.data[0]["history"][0]["val_rmse"]) == 40
    assert len([1 for tag, at in seen.elements if at.get("class") == "face"]) == 7
    assert "fkbench run --model finenet --dataset faces68 --split honest --box whole" in seen.words
    assert "--seeds 0,1,2" in seen.words
    assert '"batch": 128' in seen.words
    assert '"numpy": "2.0"' in seen.words
    assert "do not let its pictures be shown" in seen.words


def test_a_run_page_names_the_device_of_each_seed_and_no_path_that_is_in_its_name(runs, tmp_path):
    runs.add_seeds("net", 2.0, 2)
    runs.add("net", 2.0, 2, device={"type": "cpu", "name": f"Board of {Path.home() / 'lab'}", "threads": 2})
    runs.write(tmp_path / "site")
    [page] = run_pages(tmp_path / "site")
    seen = Seen(page.read_text(encoding="utf-8"))
    assert seen.words.count("Example CPU") >= 2
    assert "Board of" in seen.words
    assert str(Path.home() / "lab") not in page.read_text(encoding="utf-8")


def test_the_legend_of_predicted_points_holds_in_light_and_dark_colours(site):
    path = next(path for path in run_pages(site) if path.name.startswith("finenet"))
    page = path.read_text(encoding="utf-8")
    assert "From blue by way of orange to red the error of a point grows" in page
    assert "darker point" not in page
    style = (resources.files("fkbench.site") / "style.css").read_text(encoding="utf-8")
    scales = [re.findall(r"--q\d: #(\w{6})", line) for line in style.splitlines() if "--q0:" in line]
    assert len(scales) == 3  # light, dark by the system, dark by the button
    for scale in scales:
        hues = [360 * colorsys.rgb_to_hls(*(value / 255 for value in bytes.fromhex(colour)))[0] for colour in scale]
        assert all(190 < hue < 220 for hue in hues[:2]), scale  # blue
        assert 33 > hues[2] > hues[3] > hues[4] > 5, scale  # orange to red


def test_same_bytes_from_records_in_another_order(filled, tmp_path):
    filled.write(tmp_path / "a")
    filled.write(tmp_path / "b", filled.records[::-1])
    files = [path.relative_to(tmp_path / "a") for path in sorted((tmp_path / "a").rglob("*")) if path.is_file()]
    assert len(files) > 10
    for name in files:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.parametrize("text", [*HOSTILE, "<b>x" * 2_500])
def test_nothing_in_a_record_becomes_an_element_or_an_attribute(make_runs, tmp_path, text):
    plain, hostile = make_runs(), make_runs()
    for runs, words in ((plain, "name"), (hostile, text)):
        name, long = words[:200], words[:4000]
        changes = {
            "model__name": name, "protocol__recipe": {words: words}, "model__settings": {words: words},
            "box": name, "environment": {"python": long, "cpu": long}, "device": {"type": name, "name": long},
        }  # fmt: skip
        runs.add_seeds("net", 1.0, flags=[name], **changes)
        runs.add("net", 1.0, 3, **changes | {"protocol__overrides": {words: words}, "model__name": "other"})
        runs.add("net", 1.0, 0, **changes | {"status": "failed", "reason": long, "metrics": {}, "model__name": "third"})
        runs.write(tmp_path / str(runs is hostile))
    pairs = [(page_of(tmp_path / "False"), page_of(tmp_path / "True"))]
    pairs += [
        (a.read_text(encoding="utf-8"), b.read_text(encoding="utf-8"))
        for a, b in zip(run_pages(tmp_path / "False"), run_pages(tmp_path / "True"), strict=True)
    ]
    assert len(pairs) == 2
    for before, after in pairs:
        seen = Seen(after)
        assert [tag for tag, _ in seen.elements if tag not in FOLDED] == [
            tag for tag, _ in Seen(before).elements if tag not in FOLDED
        ]
        assert not [1 for _, at in seen.elements for name in at if name.startswith("on") or name == "style"]
        assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\x1b\x00]", after)
        assert len(after) < len(before) + 120_000


FOLDED = ("details", "summary", "small", "bdi")
"""Long remarks are folded."""


def test_a_script_of_ours_alone_may_run_and_its_digest_fits(site):
    import base64
    import hashlib

    text = page_of(site)
    stated = re.search(r"script-src 'sha256-([^']+)'", text)[1]
    code = re.search(r"<script>(.*)</script>\n</body>", text, re.DOTALL)[1]
    assert base64.b64encode(hashlib.sha256(code.encode()).digest()).decode() == stated


def test_private_parts_of_an_environment_are_not_shown(runs, tmp_path):
    private = {"python": "/home/someone/env/bin/python", "cpu": "a@b.example"}
    runs.add_seeds("net", 1.0, environment=private)
    runs.write(tmp_path / "out")
    text = run_pages(tmp_path / "out")[0].read_text(encoding="utf-8")
    assert "someone" not in text
    assert "b.example" not in text
    assert "(path)" in text


@pytest.mark.parametrize(("name", "there"), [("faces15", False), ("faces15-open", True), ("unknown", False)])
def test_pictures_are_shown_only_where_the_terms_allow_it(runs, tmp_path, name, there):
    for record in runs.add_seeds("net", 1.0, dataset__name=name):
        (Path(record.path) / "predictions.png").write_bytes(PNG)
    runs.write(tmp_path / "out")
    assert bool(list((tmp_path / "out").rglob("*.png"))) == there
    assert ("<img" in run_pages(tmp_path / "out")[0].read_text(encoding="utf-8")) == there


def test_what_is_no_picture_is_not_copied(runs, tmp_path):
    for record in runs.add_seeds("net", 1.0, dataset__name="faces15-open"):
        (Path(record.path) / "predictions.png").write_bytes(b"<svg onload=bad()>")
    runs.write(tmp_path / "out")
    assert not list((tmp_path / "out").rglob("*.png"))


def test_pages_of_rows_that_are_gone_go_and_files_of_others_stay(filled, tmp_path):
    filled.write(tmp_path)
    other = tmp_path / "pages" / "faces" / "mine.html"
    other.parent.mkdir()
    other.write_text("<p>mine</p>")
    before = run_pages(tmp_path)
    filled.write(tmp_path, [record for record in filled.records if record.model.name != "twin-a"])
    gone = set(before) - set(run_pages(tmp_path))
    assert [path.name.partition("-c")[0][:6] for path in gone] == ["twin-a"]
    assert other.read_text() == "<p>mine</p>"
    assert GENERATOR in page_of(tmp_path)


def test_missing_and_damaged_files_beside_a_record_leave_a_page_that_says_so(runs, tmp_path):
    for record in runs.add_seeds("net", 1.0):
        (Path(record.path) / "history.csv").write_text("epoch\nx")
        (Path(record.path) / "predictions.safetensors").write_bytes(b"nothing")
    for record in runs.add_seeds("bare", 1.5):
        shutil.rmtree(record.path)
    runs.write(tmp_path / "out")
    pages = run_pages(tmp_path / "out")
    assert [path.name[:3] for path in pages] == ["net"]
    words = Seen(pages[0].read_text(encoding="utf-8")).words
    assert "No epochs were recorded" in words
    assert "There are no predictions" in words
    assert "no errors per image" in Seen(page_of(tmp_path / "out")).words


def test_an_unknown_dataset_has_a_board_without_a_face(runs, tmp_path):
    runs.add_seeds("net", 1.0, dataset__name="nowhere")
    runs.write(tmp_path / "out")
    assert "<ellipse" not in page_of(tmp_path / "out")
    assert "point 14" in run_pages(tmp_path / "out")[0].read_text(encoding="utf-8")


def test_an_empty_folder_of_boards_is_a_page_too(tmp_path):
    assert [path.name for path in write_site([], [], tmp_path)] == ["index.html", "site.css", "site.js"]


def test_tables_beside_the_page_are_linked(filled, tmp_path):
    slug = build(filled.records)[0].slug
    (tmp_path / f"{slug}.csv").write_text("")
    filled.write(tmp_path)
    assert f'href="{slug}.csv"' in page_of(tmp_path)
    assert f'href="{slug}.json"' not in page_of(tmp_path)


@pytest.mark.slow
def test_a_board_of_100_rows_of_68_points_takes_less_than_2_mb(runs, tmp_path):
    for i in range(100):
        runs.add(
            f"net-{i}", 1.0 + i / 50, model__deterministic=True, dataset__name="faces68", flags=[f"flag {'x' * 150}"]
        )
    runs.write(tmp_path / "out")
    assert (tmp_path / "out" / "index.html").stat().st_size < 2_000_000


def test_points_are_drawn_and_named_by_the_scheme(site):
    circles = [at for tag, at in Seen(page_of(site)).elements if tag == "circle" and "data-tip" in at]
    assert [at["data-tip"].split()[1].rstrip(":") for at in circles[:15]] == list(FACE15.points)
