"""What a reader can move: prices, traffic and the quality floor, and the event whose artifacts are shown."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from adapeff_sim.reports.page.whatif import main_prices, pools_of
from adapeff_sim.reports.told import Told
from adapeff_sim.results import Results

DECADES = 3  # a slider moves a price to a thousandth and to a thousandfold; the number beside it may say more
MOST_FLOOR = 50  # points
FATES = {"create": "+ created", "rebuild": "~ rebuilt", "keep": "= kept", "retire": "- retired"}


@dataclass(frozen=True, slots=True)
class Knob:
    """One thing to move: its name, what it is called, what is counted, and where it stands."""

    name: str
    title: str
    unit: str
    now: float
    is_price: bool = True


def knobs(results: Results) -> Iterator[Knob]:
    """Everything that can be moved in this run."""
    prices, base = results.prices, main_prices(results.prices)
    per = {"device_hour": f"an hour of {prices.compute.device}", "exaflop": "an exaFLOP", "kwh": "a kWh"}
    units = {
        "compute": per[prices.compute.per],
        "storage": "a GiB and month",
        "serving": "an hour of a replica",
        "energy": "a kWh",
        "revalidation": "a test item run again",
        "labelling": "a labelled row",
    }
    # the floor first: it decides who takes part at all, and where there is little room the verdict lies over the last
    yield Knob("floor", "Quality floor", "points below an endpoint's best", results.facts.quality_floor, False)
    occurs = {row.component for row in results.totals}
    for name, price in base.items():
        if name in occurs:
            yield Knob(name, name.capitalize(), f"{prices.currency} for {units[name]}", price)
    if pools_of(results) is not None:
        yield Knob("traffic", "Traffic", "times the requests of the run", 1.0)


def controls(results: Results, i: int) -> str:
    """The form with all knobs, and what the verdict says at their places."""
    rows = "".join(_knob(knob, i) for knob in knobs(results))
    without = "" if pools_of(results) is not None else NO_TRAFFIC
    return (
        f'<aside class="whatif" aria-labelledby="whatif-{i}"><form autocomplete="off">'
        f'<div class="head"><h2 id="whatif-{i}">What if</h2><button type="reset">As it was priced</button></div>'
        f'<div class="moves"><div class="knobs">{rows}</div>{without}'  # over which alone the verdict may lie
        '<p class="stands" aria-live="polite"></p></div></form></aside>'
    )


NO_TRAFFIC = (
    '<p class="note">Traffic cannot be moved: the replicas of this run do not follow from their load alone.</p>'
)


def _knob(knob: Knob, i: int) -> str:
    name, unit = f"{knob.name}-{i}", escape(knob.unit)
    if knob.is_price:
        reach = f'min="{-DECADES}" max="{DECADES}" step="0.02" value="0"' + ("" if knob.now else " disabled")
        most = ""
    else:
        reach, most = f'min="0" max="{MOST_FLOOR}" step="0.5" value="{knob.now:g}"', ' max="100"'
    return (
        f'<fieldset class="knob" data-knob="{knob.name}" data-base="{knob.now!r}"><legend>{escape(knob.title)}</legend>'
        f'<input type="range" id="range-{name}" {reach} aria-label="{escape(knob.title)}, {unit}">'
        f'<label><input type="number" id="number-{name}" min="0"{most} step="any" value="{knob.now:.12g}" '
        f'aria-label="{escape(knob.title)}, {unit}, as a number"> <span>{unit}</span></label>'
        '<output aria-live="off"></output></fieldset>'
    )


def graph_section(told: Told, i: int) -> str:
    """The choice of strategy and event, a place for the drawing, and what is said of the artifact pointed at."""
    if not told.steps:
        return f'<p class="note">Unavailable: {escape(told.no_steps or "the scenario was not kept")}</p>'
    options = "".join(f'<option value="{n}">{escape(x)}</option>' for n, x in enumerate(told.results.facts.labels))
    return (
        f'<div class="graph"><div class="choose"><label>Strategy <select>{options}</select></label>'
        '<button type="button" class="back" aria-label="The event before">◀</button>'
        f'<label class="time">Event <input type="range" min="0" max="0" step="1" value="0" id="event-{i}"></label>'
        '<button type="button" class="on" aria-label="The next event">▶</button>'
        '<p class="moment" aria-live="polite"></p></div>'
        f'<ul class="fates">{_fates(told)}</ul>'
        '<div class="scroll" tabindex="0" role="region" aria-label="The graph of artifacts"></div>'
        '<p class="said" aria-live="polite">Point at an artifact, or move to it with Tab, to see why.</p></div>'
    )


def _fates(told: Told) -> str:
    """What can become of an artifact, as far as it comes about in this run, with its sign."""
    met = {str(change.action) for step in told.steps for change in step.plan.changes}
    return "".join(f'<li class="{fate}">{said}</li>' for fate, said in FATES.items() if fate in met)
