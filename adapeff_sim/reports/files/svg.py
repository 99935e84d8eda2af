"""The figures of the page as SVG files, one for each, in a folder."""

from collections.abc import Sequence
from pathlib import Path

from adapeff_sim.reports.base import FILES
from adapeff_sim.reports.pictures import VEGA_LITE, drawn
from adapeff_sim.reports.told import Told


@FILES.register
def svg(runs: Sequence[Told], folder: Path) -> list[Path]:
    """Write every figure. Raises ReportError where the libraries for charts are not installed or the disk refuses."""
    return drawn(runs, folder, "svg", lambda to, spec: to.vegalite_to_svg(spec, vl_version=VEGA_LITE))
