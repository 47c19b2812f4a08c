"""IFEval: 541 prompts with 834 instructions of 25 kinds that a program can check.

Source:  arXiv:2311.07911, https://github.com/google-research/google-research, folder
         instruction_following_eval (Apache-2.0)
Data:    ifeval/input_data.jsonl
Row:     {"key": 1005, "prompt": "Write a resume for ... at least 12 placeholder ...",
         "instruction_id_list": ["detectable_content:number_placeholders"],
         "kwargs": [{"num_placeholders": 12}]}
Prompt:  untouched
Marking: a prompt is right when all of its instructions are followed, strictly (``scoring/ifeval``);
         the same loosely, and both over instructions, are further figures
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from steelyard.core import Json, Prompt, Sample, Task
from steelyard.scoring import ifeval_figures, ifeval_strict, instructions_target
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/ifeval.zip"


class Row(msgspec.Struct, frozen=True):
    """One prompt, its instructions, and the settings of each; ``null`` settings say nothing."""

    key: int
    prompt: str
    instruction_id_list: list[str]
    kwargs: list[dict[str, Json]]


def to_sample(_: int, row: Row) -> Sample:
    """The instructions are the target."""
    try:
        target = instructions_target(row.instruction_id_list, row.kwargs)
    except ValueError as error:
        given = list(zip(row.instruction_id_list, row.kwargs, strict=False))
        wanted = f"instructions of IFEval and their settings ({error})"
        raise BadField("kwargs", given, wanted) from error
    return Sample(id=str(row.key), question=row.prompt, target=target)


def read(data: Data) -> Iterator[Sample]:
    """The 541 prompts."""
    return samples(data.find("ifeval/input_data.jsonl", SOURCE), Row, to_sample)


@task("ifeval_0_shot_gen_str", "ifeval_gen")
def ifeval(data: Data) -> Task:
    """All prompts."""
    return Task(
        name="ifeval",
        version=1,
        samples=partial(read, data),
        prompt=Prompt(user="{question}"),
        scorer=ifeval_strict,
        metric="Prompt-level-strict-accuracy",
        figures=ifeval_figures,
        gold="",
    )
