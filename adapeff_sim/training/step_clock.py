"""Where the seconds of training steps go: rows into tensors, forward, backward, optimizer.

for each step:   clock.start()  ...  clock.done("data")  ...  clock.done("forward")  ...

On a GPU the marks are events in the device's own queue, so that measuring never makes the host wait; ``data`` is then
the time for which the device waited for the next batch.
"""

import time

import torch

SYNCHRONISE_AFTER = 4096  # marks kept on a GPU: about eight hundred steps


class StepClock:
    """The seconds of each part of the steps so far."""

    def __init__(self, device: torch.device) -> None:
        self._seconds: dict[str, float] = {}
        self._device = device
        self._last = 0.0
        self._marks: list[tuple[str | None, torch.cuda.Event]] = []

    def start(self) -> None:
        """A step begins."""
        self._mark(None)

    def done(self, part: str) -> None:
        """A part of the step is over: it began where the one before ended."""
        self._mark(part)

    def seconds(self) -> dict[str, float]:
        """The sums by part; waits until the device has done all it was given."""
        self._settle()
        return dict(self._seconds)

    def _mark(self, part: str | None) -> None:
        if self._device.type == "cuda":
            event = torch.cuda.Event(enable_timing=True)
            event.record()
            self._marks.append((part, event))
            if part is None and len(self._marks) > SYNCHRONISE_AFTER:
                begun = self._marks.pop()
                self._settle()
                self._marks = [begun]
            return
        now = time.perf_counter()
        if part is not None:
            self._add(part, now - self._last)
        self._last = now

    def _settle(self) -> None:
        """Turn marks into seconds."""
        if not self._marks:
            return
        self._marks[-1][1].synchronize()
        for (_, before), (part, after) in zip(self._marks, self._marks[1:], strict=False):
            if part is not None:
                self._add(part, before.elapsed_time(after) / 1000)  # it tells milliseconds
        self._marks = []

    def _add(self, part: str, seconds: float) -> None:
        self._seconds[part] = self._seconds.get(part, 0.0) + seconds
