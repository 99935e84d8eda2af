"""What a finished run cost, reckoned again from its ledger and its prices alone: nothing of costs/ is used here."""

import json
import math
from collections import defaultdict
from typing import Any

import pytest

from adapeff_sim.demos import HERE, demos

Record = dict[str, Any]


@pytest.fixture(scope="module", params=demos())
def run(request: pytest.FixtureRequest) -> tuple[dict[str, Any], list[Record]]:
    folder = HERE / request.param
    lines = (folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    return json.loads((folder / "results.json").read_text(encoding="utf-8")), [json.loads(line) for line in lines]


def standing(life: list[Record], horizon: float) -> list[tuple[Record, float]]:
    """Every deployment with the days for which it stood."""
    found = sorted((r for r in life if r["type"] == "deployment"), key=lambda r: r["step"])
    ends = [r["day"] for r in found[1:]] + [horizon]
    return [(r, end - r["day"]) for r, end in zip(found, ends, strict=True) if end > r["day"]]


def compute(life: list[Record], price: dict[str, Any]) -> float:
    """Operations at the book's rate, as all of it ran on another device than the priced one."""
    worked = [r for r in life if r["type"] == "evaluation" or r.get("job") == "build"]
    assert worked and not any(price["device"] in r["device"] for r in worked) and price["per"] == "device_hour"
    flops = sum(r["usage"].get(f"{p}_flops", 0.0) for r in worked for p in ("train", "validate", "evaluate"))
    return flops / price["flops_per_second"] / 3600 * price["amount"]


def storage(life: list[Record], horizon: float, price: dict[str, Any]) -> float:
    """Bytes x months, deployment by deployment: routed, the last older generation of each slot, ancestors, rows."""
    total, past = 0.0, list[Record]()  # what was routed before, the latest last
    older_price = price["gib_month"] if price["older_gib_month"] is None else price["older_gib_month"]
    others = {"ancestor": price["ancestor_gib_month"], "data": price["data_gib_month"]}
    for deployment, days in standing(life, horizon):
        routed = {s["fingerprint"]: s for s in deployment["stored"] if s["kept_as"] == "routed"}
        charged = {name: (s, price["gib_month"]) for name, s in routed.items()}
        gone: dict[str, list[Record]] = defaultdict(list)
        for s in past:
            if s["fingerprint"] not in routed:
                gone[s["slot"]].append(s)
        for generations in gone.values():
            kept = generations[len(generations) - min(len(generations), price["keep_versions"]) :]
            charged |= {s["fingerprint"]: (s, older_price) for s in kept}
        for s in deployment["stored"]:
            if others.get(s["kept_as"]) is not None:
                charged.setdefault(s["fingerprint"], (s, others[s["kept_as"]]))
        total += sum(s["stored_bytes"] / 2**30 * each for s, each in charged.values()) * days / 30.4375
        past = [s for s in past if s["fingerprint"] not in routed] + list(routed.values())
    return total


def serving(life: list[Record], terms: dict[str, Any], price: dict[str, Any]) -> float:
    """Whole replicas for each pool, at batch 1 and at most so busy."""
    assert (terms["p95_ms"], terms["rollout_hours"], terms["placement"]) == (None, None, "dedicated")
    total = 0.0
    for deployment, days in standing(life, terms["horizon_days"]):
        pools: dict[str, float] = defaultdict(float)  # seconds of answering in a day
        for a in deployment["answered"]:
            probes = [r for r in life if r["type"] == "serving" and r["shape"] == a["shape"]]
            probe = [r for r in probes if r["step"] <= deployment["step"]][-1]
            pools[a["pool"]] += a["requests_per_day"] * probe["usage"]["request_flops"] / price["flops_per_second"]
        replicas = [max(1, math.ceil(load / 86_400 / terms["utilisation"] - 1e-9)) for load in pools.values()]
        total += 24 * days * sum(replicas) * price["replica_hour"]
    return total


def labelling(life: list[Record], price: dict[str, Any]) -> float:
    used = [r["usage"] for r in life if r["type"] in ("job", "evaluation")]
    held_out = sum(u.get("validation_examples", 0.0) + u.get("test_examples", 0.0) for u in used)
    return price["example"] * sum(u.get("labelled_examples", 0.0) for u in used) + price["held_out_example"] * held_out


def test_every_amount_of_a_demo_follows_by_hand(run):
    results, ledger = run
    prices, terms = results["prices"], results["facts"]["terms"]
    for i, seed in enumerate(results["facts"]["seeds"]):
        for label in results["facts"]["labels"]:
            life = [r for r in ledger if (r["label"], r["seed"]) == (label, seed) and r["day"] <= terms["horizon_days"]]
            items = sum(r["items"] for r in life if r["type"] == "evaluation")
            by_hand = {
                "compute": compute(life, prices["compute"]),
                "storage": storage(life, terms["horizon_days"], prices["storage"]),
                "serving": serving(life, terms, prices["serving"]),
                "labelling": labelling(life, prices["labelling"]),
                "revalidation": items * prices["revalidation"]["item"],
            }
            told = {r["component"]: r["amounts"][i] for r in results["totals"] if r["label"] == label}
            assert told == pytest.approx(by_hand | {"total": math.fsum(by_hand.values())}, rel=1e-12), label
