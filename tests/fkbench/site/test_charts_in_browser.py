"""Charts in Debian's Chromium: they follow the filters of their table, and are there before anybody scrolls."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.browser

SHOWN = "section.board:not([hidden])"
NEVER_SEEN = "window.IntersectionObserver = class { observe() {} };"
PAPER = 1047
"""Width of A4 across, without its margins."""
NEVER_IDLE = "window.requestIdleCallback = () => 0;"
PHONE = {"width": 390, "height": 700}
LINES = """place => {
    const canvas = document.querySelector(place), root = document.documentElement;
    const sample = Object.assign(document.createElement('canvas'), { width: 1, height: 1 }).getContext('2d');
    sample.fillStyle = getComputedStyle(root).getPropertyValue('--line').trim();
    sample.fillRect(0, 0, 1, 1);
    const wanted = sample.getImageData(0, 0, 1, 1).data;
    const found = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let count = 0;
    for (let i = 0; i < found.length; i += 4) { count += wanted.every((value, k) => found[i + k] === value); }
    return [root.dataset.theme, count]; }"""
"""The theme, and how many pixels of a chart have the colour that its lines have in it."""


def dots(page):
    """Model → whether its point in the plot is pale, in the way of the keyboard, and on the front."""
    return page.evaluate(
        """section => Object.fromEntries(Array.from(document.querySelectorAll(section + ' svg.chart a'), link => [
        link.dataset.tip.split(' ·')[0], [+getComputedStyle(link).opacity < 0.5, link.tabIndex >= 0,
        link.querySelector('circle').classList.contains('best')]]))""",
        SHOWN,
    )


def curves(page):
    """Names in the legend of the curves → their colours."""
    return page.evaluate(
        """section => Object.fromEntries(
        Array.from(document.querySelectorAll(section + ' .ced .u-series')).slice(1).map(row => [
        row.querySelector('.u-label').textContent,
        getComputedStyle(row.querySelector('.u-marker')).borderColor]))""",
        SHOWN,
    )


def plot_says(page):
    return page.locator(f"{SHOWN} .plot-rows").inner_text()


def names_in_plot(page):
    return set(page.locator(f"{SHOWN} svg.chart text.name:visible").all_text_contents())


def find(page, text, count):
    """Filter the shown board, and wait for its charts."""
    page.locator(f"{SHOWN} .find").fill(text)
    wanted = f" · {count} rows" if text else ""
    for place in (".plot-rows", ".ced-rows"):
        page.wait_for_function(
            "([place, wanted]) => document.querySelector(place).textContent === wanted",
            arg=[f"{SHOWN} {place}", wanted],
        )


@pytest.fixture
def board(site, slugs, open_page):
    """The page of the first board, drawn."""
    page = open_page(site / "index.html", f"#{slugs[0]}")
    page.wait_for_selector(f"{SHOWN} .ced canvas")
    return page


@pytest.fixture
def long_board(runs, tmp_path, open_page):
    """A page of twelve nets, two more than have a curve at first."""
    for i in range(12):
        runs.add(f"net-{i:02}", 1.0 + i / 5, model__deterministic=True)
    runs.write(tmp_path / "site")
    page = open_page(tmp_path / "site" / "index.html")
    page.wait_for_selector(f"{SHOWN} .ced canvas")
    return page


def test_points_of_rows_that_filters_leave_out_are_pale_and_silent(board):
    before = dots(board)
    assert not any(pale for pale, _, _ in before.values())
    find(board, "net", "4 of 10")
    after = dots(board)
    assert set(after) == set(before)
    nets = {"finenet", "swiftnet", "midnet", "coarsenet"}
    assert {name for name, (pale, _, _) in after.items() if not pale} == nets
    assert {name for name, (_, reached, _) in after.items() if reached} == nets
    link = board.locator(f"{SHOWN} svg.chart a")
    link.nth(list(after).index("twin-a")).hover(force=True)
    assert "twin-a" not in board.locator("#tip").text_content()
    link.nth(list(after).index("midnet")).hover()
    assert "midnet · rank" in board.locator("#tip").inner_text()


def test_the_front_and_the_names_are_of_the_rows_that_are_shown(board):
    before, names = dots(board), names_in_plot(board)
    assert "finenet" in names
    find(board, "twin", "2 of 10")
    assert {name for name, (_, _, best) in dots(board).items() if best} <= {"twin-a", "twin-b"}
    assert any(best for _, _, best in dots(board).values())
    assert names_in_plot(board) <= {"twin-a", "twin-b"}
    assert names_in_plot(board)
    assert board.locator(f"{SHOWN} svg.chart .front:visible").count() <= 1
    find(board, "", "10 of 10")
    assert dots(board) == before
    assert names_in_plot(board) == names
    assert plot_says(board) == ""


def test_ranked_only_holds_for_the_charts(board):
    board.locator(f"{SHOWN} .only").check()
    board.wait_for_function("place => document.querySelector(place).textContent", arg=f"{SHOWN} .ced-rows")
    assert {name for name, (pale, _, _) in dots(board).items() if pale} == {"short", "tuned"}
    assert not {"short", "tuned"} & set(curves(board))


def test_curves_are_those_of_the_rows_that_are_shown(long_board):
    before = curves(long_board)
    assert list(before) == [f"net-{i:02}" for i in range(10)]
    find(long_board, "net-1", "2 of 12")
    assert list(curves(long_board)) == ["net-10", "net-11"]
    long_board.locator(f"{SHOWN} .picker summary").click()
    assert long_board.locator(f"{SHOWN} .choices label:visible").all_inner_texts() == ["net-10", "net-11"]
    long_board.locator(f"{SHOWN} .ced .u-over").hover()
    assert long_board.locator(f"{SHOWN} .u-series").nth(1).inner_text().startswith("net-10")
    find(long_board, "", "")
    assert curves(long_board) == before


def test_a_row_that_stays_keeps_its_colour(long_board):
    before = curves(long_board)
    find(long_board, "net-0", "10 of 12")
    long_board.locator(f"{SHOWN} .find").fill("net-03")
    long_board.wait_for_function("place => document.querySelectorAll(place).length === 2", arg=f"{SHOWN} .u-series")
    assert curves(long_board) == {"net-03": before["net-03"]}


def test_no_row_no_curve_and_the_chart_says_so(long_board):
    assert long_board.locator(f"{SHOWN} .no-curve").is_hidden()
    find(long_board, "nothing of the kind", "0 of 12")
    assert curves(long_board) == {}
    assert long_board.locator(f"{SHOWN} .no-curve").is_visible()


def test_what_a_reader_chose_holds_through_filters(long_board):
    long_board.locator(f"{SHOWN} .picker summary").click()
    long_board.get_by_role("checkbox", name="net-03").uncheck()
    long_board.get_by_role("checkbox", name="net-11").check()
    chosen = curves(long_board)
    assert set(chosen) == {*(f"net-{i:02}" for i in range(10)), "net-11"} - {"net-03"}
    find(long_board, "net-03", "1 of 12")
    assert curves(long_board) == {}
    find(long_board, "", "")
    assert curves(long_board) == chosen


def test_the_face_is_of_a_row_that_is_shown(board):
    disc = board.locator(f"{SHOWN} .face circle").first
    before = disc.get_attribute("data-tip")
    find(board, "mean-shape", "1 of 10")
    pick = board.locator(f"{SHOWN} .pick")
    assert pick.evaluate("pick => pick.selectedOptions[0].textContent") == "mean-shape"
    assert disc.get_attribute("data-tip") != before
    enabled = "pick => Array.from(pick.options).filter(option => !option.disabled).length"
    assert pick.evaluate(enabled) == 1
    find(board, "nothing of the kind", "0 of 10")
    assert pick.is_disabled()
    find(board, "", "")
    assert pick.is_enabled()
    assert pick.evaluate(enabled) > 5
    assert disc.get_attribute("data-tip") == before


def test_the_face_that_a_reader_chose_comes_back_with_its_row(board):
    pick = board.locator(f"{SHOWN} .pick")
    pick.select_option(label="midnet")
    find(board, "mean-shape", "1 of 10")
    find(board, "", "")
    assert pick.evaluate("pick => pick.selectedOptions[0].textContent") == "midnet"


def test_the_front_on_a_phone_is_that_of_a_wide_screen(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}", viewport=PHONE)
    wide, phone = (
        page.locator(f"{SHOWN} svg.chart .front{kind}").get_attribute("d") for kind in (":not(.now)", ".now")
    )
    assert wide.count("V") > 1
    assert [float(number) for number in re.findall(r"[\d.]+", phone)] == [
        float(number) for number in re.findall(r"[\d.]+", wide)
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_names_in_the_plot_of_a_phone_do_not_leave_it(runs, tmp_path, open_page, turned):
    # To the right of its point this name would fit in the letters of a wide screen, and not in those of a phone.
    runs.add_seeds("slow", 1.0)
    runs.add_seeds("wwwwww", 2.0)
    runs.write(tmp_path / "site")
    page = open_page(tmp_path / "site" / "index.html", viewport={"width": 900, "height": 390} if turned else PHONE)
    page.set_viewport_size(PHONE)
    page.wait_for_selector(f"{SHOWN} svg.chart .now", state="attached")
    inside = """section => {
        const plot = document.querySelector(section + ' svg.chart').getBoundingClientRect();
        const names = Array.from(document.querySelectorAll(section + ' svg.chart text.name'));
        const boxes = names.map(name => name.getBoundingClientRect()).filter(box => box.width);
        return boxes.map(box => box.left >= plot.left && box.right <= plot.right + 1); }"""
    found = page.evaluate(inside, SHOWN)
    assert found == [True, True]


def test_charts_are_drawn_before_anybody_scrolls(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}", NEVER_SEEN)
    page.wait_for_selector(f"{SHOWN} .ced canvas", state="attached")
    page.locator("#boards a").nth(2).click()
    page.wait_for_selector(f"#{slugs[2]} .ced canvas", state="attached")
    # One that is not shown costs nothing.
    assert page.locator(f"#{slugs[1]} .ced canvas").count() == 0


def test_charts_of_a_run_are_drawn_before_anybody_scrolls(site, open_page):
    path = sorted(site.glob("pages/*/*.html"))[0]
    page = open_page(path, script=NEVER_SEEN)
    # The waiting fails where they stay undrawn; each is drawn once.
    page.wait_for_selector(".rmse canvas", state="attached")
    assert [page.locator(f"{place} canvas").count() for place in (".loss", ".rmse")] == [1, 1]


def test_a_printer_gets_charts_in_light_colours(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}", NEVER_SEEN + NEVER_IDLE, color_scheme="dark")
    page.wait_for_timeout(400)
    assert page.locator(".ced canvas").count() == 0
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.paper = ({LINES})('{SHOWN} .ced canvas'); }})")
    page.pdf()
    assert page.locator(f"{SHOWN} .ced canvas").count() == 1
    theme, lines = page.evaluate("window.paper")
    assert theme == "light"
    assert lines > 100
    assert page.evaluate("document.documentElement.dataset.theme === undefined")


def test_charts_drawn_on_a_wide_screen_do_not_overlap_on_paper(site, slugs, open_page):
    # A printer makes the page narrower and gives charts no time to be drawn again.
    still = "const add = window.addEventListener; window.addEventListener = (name, ...rest) => {"
    still += " if (name !== 'resize') { add.call(window, name, ...rest); } };"
    page = open_page(site / "index.html", f"#{slugs[0]}", still, viewport={"width": 1420, "height": 700})
    page.wait_for_selector(f"{SHOWN} .ced canvas", state="attached")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER, "height": 700})
    inside = """section => Array.from(document.querySelectorAll(section + ' figure'), figure =>
        Array.from(figure.querySelectorAll('.u-wrap, svg')).every(part =>
            part.getBoundingClientRect().right <= figure.getBoundingClientRect().right + 1))"""
    assert page.evaluate(inside, SHOWN) == [True, True, True]


def test_paper_holds_all_columns(site, slugs, open_page):
    page = open_page(site / "index.html", f"#{slugs[0]}", viewport={"width": PAPER, "height": 700})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == PAPER
    assert page.locator(f"#{slugs[0]}-table th.minor").first.is_visible()
