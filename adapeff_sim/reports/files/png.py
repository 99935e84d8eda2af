"""The figures of the page as PNG files, one for each, in a folder."""

from collections.abc import Sequence
from pathlib import Path

from adapeff_sim.reports.base import FILES
from adapeff_sim.reports.pictures import VEGA_LITE, drawn
from adapeff_sim.reports.told import Told

DOTS = 2.5  # pixels for each unit of the drawing: sharp on a slide and in print


@FILES.register
def png(runs: Sequence[Told], folder: Path) -> list[Path]:
    """Write every figure. Raises ReportError where the libraries for charts are not installed or the disk refuses."""
    return drawn(runs, folder, "png", lambda to, spec: to.vegalite_to_png(spec, vl_version=VEGA_LITE, scale=DOTS))
