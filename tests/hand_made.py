"""Ledgers written by hand: records with only what a test cares about, and prices that are easy to reckon with."""

from typing import Any

from adapeff_sim.costs.base import CostRow, Terms, price_ledger
from adapeff_sim.costs.prices import GIB, MONTH_DAYS, Prices
from adapeff_sim.ledger.ledger import Ledger
from adapeff_sim.ledger.records import (
    Answered,
    DeploymentRecord,
    EvaluationRecord,
    JobRecord,
    Record,
    ServingRecord,
    Stored,
)

SAID = {"date": "2025-06-01", "source": "example"}
BOOK: dict[str, Any] = {
    "name": "round",
    "currency": "EUR",
    "compute": {"per": "device_hour", "amount": 36.0, "device": "cpu", "flops_per_second": 100.0, **SAID},
    "storage": {"gib_month": MONTH_DAYS, **SAID},  # one euro for a GiB and a day
    "serving": {"replica_hour": 1.0, "instance": "box", "device": "cpu", "flops_per_second": 1000.0, **SAID},
}
XLM_R_BASE = {
    "model_type": "xlm-roberta",
    "num_hidden_layers": 12,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_attention_heads": 12,
    "vocab_size": 250002,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
}  # the numbers of its config.json


def prices(**parts: dict[str, Any]) -> Prices:
    """The round book, with some prices said otherwise."""
    merged = {name: {**BOOK.get(name, SAID), **said} for name, said in parts.items()}
    return Prices.model_validate({**BOOK, **merged})


def _record(kind: type[Record], fields: dict[str, Any]) -> Any:
    common = {
        "label": "it",
        "seed": 1,
        "step": 0,
        "day": 0.0,
        "provenance": "measured",
        "device": "cpu x",
        "threads": 1,
    }
    return kind.model_validate({k: v for k, v in {**common, **fields}.items() if k in kind.model_fields})


def build(slot: str = "adapter/a", usage: dict[str, float] | None = None, **fields: Any) -> JobRecord:
    usage = {"train_seconds": 100.0} if usage is None else usage
    defaults = {"job": "build", "kind": "adapter", "fingerprint": f"f-{slot}", "key": "k"}
    return _record(JobRecord, {**defaults, "slot": slot, "usage": usage, **fields})


def fetch(slot: str = "dataset/a", usage: dict[str, float] | None = None, **fields: Any) -> JobRecord:
    return build(slot, usage or {}, job="fetch", kind="dataset", **fields)


def scored(score: float | None = 0.9, endpoint: str = "a/en", **fields: Any) -> EvaluationRecord:
    scores = {} if score is None else {"accuracy": score}
    defaults = {
        "route": "adapter/a",
        "key": "k",
        "test_set": "v1",
        "primary": "accuracy",
        "usage": {"evaluate_seconds": 10.0},
    }
    return _record(EvaluationRecord, {**defaults, "endpoint": endpoint, "scores": scores, **fields})


def probe(seconds: float | None = 0.1, shape: str = "plain", **fields: Any) -> ServingRecord:
    timed = {} if seconds is None else {1: seconds, 16: seconds / 2}
    return _record(ServingRecord, {"shape": shape, "key": "k", "request_seconds": timed, "usage": {}, **fields})


def kept(slot: str = "adapter/a", gib: float = 1.0, fingerprint: str = "", **fields: Any) -> Stored:
    size = {"stored_bytes": int(gib * GIB), "fingerprint": fingerprint or f"f-{slot}"}
    return Stored.model_validate({"slot": slot, "kind": "adapter", "provenance": "measured", **size, **fields})


def answer(
    requests_per_day: float = 0.0, pool: str = "base", shape: str = "plain", endpoint: str = "a/en", **route: Any
) -> Answered:
    return Answered(endpoint=endpoint, pool=pool, shape=shape, requests_per_day=requests_per_day, **route)


def stands(*pieces: Stored | Answered, **fields: Any) -> DeploymentRecord:
    stored = [p for p in pieces if isinstance(p, Stored)]
    answered = [p for p in pieces if isinstance(p, Answered)]
    return _record(DeploymentRecord, {"event": "launch", "stored": stored, "answered": answered, **fields})


def bill(
    *records: Record, at: Prices | None = None, horizon_days: float = 10.0, utilisation: float = 0.5
) -> list[CostRow]:
    """The cost rows of some records."""
    terms = Terms(horizon_days=horizon_days, utilisation=utilisation)
    return price_ledger(Ledger(records), at or prices(), terms)


def amounts(rows: list[CostRow], component: str = "") -> dict[str, float | None]:
    """Item -> amount, of one component or of all."""
    return {r.item: r.amount for r in rows if component in ("", r.component)}
