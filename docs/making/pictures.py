"""Makes the pictures of the documentation from a finished run: screens as SVG, the page as PNG at three widths.

python docs/making/pictures.py                          # of the run of new_language that comes along
python docs/making/pictures.py --run runs/new_language
python docs/making/pictures.py --out somewhere --screens  # screens alone: no browser is needed

Chromium with its chromedriver is driven without network, as in tests/end_to_end/test_browser.py.
"""

import argparse
import base64
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

PICTURES = Path(__file__).parents[1] / "pictures"
FONT = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)  # fetched from elsewhere: the reader's own fonts do
LEAST_HEIGHT, READY_SECONDS = 844, 60.0
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True, slots=True)
class Screen:
    """A command's output, or the parts of it between lines that begin so; ``columns`` wide."""

    name: str
    command: str
    parts: tuple[tuple[str, str], ...] = ()
    columns: int = 100


@dataclass(frozen=True, slots=True)
class View:
    """The page in a window of this width and height, from the top or from a heading on."""

    name: str
    width: int
    height: int
    scheme: str = "light"
    heading: str = ""
    script: str = ""


LATER = """
const graph = document.querySelector(".graph"), chosen = graph.querySelector("select");
chosen.value = [...chosen.options].find(o => o.text === "adapter_fusion").value;
chosen.dispatchEvent(new Event("change"));
const day = graph.querySelector("[type=range]");
day.value = 2;
day.dispatchEvent(new Event("input"));
[...graph.querySelectorAll("g.node")].find(n => n.ariaLabel.startsWith("fusion/")).focus({preventScroll: true});
"""  # AdapterFusion on the day of the third event, with the reasons of one fusion
SCREENS = (
    Screen("plan", "plan new_language --strategies adapter_per_task,multitask_full", (("", "Settings"),)),
    Screen("report", "report {run}", (("", "Compute in"), ("Quality in", "Cost at equal"), ("Verdict", "Files in"))),
    Screen("explain", "explain {run} --job adapter/intent@0"),
    Screen("price", "price {run} --set compute.device_hour=1.2 --traffic x20", (("", "Compute in"), ("Verdict", ""))),
)
VIEWS = (
    View("page-390", 390, LEAST_HEIGHT),
    View("page-1280", 1280, 900),
    View("page-1920", 1920, 1080),
    View("page-dark", 1280, 900, "dark"),
    View("page-dark-390", 390, LEAST_HEIGHT, "dark"),
    View("page-curves", 1280, 900, heading="Cumulative cost"),
    View("page-artifacts", 1440, 700, heading="Artifacts", script=LATER),
)


def main() -> None:
    """Make them all, and say how big they are."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", default="demo:new_language", help="a finished run")
    parser.add_argument("--out", type=Path, default=PICTURES, help="the folder to write to")
    parser.add_argument("--screens", action="store_true", help="screens alone")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    made = [drawn(screen, asked.run, asked.out) for screen in SCREENS]
    if not asked.screens:
        made += seen(asked.run, asked.out)
    for file in made:
        print(f"{file}: {file.stat().st_size / 1000:.0f} kB")
    print(f"{sum(file.stat().st_size for file in made) / 1e6:.2f} MB in all")


def drawn(screen: Screen, run: str, out: Path) -> Path:
    """The SVG of one screen."""
    command = screen.command.format(run=run)
    text = Text.from_ansi("\n".join(kept(typed(command, screen.columns).splitlines(), screen.parts)))
    width = max(screen.columns, *(len(line.rstrip()) for line in text.plain.splitlines()))
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, highlight=False)
    console.print(text, soft_wrap=True)
    file = out / f"{screen.name}.svg"
    pattern = FONT.sub("", CONSOLE_SVG_FORMAT)
    title = f"adapeff-sim {command}"
    svg = console.export_svg(title=title, theme=DIMMED_MONOKAI, code_format=pattern, unique_id=screen.name)
    file.write_text("\n".join(line.rstrip() for line in svg.splitlines()) + "\n", encoding="utf-8")
    return file


def typed(command: str, columns: int) -> str:
    """What a command prints on a terminal that knows colours."""
    env = {**os.environ, "COLUMNS": str(columns), "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    arguments = [sys.executable, "-m", "adapeff_sim", *command.split()]
    return subprocess.run(arguments, env=env, capture_output=True, text=True, check=True).stdout


def kept(lines: list[str], parts: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """The lines of the parts, each from the line that begins so up to the next one that begins otherwise."""
    bare = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in lines]
    for number, (start, stop) in enumerate(parts or (("", ""),)):
        first = next((n for n, line in enumerate(bare) if line.startswith(start)), None)
        if first is None:
            raise SystemExit(f"no line of the screen begins with {start!r}")
        last = next((n for n, line in enumerate(bare) if stop and n > first and line.startswith(stop)), len(lines))
        while last > first and not bare[last - 1]:
            last -= 1
        if number:
            yield from ("", "\x1b[2m...\x1b[0m", "")
        yield from lines[first:last]


def seen(run: str, out: Path) -> list[Path]:
    """The PNG of every view of the page."""
    with tempfile.TemporaryDirectory() as place, browser() as driver:
        page = Path(place) / "page.html"
        typed(f"report {run} --html {page}", 100)
        return [shot(driver, page, view, out) for view in VIEWS]


@contextmanager
def browser() -> Iterator[Any]:
    """A browser that nobody sees and that has no network."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    found = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if found is None:
        raise SystemExit("no browser on this machine; give --screens for the pictures that need none")
    options.binary_location = found
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        driver.execute_cdp_cmd("Network.enable", {})
        offline = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", offline)
        yield driver
    finally:
        driver.quit()


def shot(driver: Any, page: Path, view: View, out: Path) -> Path:
    """One view, when the charts are drawn."""
    size = {"width": view.width, "height": view.height, "deviceScaleFactor": 1, "mobile": view.width < 500}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": view.scheme}]}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    driver.get(page.as_uri())
    until = time.monotonic() + READY_SECONDS
    while driver.execute_script("return document.documentElement.dataset.ready") != "yes":
        if time.monotonic() > until:
            raise SystemExit(f"{view.name}: the page is not ready after {READY_SECONDS:.0f} s")
        time.sleep(0.1)
    find = "const h = [...document.querySelectorAll('h2, h3')].find(x => x.textContent.startsWith(arguments[0]))"
    if view.heading and not driver.execute_script(f"{find}; if (h) h.scrollIntoView(); return !!h", view.heading):
        raise SystemExit(f"{view.name}: no heading of the page begins with {view.heading!r}")
    driver.execute_script(view.script)
    time.sleep(0.3)  # what moves has come to rest
    png = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
    file = out / f"{view.name}.png"
    file.write_bytes(base64.b64decode(png))
    return file


if __name__ == "__main__":
    main()
