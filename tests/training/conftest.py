"""The toy base models, made once, and a workbench for each test."""

import pytest
from tiny_encoders import write_encoder
from toy_model import MACHINE, SELDOM, Built, make_base

from adapeff_sim.base_models.release import Release
from adapeff_sim.training.backbone import Backbone, load_backbone
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


@pytest.fixture(scope="session")
def backbone_of(tmp_path_factory):
    """The tiny encoders, each made when it is first asked for, with settings of its own if any are said."""
    made: dict[str, Backbone] = {}

    def get(encoder: str, **settings: object) -> Backbone:
        name = f"{encoder} {settings}"
        if name not in made:
            made[name] = load_backbone(write_encoder(tmp_path_factory.mktemp(encoder), encoder, **settings))
        return made[name]

    return get
