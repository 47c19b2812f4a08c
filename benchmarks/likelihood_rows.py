"""The rows of part likelihoods, as Steelyard reads them and as lm-evaluation-harness does.

The harness's tasks are its own: a file includes the shipped one and replaces where the rows come
from. Rows are put into the layout of the hub's data sets, which its definitions name; HellaSwag's
are prepared already, so the step that prepares them is left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

TASK_FILE = Template("""\
include: $shipped
task: $task
dataset_path: json
dataset_name: null
dataset_kwargs:
  data_files:
    rows: $rows
training_split: null
validation_split: null
test_split: rows
$more""")


@dataclass(frozen=True)
class DataSet:
    """One data set in both tools."""

    own_task: str
    own_file: str
    """Below a folder of data sets; its first rows are taken."""
    labels_file: str
    """One label a line beside it; empty: the rows have their own."""
    peer_task: str
    shipped: str
    """The harness's own definition, below its folder of tasks."""
    more: str
    """What has to be different in it."""
    to_peer: Callable[[dict[str, object], str], Mapping[str, object]]
    """A row in the hub's layout; its label is in the second argument where it has a file."""
    id_field: str = ""
    """What names a row; empty: its number."""

    def ids(self, rows: Path) -> list[str]:
        """The rows' names in Steelyard's records, in the order of the file."""
        lines = (rows / self.own_file).read_text(encoding="utf-8").splitlines()
        if not self.id_field:
            return [str(number) for number in range(len(lines))]
        return [str(json.loads(line)[self.id_field]) for line in lines]


def _arc(row: dict[str, object], _: str) -> Mapping[str, object]:
    question = row["question"]
    if not isinstance(question, dict):
        raise TypeError(row)
    options = question["choices"]
    choices = {name: [option[name] for option in options] for name in ("text", "label")}
    return {"question": question["stem"], "choices": choices, "answerKey": row["answerKey"]}


DATA_SETS = (
    DataSet(
        own_task="hellaswag_lm_eval",
        own_file="hellaswag/hellaswag.jsonl",
        labels_file="",
        peer_task="hellaswag_rows",
        shipped="hellaswag/hellaswag.yaml",
        more='process_docs: null\ndoc_to_target: "{{gold}}"\n',
        to_peer=lambda row, _: row,
    ),
    DataSet(
        own_task="arc_easy_lm_eval",
        own_file="ARC/ARC-e/ARC-Easy-Test.jsonl",
        labels_file="",
        peer_task="arc_easy_rows",
        shipped="arc/arc_easy.yaml",
        more="",
        to_peer=_arc,
        id_field="id",
    ),
    DataSet(
        own_task="piqa_lm_eval",
        own_file="physicaliqa-train-dev/dev.jsonl",
        labels_file="physicaliqa-train-dev/dev-labels.lst",
        peer_task="piqa_rows",
        shipped="piqa/piqa.yaml",
        more="",
        to_peer=lambda row, label: {**row, "label": int(label)},
    ),
)


def write(data: Path, folder: Path, rows: int, programs: Path) -> None:
    """The first `rows` rows into `folder/rows`, and the harness's tasks into `folder/tasks`.

    `programs` is the `bin` folder of the harness's environment.
    """
    tasks = folder / "tasks"
    tasks.mkdir(parents=True)
    shipped = next(programs.parent.glob("lib/python*/site-packages/lm_eval/tasks"))
    for one in DATA_SETS:
        lines = _first(data, folder / "rows", one.own_file, rows)
        labels = _first(data, folder / "rows", one.labels_file, rows) if one.labels_file else []
        labels = labels or [""] * len(lines)
        there = tasks / f"{one.peer_task}.jsonl"
        made = (
            json.dumps(one.to_peer(json.loads(line), label)) + "\n"
            for line, label in zip(lines, labels, strict=True)
        )
        there.write_text("".join(made), encoding="utf-8")
        text = TASK_FILE.substitute(
            shipped=shipped / one.shipped, task=one.peer_task, rows=there, more=one.more
        )
        (tasks / f"{one.peer_task}.yaml").write_text(text, encoding="utf-8")


def _first(data: Path, folder: Path, name: str, rows: int) -> list[str]:
    """The first lines of a file, which are copied below `folder`."""
    lines = (data / name).read_text(encoding="utf-8").splitlines()[:rows]
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return lines
