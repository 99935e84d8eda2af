"""The page as a reader meets it: in a browser without network, moved by its sliders, at every width."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from finished_run import HOSTILE, carried, folder_with, told_by, unprobed, unscored
from hand_made import prices
from story import Reckoner
from typer.testing import CliRunner

from adapeff_sim.cli.app import app
from adapeff_sim.costs.prices import Prices
from adapeff_sim.execution.base import EXECUTORS
from adapeff_sim.reports.told import Told, tamed
from adapeff_sim.reports.wording import money
from adapeff_sim.results import read

MOST_BYTES = 3_000_000
READY_SECONDS = 60
BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
DRIVER = shutil.which("chromedriver") or ""
NAMES = ("plain", "hostile", "lived", "carried", "unscored", "unprobed")
LABELS = ("trains_cheaply", "between", "stores_cheaply")
driven = pytest.mark.skipif(not (BROWSER and DRIVER), reason="no chromium with its chromedriver is installed")


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A browser without network, which tells what its console heard."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    driver.execute_cdp_cmd("Network.enable", {})
    offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """Pages of a plain run, of others like it, of one whose names mean harm, and of one whose scenario is known."""
    folder = tmp_path_factory.mktemp("pages")
    plain, hostile = told_by(LABELS), told_by(HOSTILE, event=HOSTILE[0], endpoint=HOSTILE[1])
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        patched.setitem(EXECUTORS._found, "local", lambda **_: Reckoner())
        typed("run", "smoke", "--device", "cpu", "--out", "lived")
        folder_with(folder / "plain", *plain)
        folder_with(folder / "hostile", *hostile, scenario=HOSTILE[0])
        folder_with(folder / "carried", carried(plain[0]), plain[1])
        folder_with(folder / "unscored", unscored(plain[0]), plain[1])
        folder_with(folder / "unprobed", *unprobed(*plain, LABELS[0]))
        for name in NAMES:
            typed("report", name, "--html", f"{name}.html")
        typed("report", "plain", "--svg", "drawn", "--png", "drawn")
    return {name: folder / f"{name}.html" for name in NAMES}


def typed(*arguments: str) -> None:
    done = CliRunner().invoke(app, list(arguments))
    assert done.exit_code == 0, done.output


def test_a_page_is_one_file_of_a_size_to_send(pages):
    assert all(file.stat().st_size < MOST_BYTES for file in pages.values())


def test_pictures_are_pictures(pages):
    svg, png = (pages["plain"].parent / f"drawn/story-total.{kind}" for kind in ("svg", "png"))
    assert svg.read_text().startswith("<svg") and "<script" not in svg.read_text()
    assert png.read_bytes().startswith(b"\x89PNG")


def test_a_page_is_made_without_torch(pages):
    code = "import sys; from adapeff_sim.cli.app import app; sys.argv = ['', *sys.argv[1:]]\n"
    code += "try: app()\nfinally: print({'torch', 'transformers', 'adapters', 'pandas'} & sys.modules.keys())"
    made = [sys.executable, "-c", code, "report", "plain", "--html", "again.html"]
    done = subprocess.run(made, cwd=pages["plain"].parent, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()" and "again.html" in done.stdout


def shown(browser, file: Path, width: int = 1024, scheme: str = "light"):
    """The page, when its charts are drawn; an error that the console heard fails the test."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(file.as_uri())
    until = time.monotonic() + READY_SECONDS
    while browser.execute_script("return document.documentElement.dataset.ready") != "yes":
        heard = browser.get_log("browser")
        assert not heard and time.monotonic() < until, heard or "the page is never ready"
        time.sleep(0.05)
    assert browser.get_log("browser") == []
    return browser


def moved(browser, **knobs: float) -> None:
    """Type numbers beside the sliders, and wait until the page has reckoned."""
    for name, value in knobs.items():
        browser.execute_script(
            "const field = document.querySelector(`[data-knob=${arguments[0]}] [type=number]`);"
            "field.value = arguments[1]; field.dispatchEvent(new Event('input', {bubbles: true}));",
            name,
            value,
        )
    settled(browser)


def settled(browser) -> None:
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def sentences(browser) -> list[str]:
    return browser.execute_script("return adapeff.pages[0].verdict.sentences")


def paths(browser, component: str, kind: str = "grown") -> list[str]:
    """The curves of a component as they are drawn."""
    chosen = f"[data-chart={kind}][data-name='${{arguments[0]}}']"
    script = f"return [...document.querySelectorAll(`{chosen} g.mark-line path`)]"
    return browser.execute_script(f"{script}.map((path) => path.getAttribute('d'))", component)


BEYOND = """
const within = (e) => { // a region that scrolls, and that a keyboard and a screen reader find
  const place = e.closest('.scroll');
  return place && place.tabIndex === 0 && place.ariaLabel && getComputedStyle(place).overflowX === 'auto'
    && place.previousElementSibling.checkVisibility() && place.getBoundingClientRect().right <= innerWidth + 1;
};
document.querySelectorAll('details').forEach((e) => { e.open = true; });
return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(
  [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility() && e.getBoundingClientRect().width
    && e.getBoundingClientRect().right > innerWidth + 1 && !within(e)).map((e) => e.outerHTML.slice(0, 150))))));
"""


@driven
@pytest.mark.parametrize("name", ["hostile", "lived", "carried"])
@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (820, "light"), (1280, "dark")])
def test_it_fits_every_screen_and_draws_its_curves(browser, pages, name, width, scheme):
    page = shown(browser, pages[name], width, scheme)
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert page.execute_script(BEYOND) == []  # but in a region that says that it scrolls
    cut = "e.scrollWidth > e.clientWidth + 1"  # no table of plain names needs to scroll, as it stacks
    tables = f"return [...document.querySelectorAll('.scroll:has(caption)')].filter((e) => {cut}).length"
    assert name == "hostile" or page.execute_script(tables) == 0
    labels = page.execute_script("return adapeff.pages[0].case.labels.length")
    drawn = paths(page, "total")
    assert len(drawn) == labels and all(len(d) > 20 and "NaN" not in d for d in drawn)
    widths = "return [...document.querySelectorAll('.chart svg')].map((svg) => svg.getBoundingClientRect().width)"
    assert max(page.execute_script(widths)) <= width


@driven
def test_who_hears_the_page_is_told_of_charts_and_of_stacked_tables(browser, pages):
    page = shown(browser, pages["plain"], 390)
    assert page.find_elements("css selector", ".verdict table.stacked")
    nodes = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    told = {(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]}
    assert {("table", "Cost in EUR"), ("columnheader", "storage"), ("rowheader", LABELS[1])} <= told
    charts = page.execute_script("return [...document.querySelectorAll('.chart')].map((e) => e.ariaLabel)")
    assert charts and {("image", label) for label in charts} <= told


@driven
def test_curves_at_the_size_of_production_stand_apart_and_no_slider_moves_them(browser, pages):
    page = shown(browser, pages["carried"])
    kinds = ("grown", "projected")
    before = {kind: paths(page, "total", kind) for kind in kinds}
    assert len(before["projected"]) == len(LABELS)
    heads = page.find_elements("css selector", ".estimated figcaption")
    assert heads and all(head.text.endswith("*") for head in heads)
    moved(page, compute=36000.0)
    time.sleep(0.5)
    after = {kind: paths(page, "total", kind) for kind in kinds}
    assert after["projected"] == before["projected"] and after["grown"] != before["grown"]


@driven
def test_a_run_without_scores_says_so_where_they_would_be(browser, pages):
    page = shown(browser, pages["unscored"])
    assert not page.find_elements("css selector", "[data-chart=traded], [data-chart=scored]")
    assert page.find_element("css selector", "[data-key=floor-0]").text == "unavailable"


@driven
def test_a_lower_bound_is_drawn_and_compared_with_none(browser, pages):
    page = shown(browser, pages["unprobed"])
    drawn = {name: len(paths(page, name)) for name in ("total", "total, above the lowest", "serving", "compute")}
    assert drawn == {"total": 3, "total, above the lowest": 2, "serving": 2, "compute": 3}
    lines = page.find_element("css selector", ".crossings ul").text.splitlines()
    assert not [line for line in lines if line.startswith(("Total", "Serving")) and LABELS[0] in line]


@driven
def test_names_that_mean_harm_do_none(browser, pages):
    page = shown(browser, pages["hostile"])
    assert page.execute_script("return window.harmed") is None
    assert page.execute_script("return document.querySelectorAll('main img, main iframe, main b').length") == 0
    sign = page.find_element("css selector", '[data-name="total"] g.mark-symbol path')
    from selenium.webdriver import ActionChains

    ActionChains(page).scroll_to_element(sign).move_to_element(sign).perform()
    time.sleep(0.3)
    tip = page.find_element("id", "vg-tooltip-element")
    assert "event" in tip.text and page.execute_script("return window.harmed") is None
    assert not tip.find_elements("css selector", "img, script, b")


@driven
def test_at_the_prices_of_the_run_the_page_says_what_the_run_says(browser, pages):
    page = shown(browser, pages["plain"])
    found, ledger = told_by(LABELS)
    assert sentences(page) == list(tamed(Told(found, ledger, "", {})).results.verdict.sentences)
    assert "no longer" not in page.find_element("class name", "headline").text
    found = read(pages["lived"].parent / "lived")
    assert sentences(shown(browser, pages["lived"])) == list(found.verdict.sentences)


def at(compute: float = 36.0, storage: float = 30.4375, serving: float = 1.0, labelling: float = 0.01) -> Prices:
    return prices(
        compute={"amount": compute},
        storage={"gib_month": storage},
        serving={"replica_hour": serving},
        labelling={"example": labelling, "held_out_example": 2 * labelling},
    )


MOVES = [
    ({"compute": 36000.0}, at(compute=36000.0), 1.0),
    ({"compute": 0.0}, at(compute=0.0), 1.0),
    ({"storage": 0.5}, at(storage=0.5), 1.0),
    ({"serving": 0.0, "labelling": 50.0}, at(serving=0.0, labelling=50.0), 1.0),
    ({"traffic": 0.001}, at(), 0.001),
    ({"traffic": 37.5, "serving": 0.125}, at(serving=0.125), 37.5),
]


@driven
@pytest.mark.parametrize(
    ("knobs", "book", "traffic"), MOVES, ids=lambda move: str(move) if isinstance(move, dict) else ""
)
def test_moved_prices_and_traffic_give_the_verdict_that_a_run_so_priced_gives(browser, pages, knobs, book, traffic):
    page = shown(browser, pages["plain"])
    moved(page, **knobs)
    expected, _ = told_by(LABELS, book=book, traffic=traffic)
    assert sentences(page) == list(expected.verdict.sentences)
    for i, label in enumerate(LABELS):
        (total,) = [row for row in expected.totals if (row.label, row.component) == (label, "total")]
        found = page.execute_script(
            "const p = adapeff.pages[0]; return adapeff.total(p.case, p.lots, arguments[0], 'total')", i
        )
        assert found == pytest.approx(total.mean)


@driven
def test_the_slider_for_compute_moves_curves_dates_and_verdict(browser, pages):
    page = shown(browser, pages["plain"])
    before = page.find_element("class name", "headline").text, paths(page, "total")
    crossed = page.find_element("class name", "crossings").text
    assert "stores_cheaply is cheapest" in before[0]
    page.execute_script(
        "const range = document.querySelector('[data-knob=compute] [type=range]');"
        "range.value = 3; range.dispatchEvent(new Event('input', {bubbles: true}));"
    )
    settled(page)
    time.sleep(0.5)
    after = page.find_element("class name", "headline").text, paths(page, "total")
    assert "trains_cheaply is cheapest" in after[0] and after[1] != before[1]
    assert page.find_element("class name", "crossings").text != crossed
    assert "compute 3.6e+04 (was 36)" in page.find_element("class name", "conditions").text
    assert page.find_element("class name", "stands").text == after[0]
    page.find_element("css selector", "button[type=reset]").click()
    settled(page)
    time.sleep(0.5)
    assert (page.find_element("class name", "headline").text, paths(page, "total")) == before


@driven
def test_the_numbers_of_a_chart_stand_in_a_table_and_move_too(browser, pages):
    page = shown(browser, pages["plain"])
    page.execute_script("document.querySelector('.numbers').open = true")
    settled(page)
    table = page.find_element("css selector", ".numbers table")
    before = table.text.splitlines()
    assert before[0].split() == ["day", *LABELS] and before[-1].startswith("100 ")
    moved(page, compute=0.0)
    assert page.find_element("css selector", ".numbers table").text.splitlines()[-1] != before[-1]


@driven
def test_a_pointer_over_the_curves_tells_the_amounts_of_all_strategies_on_that_day(browser, pages):
    from selenium.webdriver import ActionChains

    page = shown(browser, pages["plain"])
    chart = page.find_element("css selector", '[data-name="compute"] svg')
    ActionChains(page).scroll_to_element(chart).move_to_element(chart).perform()
    time.sleep(0.3)
    rows = dict(row.text.split(maxsplit=1) for row in page.find_elements("css selector", "#vg-tooltip-element tr"))
    assert rows.keys() == {"day", *LABELS} and 40 < float(rows["day"]) < 60
    amount = page.execute_script(
        "return adapeff.money(adapeff.total(adapeff.pages[0].case, adapeff.pages[0].lots, 0, 'compute'))"
    )
    assert rows[LABELS[0]] == f"{amount} EUR"


NUMBERS = [0.0, 0.125, 0.5, 1.0, 1.5, 2.5, 8.3199e-05, 0.00012345, 9.9999999, 398.1, 400.0, 999.5, 1234.565, 36000.0]
NUMBERS += [0.045, 1e12, 123456789.0, 2.675, 1e-7, 5e300, -3.14159, 1.125, 0.1 + 0.2, 99999.95, 364.99999999]


@driven
def test_numbers_are_written_as_python_writes_them(browser, pages):
    page = shown(browser, pages["plain"])
    for precision in (3, 4, 6):
        found = page.execute_script(f"return arguments[0].map((x) => adapeff.general(x, {precision}))", NUMBERS)
        assert found == [f"{x:.{precision}g}" for x in NUMBERS]
    for places in (0, 1, 2):
        numbers = [x for x in NUMBERS if abs(x) < 1e21]
        found = page.execute_script(
            f"return arguments[0].map((x) => adapeff.grouped(adapeff.fixed(x, {places})))", numbers
        )
        assert found == [f"{x:,.{places}f}" for x in numbers]
    assert page.execute_script("return arguments[0].map(adapeff.money)", NUMBERS) == [money(x) for x in NUMBERS]


@driven
def test_a_slider_moves_by_keyboard_and_tells_its_value(browser, pages):
    page = shown(browser, pages["plain"])
    slider = page.find_element("css selector", "[data-knob=serving] [type=range]")
    slider.send_keys("\ue014" * 5)  # arrow right
    assert slider.get_attribute("aria-valuetext").startswith("1.259 ×")


@driven
def test_the_floor_decides_who_is_compared(browser, pages):
    page = shown(browser, pages["plain"])
    moved(page, floor=0.2)
    assert any("is never called cheapest" in sentence for sentence in sentences(page))
    assert "below the floor" in page.execute_script("return document.querySelector('[data-key=floor-2]').textContent")


@driven
def test_notes_of_marks_come_and_go_with_the_marks(browser, pages):
    page = shown(browser, pages["plain"])
    places = "document.querySelectorAll('.verdict > .note, [aria-labelledby^=quality] > .note')"
    told = f"return [...{places}].map((e) => e.textContent)"
    costs, quality = page.execute_script(told)
    assert "✓ cheapest" in costs and quality == "in points, mean over seeds"
    moved(page, floor=0.2)
    costs, quality = page.execute_script(told)
    assert "✓ cheapest" not in costs, "one strategy is left, and is the cheapest of none"
    assert quality.endswith("; - marks more than 0.2 below the endpoint's best")


@driven
@pytest.mark.parametrize(("width", "height"), [(375, 700), (1280, 700)])
def test_the_verdict_stays_beside_the_sliders_and_nothing_shows_below_it(browser, pages, width, height):
    page = shown(browser, pages["plain"], width)
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    below = page.execute_script(
        "const form = document.querySelector('.whatif form'), says = form.querySelector('.stands');"
        "window.scrollTo(0, scrollY + form.getBoundingClientRect().top - 10); form.scrollTop = 60;"
        "const box = says.getBoundingClientRect(), edge = Math.min(innerHeight, form.getBoundingClientRect().bottom);"
        "return [box.height, edge - box.bottom, innerHeight - box.bottom];"
    )
    assert below[0] > 20 and -1 <= below[1] <= 1.5 and below[2] >= -1


@driven
def test_the_graph_goes_through_time_and_tells_the_reasons(browser, pages):
    page = shown(browser, pages["lived"])
    graph = page.find_element("class name", "graph")
    assert "launch" in graph.find_element("class name", "moment").text
    texts = []
    for _ in range(10):
        graph.find_element("class name", "on").click()
        texts.append(graph.find_element("class name", "moment").text)
        if "new_language" in texts[-1]:
            break
    assert "day 40" in texts[-1]
    node = "[...document.querySelectorAll('.graph g.node')].find((g) => g.ariaLabel.startsWith('adapter/intent#2'))"
    page.execute_script(f"{node}.focus()")
    said = graph.find_element("class name", "said").text
    assert "is rebuilt because train:dataset/intent/de moved" in said
    assert "dataset/intent/de > adapter/intent#2" in said
    assert page.execute_script("return document.querySelectorAll('.graph path.lit').length") >= 1
