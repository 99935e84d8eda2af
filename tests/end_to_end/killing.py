"""Run a scenario again and again, and kill the process at drawn moments, as a power cut would.

Every attempt is a process of its own that runs the command line's own ``main``. They are forked from one that has
imported everything, so that an attempt costs a blink and not the seconds that torch takes to import. The moments are
counted in writes under the store and the run's folder, which Python's audit events tell of: no code knows of the test.
Called with one argument, a JSON object; prints one.
"""

import gc
import json
import os
import random
import signal
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deadly import writes

from adapeff_sim.cli.app import main
from adapeff_sim.execution import local
from adapeff_sim.training import workbench  # with all of torch, once, before anything is forked
from adapeff_sim.training.loop import Rhythm

QUICK = Rhythm(0.05, 0.05, 0.0, 0.05)  # tiny trainings would be over before their first checkpoint
PROBE_SECONDS = 0.02
NEVER = 1 << 60


@dataclass(slots=True)
class Attempt:
    """How one attempt ended: ``done`` maps every finished key to the state of its entry on the disk."""

    code: int
    kill_at: int
    delay: float
    done: dict[str, list[int]]
    checkpoints: dict[str, int]  # key -> step of the checkpoint left behind


def attempt(argv: list[str], roots: tuple[str, ...], kill_at: int, delay: float, log: int, number: int) -> int:
    """Fork, run the command line in the child, kill it at its ``kill_at``-th write; the status it ended with."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    count = 0

    def say(**what: object) -> None:
        os.write(log, (json.dumps({"attempt": number, **what}) + "\n").encode())

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        if not writes(event, args, roots):
            return
        count += 1
        if event == "os.mkdir" and "@" in os.fspath(args[0]):
            say(takes=Path(args[0]).name.partition("@")[0])
        if count == kill_at and delay:
            threading.Timer(delay, os.kill, (os.getpid(), signal.SIGKILL)).start()
        elif count == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    telling, told = local._telling, set()

    def logged(order: Any, watch: Any) -> Any:
        tell = telling(order, watch)

        def note_and_tell(note: Any) -> None:
            if (order.key, note.phase) not in told:
                told.add((order.key, note.phase))
                say(key=order.key, phase=note.phase, first=note.done)
            tell(note)

        return note_and_tell

    code = 1
    try:
        local._telling = logged
        bench = workbench.Workbench
        workbench.Workbench = lambda machine: bench(machine, QUICK, PROBE_SECONDS)
        sys.addaudithook(hook)
        sys.argv = ["adapeff-sim", *argv]
        code = main() or 0  # type: ignore[func-returns-value]
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        say(writes=count)
        sys.stdout.flush()
        os._exit(code)


def state(store: Path) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Finished entries with inode and time of their manifests, and the steps of the checkpoints in work."""
    manifests = {m.parent.name: m.stat() for m in store.glob("objects/*/*/manifest.json")}
    done = {key: [stat.st_ino, stat.st_mtime_ns] for key, stat in sorted(manifests.items())}
    steps: dict[str, int] = {}
    for position in store.glob("work/*@*/checkpoint/position.json"):
        steps[position.parents[1].name.partition("@")[0]] = json.loads(position.read_text())["position"]["step"]
    return done, steps


def killed(asked: dict[str, Any]) -> dict[str, Any]:
    """An undisturbed run, then ``kills`` killed attempts at another; what was seen of each."""
    draw = random.Random(asked["seed"])
    log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def argv(name: str) -> tuple[list[str], tuple[str, ...]]:
        roots = (f"{asked['root']}/store-{name}", f"{asked['root']}/out-{name}")
        flags = ["--store", roots[0], "--out", roots[1], *asked["flags"]]
        return ["run", asked["scenario"], *flags], roots

    gc.collect()
    gc.freeze()  # what is loaded here need not be looked through, and so copied, by every attempt
    undisturbed = attempt(*argv("whole"), NEVER, 0.0, log, -1)
    lines = [json.loads(line) for line in Path(asked["log"]).read_text().splitlines()]
    total = next(line["writes"] for line in lines if "writes" in line)
    attempts: list[Attempt] = []
    for number in range(asked["kills"]):
        # Of the writes that are left, about as many as leave some for each kill that is still to come.
        left = total * (asked["kills"] - number) / asked["kills"]
        kill_at = draw.randint(1, max(2, round(1.4 * left / (asked["kills"] - number))))
        delay = draw.choice((0.0, 0.0, draw.uniform(0.001, 0.05), draw.uniform(0.05, 0.3)))
        code = attempt(*argv("killed"), kill_at, delay, log, number)
        attempts.append(Attempt(code, kill_at, delay, *state(Path(asked["root"]) / "store-killed")))
        if code == 0:
            break
    return {"undisturbed": undisturbed, "writes": total, "attempts": [asdict(a) for a in attempts]}


if __name__ == "__main__":
    print(json.dumps(killed(json.loads(sys.argv[1]))))
