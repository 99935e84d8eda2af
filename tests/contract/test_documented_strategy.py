"""The strategy that the documentation tells how to write keeps the contract."""

import pathlib
import re
import sys
import types

import pytest
import test_strategies as contract
from story import falls, holds, life

from adapeff_sim.strategies.base import STRATEGIES, Strategy

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "add_a_strategy.md"
NAME = "adapeff_sim.strategies.adapter_per_endpoint"


@pytest.fixture(scope="module")
def strategy():
    code = re.search(r"```python[^\n]*\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    module = types.ModuleType(NAME)
    sys.modules[NAME] = module
    exec(compile(code[1], str(PAGE), "exec"), module.__dict__)
    yield module.AdapterPerEndpoint()
    STRATEGIES._found.pop("adapter_per_endpoint")
    del sys.modules[NAME]


@pytest.fixture(params=[holds, falls], ids=lambda s: s.__name__)
def steps(strategy, request):
    return life(strategy, scores=request.param)


CHECKS = [check for name, check in sorted(vars(contract).items()) if name.startswith("test_")]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_it_keeps_the_contract(check, strategy: Strategy, steps):
    wanted = check.__code__.co_varnames[: check.__code__.co_argcount]
    check(**{name: {"strategy": strategy, "steps": steps}[name] for name in wanted})
