"""What tests that really train share: how long a serving probe may take decides nothing that they look at."""

import pytest


@pytest.fixture(scope="module")
def quick_probes():
    """Serving probes that are taken as always, but in a hundredth of the time."""
    from adapeff_sim.training.workbench import Workbench

    with pytest.MonkeyPatch.context() as patched:
        inner = Workbench.__init__
        patched.setattr(Workbench, "__init__", lambda self, machine: inner(self, machine, probe_seconds=0.01))
        yield
