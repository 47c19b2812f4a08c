"""The table of ``--search``: which file stands behind every name that was given."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from steelyard.config.checks import near
from steelyard.config.lookup import Places, matching
from steelyard.core import NoSuchName

_SUMMARIZERS = {"example": "steelyard.reports.summary"}
"""Name → the module that lays the summary out."""


class SearchRow(msgspec.Struct, frozen=True):
    """One row of the table."""

    task_type: str
    """``--models``, ``--datasets`` or ``--summarizer``."""
    name: str
    path: Path
    """Absolute; of several matching files the one that would be used."""


def search_rows(
    models: Sequence[str], datasets: Sequence[str], summarizer: str, where: Places
) -> tuple[SearchRow, ...]:
    """Rows for the names given, in the order models, data sets, summarizer; nothing is run.

    A glob shows the file that it finds first. Raises ``NoSuchName`` with the nearest names.
    """
    from steelyard.tasks.catalogue import find

    paths = [matching(name, where)[0] for name in models]
    entries = [find(name, where.datasets)[0] for name in datasets]
    return (
        *(SearchRow("--models", path.stem, path.absolute()) for path in paths),
        *(SearchRow("--datasets", entry.name, entry.path.absolute()) for entry in entries),
        *([SearchRow("--summarizer", summarizer, _summarizer(summarizer))] if summarizer else ()),
    )


def _summarizer(name: str) -> Path:
    from importlib.util import find_spec

    module = _SUMMARIZERS.get(name)
    spec = find_spec(module) if module else None
    if spec is None or spec.origin is None:
        raise NoSuchName("summarizer", name, near(name, _SUMMARIZERS) or tuple(_SUMMARIZERS))
    return Path(spec.origin)
