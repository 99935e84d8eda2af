"""The figures of the page as SVG files, one for each, in a folder."""

from collections.abc import Sequence
from pathlib import Path

from adapeff_sim.reports.base import FILES
from adapeff_sim.reports.pictures import charting, stems, written
from adapeff_sim.reports.told import Told


@FILES.register
def svg(runs: Sequence[Told], folder: Path) -> list[Path]:
    """Write every figure. Raises ReportError where the libraries for charts are not installed or the disk refuses."""
    found = []
    with charting():
        import vl_convert

        from adapeff_sim.reports.pictures import VEGA_LITE, figures
    for told, stem in zip(runs, stems(runs), strict=True):
        for name, spec in figures(told):
            drawn = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE)
            found.append(written(folder / f"{stem}-{name}.svg", drawn))
    return found
