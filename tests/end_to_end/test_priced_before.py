"""What no machine here could train is priced in seconds, in a process in which torch cannot even be imported."""

import json
import subprocess
import sys
from pathlib import Path

WITHOUT_TORCH = """
import sys
for name in ("torch", "transformers", "adapters"):
    sys.modules[name] = None
sys.argv = ["adapeff-sim", *sys.argv[1:]]
from adapeff_sim.cli.app import main
main()
"""


def typed(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", WITHOUT_TORCH, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


def test_the_protocol_is_priced_refused_to_run_and_estimated_as_a_run(tmp_path: Path) -> None:
    dear = typed(tmp_path, "plan", "paper/mundra2023", "--price", "--json", "--fail-over", "5000")
    assert dear.returncode == 3, dear.stderr
    told = json.loads(dear.stdout)["price"]
    amounts = [line[when] for turn in told["events"] for line in turn["lines"] for when in ("once", "monthly")]
    assert {each["provenance"] for each in amounts} == {"estimated", "assumed"}, "nothing was measured"
    steps = {(row["label"], row["day"]): row["usage"] for row in told["trainings"] if row["label"] == "multitask_full"}
    per_epoch = [usage["train_steps"] / usage["train_epochs"] for _, usage in sorted(steps.items())]
    assert per_epoch == [22242, 23287, 23287], "without copa, with it, and all of it again on the large model"
    refused = typed(tmp_path, "run", "paper/mundra2023", "--device", "cpu")
    assert refused.returncode == 2 and "only stated" in refused.stderr and "Traceback" not in refused.stderr
    done = typed(tmp_path, "run", "paper/mundra2023", "--executor", "estimate", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "nothing was trained" in typed(tmp_path, "report", "runs/mundra2023").stdout
    again = typed(tmp_path, "price", "runs/mundra2023", "--set", "compute.device_hour=8", "--json")
    assert again.returncode == 0, again.stderr
    was = {(r["label"], r["component"]): r["mean"] for r in told["totals"]}
    now = {(r["label"], r["component"]): r["mean"] for r in json.loads(again.stdout)["totals"]}
    assert now["pfeiffer", "compute"] > 9 * was["pfeiffer", "compute"]
