"""What a config file says about data sets, and the whole of what it says: plain values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from steelyard.core import Json, ModelSpec

DataType: TypeAlias = Literal["", "mcq", "qa"]


class DatasetRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A data set to evaluate on: a name of the catalogue, or a file of the user's."""

    name: str = ""
    """Catalogue name (``gsm8k_gen``); empty when ``path`` names a file."""
    member: str = ""
    """Only this sub-data set (task name) of ``name``."""
    data_dir: str = ""
    """Folder with the files of ``name``, in place of the data folders (old style: ``path``)."""
    path: str = ""
    """The user's own ``.jsonl`` or ``.csv`` file, relative to the working directory."""
    meta_path: str = ""
    """Its meta file; empty: ``<path>.meta.json`` if there is one."""
    data_type: DataType = ""
    """Of ``path``; empty: guessed from the first row."""
    infer_method: Literal["gen"] = "gen"
    template: str = ""
    """Prompt for ``path`` in place of the usual one, with ``{column}`` fields."""
    abbr: str = ""
    """Display and file name in place of the task's own."""
    rows: str | int | float | None = None
    """``test_range``: ``"[0:8]"``, a number of rows or a share of them (see ``rows``)."""
    num_prompts: int | None = None
    """Only the first rows; ``rows`` goes before it."""
    repeats: int | None = None
    """Independent requests per row, in place of the model's (``--repeats``)."""
    options: tuple[str, ...] = ()
    """Options of the data set, ``key=value`` each (``--set-data``)."""

    def data_roots(self) -> tuple[Path, ...]:
        """Where to look for the files of ``data_dir``; empty: in the data folders of the run.

        Data sets name their files as ``gsm8k/test.jsonl``. ``data_dir`` may be that folder, the one
        above it, or the file itself.
        """
        if not self.data_dir:
            return ()
        folder = Path(self.data_dir)
        return (folder.parent, folder, folder.parent.parent)


class Combination(msgspec.Struct, frozen=True):
    """Models that meet data sets: each of the one with each of the other."""

    models: tuple[ModelSpec, ...]
    datasets: tuple[DatasetRef, ...]


class ConfigFile(msgspec.Struct, frozen=True, kw_only=True):
    """A config file, read: what is to be run."""

    models: tuple[ModelSpec, ...]
    datasets: tuple[DatasetRef, ...]
    judge: ModelSpec | None = None
    """Who judges the answers."""
    combinations: tuple[Combination, ...] = ()
    """Which model meets which data set; empty: every one meets every one."""
    work_dir: str | None = None
    max_num_workers: int | None = None
    """Tasks at the same time (old style: ``infer.runner.max_num_workers``)."""
    arguments: Mapping[str, Json] = {}
    """Values for options of the command that its own command line does not give."""
    notices: tuple[str, ...] = ()
    """What a person should know: values that were left out, and why."""

    def pairs(self) -> tuple[tuple[ModelSpec, DatasetRef], ...]:
        """Every model with every data set that it meets, each pair once."""
        found: dict[tuple[str, DatasetRef], tuple[ModelSpec, DatasetRef]] = {}
        for one in self.combinations or (Combination(self.models, self.datasets),):
            for model in one.models:
                for dataset in one.datasets:
                    found.setdefault((model.abbr, dataset), (model, dataset))
        return tuple(found.values())
