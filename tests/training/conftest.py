"""The toy base models, made once, and a workbench for each test."""

import pytest
from toy_model import MACHINE, SELDOM, Built, make_base

from adapeff_sim.base_models.release import Release
from adapeff_sim.training.workbench import Workbench


@pytest.fixture(scope="session")
def base(tmp_path_factory) -> Release:
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def other_base(tmp_path_factory) -> Release:
    """The next release of the same architecture."""
    return make_base(tmp_path_factory.mktemp("other"), seed=1)


@pytest.fixture(scope="session")
def wide_base(tmp_path_factory) -> Release:
    return make_base(tmp_path_factory.mktemp("wide"), hidden=48)


@pytest.fixture
def bench() -> Workbench:
    return Workbench(MACHINE, rhythm=SELDOM, probe_seconds=0.02)


@pytest.fixture
def built(bench, base, tmp_path) -> Built:
    return Built(bench, base, tmp_path)
