"""The page as its readers meet it, in Debian's Chromium: on a phone, by keyboard, for the first time."""

from __future__ import annotations

import pytest

from fkbench.boards.detections import SideBoard
from fkbench.site import write_leaderboards

PHONE = {"viewport": {"width": 390, "height": 844}}
HEADS = (
    *((title, True) for title in ("model", "trained on", "box jitter", "box")),
    *((title, False) for title in ("rmse px", "95 % CI", "extra px", "95 % CI", "missed", "img/s")),
)
CELLS = (
    "some-model 0123abcd",
    "truth",
    "–",
    "haar",
    "14.890",
    "12.220 – 17.149",
    "-3.678",
    "-5.9 – -1.4",
    "6",
    "10.1*",
)
SLUG = "boxes-x-y-01234567"


@pytest.fixture(scope="module")
def with_side(filled, tmp_path_factory):
    """The page of `filled` with a table of models by boxes."""
    folder = tmp_path_factory.mktemp("with_side")
    side = SideBoard(SLUG, "Models by boxes", HEADS, (CELLS, CELLS), ("Self-reported.",), {"md": "m"})
    write_leaderboards(filled.records, folder, dataset=lambda name: None, sides=[side])
    return folder / "index.html"


def titles(page, table):
    return [text.split("\n")[0] for text in page.locator(f"{table} thead th:visible").all_inner_texts()]


@pytest.mark.browser
def test_a_side_table_on_a_phone_shows_its_scores_and_all_columns_when_asked(with_side, open_page):
    page = open_page(with_side, f"#{SLUG}", **PHONE)
    table = f"#{SLUG} table"
    assert titles(page, table) == ["model", "box", "rmse px", "extra px", "img/s"]
    score = page.locator(f"{table} thead th").filter(has_text="rmse px").bounding_box()
    assert score["x"] + score["width"] <= 390
    button = page.locator(f"#{SLUG} .all-columns")
    button.focus()
    page.keyboard.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert titles(page, table) == [title for title, _ in HEADS]
    assert len(page.locator(f"{table} tbody tr").first.locator("> :visible").all()) == len(HEADS)
    page.locator(f"#{SLUG} .scroll").evaluate("part => { part.scrollLeft = 200; }")
    # What a row is about stays.
    assert page.locator(f"{table} tbody th").first.bounding_box()["x"] < 20
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.keyboard.press("Enter")
    assert len(titles(page, table)) == 5


@pytest.mark.browser
def test_the_list_of_boards_on_a_phone_shows_what_is_best_and_all_columns_when_asked(with_side, open_page):
    page = open_page(with_side, **PHONE)
    assert titles(page, "#boards table") == ["board", "best", "rmse px", "notes"]
    page.locator("#boards .all-columns").click()
    assert titles(page, "#boards table") == ["board", "rows", "ranked", "best", "rmse px", "notes"]


@pytest.mark.browser
def test_a_wide_screen_shows_all_columns_without_being_asked(with_side, open_page):
    page = open_page(with_side)
    assert titles(page, f"#{SLUG} table") == [title for title, _ in HEADS]
    assert page.locator(".all-columns:visible").count() == 0


@pytest.mark.browser
def test_a_table_that_goes_on_aside_fades_until_its_end_is_seen(with_side, open_page):
    page = open_page(with_side, viewport={"width": 1000, "height": 700})
    scroll = page.locator("section.board:not([hidden]) .scroll")
    faded = "part => getComputedStyle(part).maskImage !== 'none'"
    assert scroll.evaluate(faded)
    assert not page.locator("#boards .scroll").evaluate(faded)
    scroll.evaluate("part => { part.scrollLeft = part.scrollWidth; }")
    page.wait_for_function("() => !document.querySelector('section.board:not([hidden]) .goes-on')")
    assert not scroll.evaluate(faded)


@pytest.mark.browser
def test_the_list_marks_the_board_that_is_shown_and_other_links_leave_it(with_side, slugs, open_page):
    page = open_page(with_side, f"#{slugs[1]}")
    marked = page.locator("#boards a[aria-current]")
    assert marked.get_attribute("href") == f"#{slugs[1]}"
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash === '#main'")
    assert marked.get_attribute("href") == f"#{slugs[1]}"
    page.locator(f"#boards a[href='#{SLUG}']").click()
    page.wait_for_function(f"() => location.hash === '#{SLUG}'")
    assert page.locator(f"#{slugs[1]}").is_visible()
    page.locator("#boards a").nth(2).click()
    page.wait_for_function(f"() => document.getElementById('{slugs[1]}').hidden")
    assert marked.get_attribute("href") == f"#{slugs[2]}"
    page.locator(".every").click()
    assert marked.count() == 0


@pytest.mark.browser
def test_the_keyboard_alone_filters_opens_and_reaches_a_run(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}")
    page.wait_for_selector("section.board:not([hidden]) .ced canvas", state="attached")
    page.locator(f"#{slugs[0]} .find").focus()
    page.keyboard.type("midnet")
    assert page.locator(f"#{slugs[0]} .count").inner_text() == "1 of 10 rows"
    page.wait_for_function(f"() => document.querySelector('#{slugs[0]} .plot-rows').textContent")
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        tip = page.evaluate("document.activeElement.dataset.tip || ''")
        reached += [tip.split(" ·")[0]] if tip else []
        if page.evaluate("document.activeElement.matches('.pick')"):
            break
    # Of the plot's points the one that is left, and all comes by.
    assert reached == ["midnet"]
    page.locator(f"#{slugs[0]} .find").focus()
    while not page.evaluate("document.activeElement.matches('table.board tbody a')"):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("main.run")
    assert page.locator("h1").inner_text() == "midnet"
