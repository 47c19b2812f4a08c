"""Old-style data sets: presets as dicts that a config file may change, and back to ``DatasetRef``.

A preset comes as one dict per sub-data set, shaped as config files expect it (``abbr``, ``path``,
``reader_cfg``, ``infer_cfg``, ``eval_cfg``). Its ``type`` says which preset it is, so copies made
by any means stay recognisable. Prompt and marking rule belong to the preset: a config file that
changes them is refused; where it names a rule of AISBench's, that is left out with a notice.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from steelyard.config.checks import TABLE, TEXT, require, unknown
from steelyard.config.refs import DatasetRef
from steelyard.config.standins import Named
from steelyard.core import ConfigError, Json


class Preset(msgspec.Struct, frozen=True):
    """The ``type`` of a handle: which preset, and which part of it."""

    name: str
    member: str
    members: tuple[str, ...]
    """All parts of the preset, in order."""


class Read(msgspec.Struct, frozen=True):
    """A data set entry, read."""

    ref: DatasetRef
    notices: tuple[str, ...] = ()
    judge: Json = None
    """The model entry of its judge, where the config file puts one in."""


def handles(name: str, folders: Sequence[Path]) -> list[dict[str, Json]]:
    """The preset ``name`` of the catalogue as old-style dicts, one per sub-data set.

    ``folders`` are the user's, searched first. Raises ``NoSuchName`` with the nearest names.
    """
    from steelyard.tasks.catalogue import find
    from steelyard.tasks.data import Data

    tasks = find(name, folders)[0].make(Data())
    members = tuple(task.name for task in tasks)
    return [
        {
            "abbr": task.name,
            "type": Preset(name, task.name, members),
            "path": "",
            "reader_cfg": {},
            "infer_cfg": {"prompt_template": {}, "retriever": {}, "inferencer": {}},
            "eval_cfg": {"evaluator": {"judge_cfg": {}} if task.judges else {}},
            **({"judge_infer_cfg": {"judge_model": {}}} if task.judges else {}),
        }
        for task in tasks
    ]


def read_handle(entry: Mapping[str, Json], preset: Preset, where: str) -> Read:
    """The data set that a handle, as the config file left it, stands for.

    Raises ``ConfigError`` for changes that this program cannot follow.
    """
    where = f"{where} ({preset.name})"
    known = ("abbr", "type", "path", "reader_cfg", "infer_cfg", "eval_cfg", "judge_infer_cfg")
    parts = {key: entry.get(key, {}) for key in known[3:]}
    for key in entry:
        if key not in known:
            raise unknown(f"{where}, a preset", key, known)
    for key, value in parts.items():
        require(TABLE, value, f"{where}: {key}")
    require(TEXT, entry.get("path", ""), f"{where}: path")
    _refuse_prompt(parts["infer_cfg"], where)
    abbr = entry.get("abbr", preset.member)
    ref = DatasetRef(
        name=preset.name,
        member=preset.member if len(preset.members) > 1 else "",
        data_dir=entry.get("path", ""),
        abbr=abbr if abbr != preset.member else "",
        rows=parts["reader_cfg"].get("test_range"),
    )
    judge = _judge(parts, where)
    return Read(ref, tuple(_left_out(parts, where)), judge)


def _judge(parts: Mapping[str, Mapping[str, Json]], where: str) -> Json:
    """The judge's model entry: AISBench's ``judge_model``, OpenCompass's ``judge_cfg``."""
    evaluator = parts["eval_cfg"].get("evaluator")
    told = evaluator if isinstance(evaluator, Mapping) else {}
    cascaded = told.get("llm_evaluator")
    inner = cascaded if isinstance(cascaded, Mapping) else {}
    found = [
        one
        for one in (
            parts["judge_infer_cfg"].get("judge_model"),
            told.get("judge_cfg"),
            inner.get("judge_cfg"),
        )
        if one
    ]
    for one in found:
        require(TABLE, one, f"{where}: judge")
        if one != found[0]:
            raise ConfigError(f"{where}: judge_model and judge_cfg name different judges.")
    return found[0] if found else None


def _refuse_prompt(infer_cfg: Mapping[str, Json], where: str) -> None:
    if (
        infer_cfg.get("prompt_template")
        or infer_cfg.get("ice_template")
        or infer_cfg.get("retriever")
    ):
        raise ConfigError(
            f"{where}: infer_cfg: the prompt of a preset cannot be changed here. Copy the preset's "
            "file (--search shows it) into <config-dir>/datasets and change the prompt there."
        )
    inferencer = infer_cfg.get("inferencer")
    if isinstance(inferencer, Mapping) and "max_out_len" in inferencer:
        raise ConfigError(
            f"{where}: infer_cfg.inferencer.max_out_len: output limits belong to the model. Set "
            "max_out_len there, or a max_tokens column in data of your own."
        )


def _left_out(parts: Mapping[str, Mapping[str, Json]], where: str) -> Iterable[str]:
    """Notices for what has no effect; a real function for marking is refused instead."""
    for key in parts["reader_cfg"]:
        if key != "test_range":
            yield f"{where}: reader_cfg.{key} is left out: the preset reads its own files"
    if parts["infer_cfg"].get("inferencer"):
        yield f"{where}: infer_cfg.inferencer is left out: requests are sent as the model says"
    for key in parts["judge_infer_cfg"]:
        if key != "judge_model":
            yield f"{where}: judge_infer_cfg.{key} is left out: what a judge is asked is our own"
    for key, value in parts["eval_cfg"].items():
        if key == "evaluator" and isinstance(value, Mapping) and set(value) == {"judge_cfg"}:
            continue
        if _is_function(value):
            raise ConfigError(
                f"{where}: eval_cfg.{key}: the marking rule of a preset is not changed here. "
                "Use --scorer FILE.py:function."
            )
        if value:
            yield (
                f"{where}: eval_cfg.{key} is left out: the data set's own rule marks "
                "(--scorer chooses another one)"
            )


def _is_function(value: Json) -> bool:
    """``True`` when a function or class that really exists is in ``value``."""
    if isinstance(value, Mapping):
        return any(_is_function(inner) for inner in value.values())
    return callable(value) and not isinstance(value, Named)


def collapsed(refs: Sequence[DatasetRef], presets: Iterable[Preset]) -> tuple[DatasetRef, ...]:
    """``refs`` with every complete, alike run of a preset's members as one reference to it."""
    members = {preset.name: preset.members for preset in presets}
    found: list[DatasetRef] = []
    index = 0
    while index < len(refs):
        whole = msgspec.structs.replace(refs[index], member="")
        parts = members.get(whole.name, ())
        wanted = [msgspec.structs.replace(whole, member=part) for part in parts]
        is_run = len(wanted) > 1 and list(refs[index : index + len(wanted)]) == wanted
        found.append(whole if is_run else refs[index])
        index += len(wanted) if is_run else 1
    return tuple(found)
