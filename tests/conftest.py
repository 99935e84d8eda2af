"""How tests are shared out among processes (``pytest -n``), and what every tier of them took."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest
import tiers

BY_FILE = ("tests/unit/", "tests/contract/", "tests/architecture/", "tests/corpus/")
TOGETHER = {  # files that need the same large library, which is then loaded by one process only
    "tests/contract/test_data_sources.py": "datasets",
    "tests/corpus/test_downloads.py": "repositories",
    "tests/corpus/test_hub_source.py": "repositories",
    "tests/corpus/test_ready.py": "repositories",
    "tests/unit/test_formats.py": "datasets",
}


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """What is loaded while tests are collected stays for good: the garbage collector need not look through it.

    It is asked less often as well; both together are a tenth of what the fast tests take.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(100_000, 20, 20)
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Fast tests and corpora go file by file, so that what a file shares is made once; slow ones go one by one."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return TOGETHER.get(file, file) if file.startswith(BY_FILE) else nodeid

    return Scheduling(config, log)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell what every tier took of its budget, and fail where it must be kept and was not."""
    processes = getattr(config.option, "numprocesses", None) or 1
    if not tiers.summarise(terminalreporter, processes) and tiers.are_kept():
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED
