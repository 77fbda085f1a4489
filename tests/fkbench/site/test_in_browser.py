"""The site in Debian's Chromium, driven by Playwright: sorting, filters, theme, hover, a page of runs, hostile text."""

from __future__ import annotations

import pytest

from fkbench.boards.detections import SideBoard
from fkbench.site import write_leaderboards

pytestmark = pytest.mark.browser


def names(page):
    rows = "section.board:not([hidden]) table.board tbody tr:not([hidden]) th bdi:first-of-type"
    return [text for text in page.locator(rows).all_inner_texts() if text in MODELS]


MODELS = ("finenet", "swiftnet", "midnet", "coarsenet", "twin-a", "twin-b", "mean-shape", "short", "tuned", "broken")


def test_sorts_by_a_click_and_by_the_keyboard_with_empty_cells_last(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}")
    head = page.locator(f"#{slugs[0]}-table thead th").filter(has_text="rmse px").first
    head.locator("button").click()
    page.wait_for_function(f"() => document.querySelector('#{slugs[0]}-table th[aria-sort=ascending]')")
    page.wait_for_timeout(100)
    up = names(page)
    assert up[0] == "finenet"
    assert up[-1] == "broken"
    head.locator("button").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => document.querySelector('#{slugs[0]}-table th[aria-sort=descending]')")
    page.wait_for_timeout(100)
    assert names(page) == [*up[:-1][::-1], "broken"]


def test_filters_by_words_by_rank_and_by_column(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}")
    board = page.locator(f"#{slugs[0]}")
    board.locator(".find").fill("out of MEMORY")
    assert names(page) == ["broken"]
    assert board.locator(".count").inner_text() == "1 of 10 rows"
    board.locator(".find").fill("")
    board.locator(".only").check()
    assert "broken" not in names(page)
    assert len(names(page)) == 7
    board.locator(".by-column").click()
    board.locator("input[aria-label='Filter rmse px']").fill("<1.7")
    assert names(page) == ["finenet", "swiftnet"]
    board.locator("input[aria-label='Filter params']").fill("1..2")
    assert names(page) == []
    # A filter that holds for no row at all may be a slip.
    marked = "input => input.getAttribute('aria-invalid') === 'true'"
    assert board.locator("input[aria-label='Filter params']").evaluate(marked)
    assert not board.locator("input[aria-label='Filter rmse px']").evaluate(marked)
    board.locator(".by-column").click()
    assert len(names(page)) == 7


def test_one_board_at_a_time_or_all(site, slugs, open_page):
    page = open_page(site / "index.html")
    shown = "Array.from(document.querySelectorAll('section.board')).filter(s => !s.hidden).length"
    assert page.evaluate(shown) == 1
    page.locator("#boards a").nth(2).click()
    page.wait_for_function(f"() => !document.getElementById('{slugs[2]}').hidden")
    assert page.evaluate(shown) == 1
    page.locator(".every").click()
    assert page.evaluate(shown) == 3


def test_an_address_with_a_board_that_is_not_there_says_so(site, slugs, open_page):
    page = open_page(site / "index.html", "#no-such-board")
    assert page.locator(".lost").is_visible()
    page.locator("#boards a").nth(1).click()
    page.wait_for_function(f"() => !document.getElementById('{slugs[1]}').hidden")
    assert not page.locator(".lost").is_visible()


def test_the_heading_of_the_models_stays_with_them(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}", viewport={"width": 375, "height": 700})
    page.locator(f"#{slugs[0]} .scroll").first.evaluate("part => { part.scrollLeft = 120; }")
    page.wait_for_timeout(100)
    head = page.locator(f"#{slugs[0]}-table thead th.pinned").bounding_box()
    cell = page.locator(f"#{slugs[0]}-table tbody th.model").first.bounding_box()
    assert (head["x"], head["width"]) == (cell["x"], cell["width"])


def test_theme_follows_the_system_until_one_is_chosen(site, open_page):
    page = open_page(site / "index.html", color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.locator(".theme").click()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.reload()
    assert page.evaluate(paper) == "rgb(255, 255, 255)"
    page.locator(".theme").click()
    assert page.evaluate(paper) == dark != "rgb(255, 255, 255)"


def test_hover_and_focus_tell_of_a_point_and_the_curves_and_faces_are_drawn(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}")
    dot = page.locator(f"#{slugs[0]} svg.chart a").first
    dot.hover()
    assert "finenet · rank 1 · rmse 1.2" in page.locator("#tip").inner_text()
    page.mouse.move(2, 2)
    assert page.locator("#tip").is_hidden()
    page.wait_for_selector(f"#{slugs[0]} .ced canvas")
    page.locator(f"#{slugs[0]} .ced .u-over").hover()
    assert "%" in page.locator(f"#{slugs[0]} .u-legend").inner_text()
    disc = page.locator(f"#{slugs[0]} .face circle").first
    before = disc.get_attribute("data-tip")
    page.locator(f"#{slugs[0]} .pick").select_option(label="mean-shape")
    assert disc.get_attribute("data-tip") != before


def test_a_page_of_runs_is_reached_and_shows_curves(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}")
    page.locator(f"#{slugs[0]}-table a").first.click()
    page.wait_for_selector(".loss canvas")
    page.wait_for_selector(".rmse canvas")
    assert page.locator("h1").inner_text() == "finenet"
    assert page.locator(".grid-of-faces svg").count() == 6
    page.locator("header a").click()
    page.wait_for_selector(f"#{slugs[0]}-table")


def test_a_phone_sees_no_sideways_page_and_may_ask_for_all_columns(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}", viewport={"width": 375, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    hidden = page.locator(f"#{slugs[0]}-table thead th.minor").first
    assert hidden.is_hidden()
    page.locator(f"#{slugs[0]} .all-columns").click()
    assert hidden.is_visible()


def test_hostile_text_stays_text(runs, tmp_path, open_page):
    text = "</script><script>document.title='bad'</script><img src=x onerror=\"document.title='bad'\">"
    long = (text + "\u202e") * 36
    runs.add_seeds(text, 1.0, flags=[text], device={"type": "cpu", "name": long}, protocol__recipe={text: long * 3})
    runs.add(text, 1.2, 0, status="failed", reason=long, metrics={}, model__settings={text: text})
    runs.write(tmp_path / "out")
    page = open_page(tmp_path / "out" / "index.html")
    page.locator("svg.chart a").first.hover()
    page.wait_for_selector(".ced canvas")
    assert page.title() == "Facial keypoints: leaderboards"
    assert page.locator("img").count() == 0
    page.locator("table.board a").first.click()
    page.wait_for_selector(".loss canvas")
    assert page.title().startswith("</script>")
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def drawn(page):
    """Names in the legend of the curves, and their colours."""
    return page.evaluate(
        """() => Array.from(document.querySelectorAll('section.board:not([hidden]) .ced .u-series')).slice(1).map(row =>
        [row.querySelector('.u-label').textContent, getComputedStyle(row.querySelector('.u-marker')).borderColor])"""
    )


def test_rows_of_the_curves_are_chosen_by_the_keyboard_and_keep_their_colours(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}")
    page.locator(f"#{slugs[0]} .ced").scroll_into_view_if_needed()
    page.wait_for_selector(f"#{slugs[0]} .ced canvas")
    before = drawn(page)
    assert {"finenet", "swiftnet", "mean-shape"} <= {name for name, _ in before}
    summary = page.locator(f"#{slugs[0]} .picker summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.type + ' ' + document.activeElement.parentNode.textContent.trim()")
    assert focused == "checkbox finenet"
    page.keyboard.press("Space")
    after = drawn(page)
    assert after == [pair for pair in before if pair[0] != "finenet"]
    page.keyboard.press("Space")
    assert drawn(page) == before
    page.locator(f"#{slugs[0]} .picker .none").click()
    assert drawn(page) == []
    page.locator(f"#{slugs[0]} .picker .usual").click()
    assert sorted(name for name, _ in drawn(page)) == sorted(name for name, _ in before)
    assert page.locator(f"#{slugs[0]} .ced canvas").count() == 1


def test_a_board_about_detectors_sorts_and_is_reached_by_its_address(filled, tmp_path, open_page):
    rows = tuple((name, "level=3", f"0.9{i} (0.80–1.00)") for i, name in enumerate(("ann", "<b>bob</b>", "eve")))
    heads = (("detector", True), ("settings", True), ("recall", False))
    side = SideBoard("detectors-x-y-01234567", "Detectors on x", heads, rows, ("Self-reported.",), {"md": "m"})
    write_leaderboards(filled.records, tmp_path, dataset=lambda name: None, sides=[side])
    page = open_page(tmp_path / "index.html", "#detectors-x-y-01234567")
    page.wait_for_timeout(200)
    section = page.locator("#detectors-x-y-01234567")
    assert 0 <= section.bounding_box()["y"] < 800
    assert section.locator("tbody tr > :first-child").all_inner_texts() == ["ann", "<b>bob</b>", "eve"]
    head = section.locator("thead th button").nth(2)
    head.click()
    head.click()
    page.wait_for_timeout(100)
    assert section.locator("tbody tr > :first-child").all_inner_texts() == ["eve", "<b>bob</b>", "ann"]
