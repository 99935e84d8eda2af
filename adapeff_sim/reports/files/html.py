"""One page for one run or several, in one file that needs no network."""

from collections.abc import Sequence
from pathlib import Path

from adapeff_sim.reports.base import FILES
from adapeff_sim.reports.pictures import VEGA_LITE, charting, written
from adapeff_sim.reports.told import Told


@FILES.register
def html(runs: Sequence[Told], file: Path) -> list[Path]:
    """Write the page. Raises ReportError where the libraries for charts are not installed or the disk refuses."""
    with charting():
        import vl_convert

        from adapeff_sim.reports.page.html import page

        runtime = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", VEGA_LITE)
    return [written(file, page(runs, runtime))]
