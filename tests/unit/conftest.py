"""What all unit tests share: no clock decides over a property, and nobody waits for a disk."""

import pytest
from hypothesis import settings

settings.register_profile("unit", deadline=None)  # other processes may keep an example waiting
settings.load_profile("unit")


@pytest.fixture(scope="module", autouse=True)
def _no_waiting_for_the_disk():
    """Only a power cut could tell whether a file was waited for; the other tiers do wait."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("os.fsync", lambda handle: None)
        yield
