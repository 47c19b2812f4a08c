"""GEdit-Bench: 606 pictures to be edited, each by an instruction in English and one in Chinese.

Source:  arXiv:2504.17761 (Step1X-Edit), https://huggingface.co/datasets/stepfun-ai/GEdit-Bench
Data:    the folder GEdit-Bench, as it comes (``data-*.arrow``, ``dataset_info.json``,
         ``state.json``), or with parquet files, there or in its ``data``
Row:     {"task_type": "color_alter", "key": "3f2a...", "instruction": "Made up: paint it red.",
         "instruction_language": "en", "input_image": {"bytes": ..., "path": null}}; further
         columns (``input_image_raw``, ``Intersection_exist``) are not read
Prompt:  the picture, then the instruction
Answer:  a picture. Its place among a model's answers is ``<task_type>/<language>/<key>``, which is
         how the authors' own script wants them
Marking: a judge that sees pictures is asked twice about each: SC, was the instruction followed and
         nothing else changed, and PQ, does it look natural and free of artifacts. Both are the
         smaller of two scores from 0 to 10; the overall score O is their geometric mean. A reply
         without a list of two scores is no score; AISBench stops there, or counts 0
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from steelyard.core import DataError, MissingData, Prompt, Sample, Task
from steelyard.scoring import (
    edit_consistency,
    edit_figures,
    edit_language,
    edit_quality,
    exact_match,
    sc_and_pq,
)
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.pictures import PictureRow, picture_rows, table_files

SOURCE = "https://huggingface.co/datasets/stepfun-ai/GEdit-Bench"
FOLDER = "GEdit-Bench"
COLUMNS = ("task_type", "key", "instruction", "instruction_language")
PICTURE = "input_image"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction, without its picture."""

    task_type: str
    key: str
    instruction: str
    instruction_language: str


def files(data: Data) -> list[Path]:
    """The files of the first data folder that has any."""
    for root in data.roots:
        if found := table_files(root / FOLDER):
            return found
    roots = tuple(str(root) for root in data.roots)
    raise MissingData(f"{FOLDER}/state.json (or {FOLDER}/*.parquet)", roots, SOURCE)


def to_sample(index: int, row: PictureRow) -> Sample:
    """Its id is the row's number from 0, as AISBench counts."""
    try:
        told = msgspec.convert(row.columns, Row)
    except msgspec.ValidationError as error:
        raise DataError(f"{row.path}, row {row.number}: {error}") from error
    language = told.instruction_language
    return Sample(
        id=str(index),
        question=[row.picture.part, {"type": "text", "text": told.instruction}],
        meta={"task_type": told.task_type, "key": told.key, "language": language},
        place=f"{told.task_type}/{language}/{told.key}",
    )


def read(data: Data) -> Iterator[Sample]:
    """The 1,212 rows, in their order."""
    rows = (row for path in files(data) for row in picture_rows(path, COLUMNS, PICTURE))
    return (to_sample(index, row) for index, row in enumerate(rows))


@task("gedit_gen_0_shot_llmjudge")
def gedit(data: Data) -> Task:
    """One picture for each row, judged by both questions."""
    return Task(
        name="gedit",
        version=1,
        samples=partial(read, data),
        prompt=Prompt(style="chat", user="{question}"),
        scorer=exact_match,
        metric="overall_percent",
        draws=True,
        judges=(edit_consistency(), edit_quality()),
        together=sc_and_pq,
        features=edit_language,
        figures=edit_figures,
    )
