"""What config files of AISBench and OpenCompass import, without those tools.

- ``mmengine.config.read_base`` is a block that does nothing.
- Classes and functions (``VLLMCustomAPIChat``, ``AccEvaluator``...) are names, nothing more.
- ``...configs.models.<folder>.<preset>``: ``models`` is a list of old-style dicts, free to change.
- ``...configs.datasets.<folder>.<task>``: every ``*_datasets`` is a list of dicts (``handles``).
- ``...configs.summarizers...``: a ``summarizer`` dict and empty ``*_summary_groups``.

A preset imported twice is the same list both times, as in Python: who renames one, renames both.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import cache, partial
from typing import TypeAlias

from steelyard.config.program import StandIn
from steelyard.core import Json

PACKAGES = ("mmengine", "ais_bench", "opencompass")

_PRESET = re.compile(r"\.configs\.(models|datasets|summarizers)\.(?:.+\.)?(\w+)$")

Maker: TypeAlias = Callable[[str], list[dict[str, Json]]]
"""Gets the name of a preset; returns its entries."""


class Named:
    """A module, class or function of another tool: only its dotted path is known."""

    __slots__ = ("_look_up", "_path")

    def __init__(self, path: str, look_up: Callable[["Named", str], object]) -> None:
        self._path = path
        self._look_up = look_up

    @property
    def __all__(self) -> list[str]:
        """What ``import *`` brings: only presets have something."""
        found = _PRESET.search(self._path)
        if found is None:
            return []
        folder = self._path.split(".")[-2]
        return {
            "models": ["models"],
            "datasets": [f"{folder}_datasets"],
            "summarizers": ["summarizer", f"{found[2]}_summary_groups"],
        }[found[1]]

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._look_up(self, name)

    def __deepcopy__(self, memo: object) -> "Named":
        return self

    def __repr__(self) -> str:
        return f"<{self._path}>"


def named(value: object) -> str:
    """The class or function name that a ``type=`` value means; empty when it means none.

    Stand-ins, text (dotted or not) and real classes or functions all count.
    """
    if isinstance(value, Named):
        value = value._path
    if isinstance(value, str):
        return value.rpartition(".")[2]
    return getattr(value, "__name__", "") if callable(value) else ""


def stand_ins(models: Maker, datasets: Maker) -> Mapping[str, StandIn]:
    """The stand-in packages; ``models`` and ``datasets`` make the entries of a preset by name."""
    makers = {"models": cache(models), "datasets": cache(datasets)}
    return {name: partial(Named, look_up=partial(_look_up, makers)) for name in PACKAGES}


def _look_up(makers: Mapping[str, Maker], module: Named, name: str) -> object:
    path = f"{module._path}.{name}"
    preset = _PRESET.search(module._path)
    kind, stem = preset.groups() if preset else ("", "")
    if path.startswith("mmengine") and name == "read_base":
        return nullcontext
    if kind == "models" and name == "models":
        return makers["models"](stem)
    if kind == "datasets" and (name.endswith("_datasets") or name == "datasets"):
        return makers["datasets"](stem)
    if kind == "datasets" and name.endswith("_dataset"):
        return makers["datasets"](stem)[0]
    if kind == "summarizers" and name == "summarizer":
        purpose = "performance" if "perf" in module._path else "accuracy"
        return {"attr": purpose, "type": Named(path, module._look_up)}
    if kind == "summarizers" and name.endswith("_summary_groups"):
        return []
    return Named(path, module._look_up)
