"""How far predicted percentiles lie from those that a discrete-event simulation by another library finds.

    python benchmarks/sizing.py [--requests 30000]

Prints the table of docs/how_costs_are_counted.md; about a quarter of an hour.
"""

import argparse
import sys
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from ciw_pool import p95

from adapeff_sim.costs.queueing import Sort, response

CURVES = {  # seconds of a batch
    "alone": [[0.010]],
    "alone, two sorts": [[0.010], [0.040]],
    "batches that help": [[0.005 + 0.005 * b for b in range(1, 9)]],
    "batches that hardly help": [[0.0005 + 0.0095 * b for b in range(1, 9)]],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=30_000)
    requests = parser.parse_args().requests
    print("| service | replicas | load | predicted ms | simulated ms | error |\n|---|---|---|---|---|---|")
    for (name, curves), replicas, load in product(CURVES.items(), (1, 2, 4, 8), (0.2, 0.5, 0.7, 0.9)):
        shares = [1.0] if len(curves) == 1 else [0.7, 0.3]
        largest = len(curves[0])
        rate = load * replicas * largest / sum(s * c[-1] for s, c in zip(shares, curves, strict=True))
        asked = tuple(Sort(rate * s, tuple(c)) for s, c in zip(shares, curves, strict=True))
        found = response(asked, replicas)
        assert found is not None
        simulated = p95(rate, curves, shares, replicas, requests, seed=1)
        error = found.p95_seconds / simulated - 1
        numbers = f"{1e3 * found.p95_seconds:.1f} | {1e3 * simulated:.1f} | {error:+.1%}"
        print(f"| {name} | {replicas} | {load:g} | {numbers} |", flush=True)


if __name__ == "__main__":
    main()
