"""A library that takes long to load, loaded by the first test that needs it and not when tests are collected."""

import importlib
from typing import Any


class Late:
    """Stands for a module and has all that the module has."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):  # pytest looks at every name in a test's file for marks of its own
            raise AttributeError(attribute)
        return getattr(importlib.import_module(self._name), attribute)
