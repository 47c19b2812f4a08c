"""Custom data: a user's own ``.jsonl`` or ``.csv`` file as a task, without writing any code.

    {"question": "165+833+650+615=", "A": "2258", "B": "2263", "C": "2281", "answer": "B"}
    {"question": "752+361+181+933=", "answer": "2227", "max_tokens": 512}

Columns: ``question``; options ``A``, ``B``... without a gap; ``answer`` (a letter when there are
options); optionally ``id``, ``max_tokens`` and ``timestamp`` (a number: when a trace sent the
question, in milliseconds). Every other column is a field that an own template may name. The first
row decides: two or more options make the data multiple choice (``mcq``), else it is question and
answer (``qa``), and all rows must have the same columns. Without ``answer`` the questions can be
asked but not marked. The columns of two other tools are understood as well.

Rows are read in ``custom_rows``; the meta file beside the data is in ``custom_meta``.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from steelyard.core import ConfigError, Prompt, Sample, Task
from steelyard.scoring import custom_choice, custom_choice_fixed, exact_match
from steelyard.tasks.custom_meta import Selection, read_selection, selected
from steelyard.tasks.custom_rows import DataType, Shape, read_shape, to_sample
from steelyard.tasks.files import samples


def custom_task(
    path: Path,
    *,
    meta_path: Path | None = None,
    data_type: DataType | None = None,
    abbr: str = "",
    template: str = "",
) -> Task:
    """The task of the data file at ``path``.

    ``meta_path`` is ``<path>.meta.json`` when not given, if that exists; ``data_type`` is read off
    the first row; ``abbr`` is the file's name up to its first dot; ``template`` replaces the usual
    prompt. ``ConfigError`` says what cannot be asked for, ``DataError`` what is wrong in the file.
    """
    if path.suffix.lower() not in (".jsonl", ".csv"):
        raise ConfigError(f"custom data {path}: expected a .jsonl or .csv file")
    if not path.is_file():
        raise ConfigError(f"custom data {path}: no such file")
    shape = read_shape(path, data_type)
    return Task(
        name=abbr or path.name.partition(".")[0],
        version=1,
        samples=partial(_samples, path, shape, _selection(path, meta_path)),
        prompt=Prompt(user=_own_template(template, shape) or _usual_template(shape)),
        scorer=custom_choice if shape.options else exact_match,
        variants={"fixed": custom_choice_fixed} if shape.options else {},
    )


def _samples(path: Path, shape: Shape, selection: Selection | None) -> Iterable[Sample]:
    found = samples(path, dict, partial(to_sample, shape))
    return found if selection is None else selected(list(found), selection)


def _selection(path: Path, meta_path: Path | None) -> Selection | None:
    beside = path.with_name(f"{path.name}.meta.json")
    if meta_path is None:
        return read_selection(beside) if beside.is_file() else None
    if not meta_path.is_file():
        raise ConfigError(f"meta file {meta_path} of {path}: no such file")
    return read_selection(meta_path)


def _own_template(template: str, shape: Shape) -> str:
    """The file's own column names stand for the fields; the answer is never shown."""
    named = template.replace(f"{{{shape.columns.question}}}", "{question}")
    return named.replace(f"{{{shape.columns.answer}}}", "{target}")


def _usual_template(shape: Shape) -> str:
    if shape.options:
        return "Question: {question}\n{choices}\nAnswer: "
    return "Question: {question}\nAnswer: " if shape.has_answers else "{question}"
