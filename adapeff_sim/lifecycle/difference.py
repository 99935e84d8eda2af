"""What differs between two worlds, in words."""

from collections.abc import Iterator

from adapeff_sim.lifecycle.world import Dataset, Endpoint, World


def happened(before: World, after: World) -> Iterator[str]:
    """What an event changed in the world, a sentence each."""
    if after.base_model != before.base_model:
        was = f", where it was {before.base_model}" if before.base_model else ""
        yield f"The base model is {after.base_model}{was}."
    for e in after.traffic:
        requests = f"{after.traffic[e]:,.0f} requests a day"
        if e not in before.traffic:
            yield f"{e} is served, with {_rows(after.datasets.get(e))} and {requests}."
            continue
        if after.traffic[e] != before.traffic[e]:
            yield f"{e} gets {requests}, and got {before.traffic[e]:,.0f} before."
        if (now := after.datasets.get(e)) != before.datasets.get(e):
            yield f"{e} has {_rows(now)}, and had {_rows(before.datasets.get(e))} before."
        yield from _retested(e, before, after)
    yield from (f"{e} is served no more." for e in before.traffic if e not in after.traffic)


def _retested(e: Endpoint, before: World, after: World) -> Iterator[str]:
    test = after.test_sets[e]
    if test != before.test_sets.get(e):
        yield f"{e} is tested on other rows (edition {test.version}{f' of {test.source}' if test.source else ''})."


def _rows(data: Dataset | None) -> str:
    if data is None:
        return "no labelled rows (zero-shot)"
    count = "all labelled rows" if data.rows is None else f"{data.rows:,} labelled rows"
    return f"{count}{f' of {data.source}' if data.source else ''}"
