"""MBPP: small Python tasks in a sentence, each with three tests; and its checked half.

Source:  arXiv:2108.07732, https://github.com/google-research/google-research, folder mbpp (CC BY)
Data:    mbpp/mbpp.jsonl, rows 11 to 510 (the first ten are examples); mbpp/sanitized-mbpp.jsonl,
         rows 8 to 264 (the first seven are examples)
Row:     {"task_id": 11, "text": "Write a python function to ...", "code": "def f(s): ...",
         "test_setup_code": "", "test_list": ["assert f(\\"hello\\") == ...", ...]}; sanitized:
         ``prompt`` for ``text``, ``test_imports`` (a list) for ``test_setup_code``
Prompt:  task and tests, after three examples; code between [BEGIN] and [DONE]
Marking: the code between them (or fenced) passes all tests, in the sandbox
"""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import msgspec

from steelyard.core import Prompt, Sample, Task
from steelyard.scoring import mbpp as rule
from steelyard.scoring import mbpp_counts
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples

SOURCE = "http://opencompass.oss-cn-shanghai.aliyuncs.com/datasets/data/mbpp.zip"
SHOTS = 3
FROM_BEGIN_TO_DONE = Prompt(
    style="chat",
    user="Write Python code for this task: {question}\nIt has to pass these tests:\n\n"
    "{shown_tests}\n\nBegin the code with a line [BEGIN] and end it with a line [DONE].",
    shot_answer="[BEGIN]\n{target}\n[DONE]",
)


class Row(msgspec.Struct, frozen=True):
    """One task of the whole set."""

    task_id: int
    text: str
    code: str
    test_list: list[str]
    test_setup_code: str = ""


class SanitizedRow(msgspec.Struct, frozen=True):
    """One task of the checked half."""

    task_id: int
    prompt: str
    code: str
    test_list: list[str]
    test_imports: list[str]


def to_sample(_: int, row: Row) -> Sample:
    """A row of the whole set."""
    return sample(row.task_id, row.text, row.code, row.test_list, row.test_setup_code)


def sanitized_to_sample(_: int, row: SanitizedRow) -> Sample:
    """A row of the checked half."""
    setup = "\n".join(row.test_imports)
    return sample(row.task_id, row.prompt, row.code, row.test_list, setup)


def sample(task_id: int, text: str, code: str, tests: list[str], setup: str) -> Sample:
    """The sentence is the question, the code the target."""
    if not tests:
        raise BadField("test_list", tests, "one test or more")
    return Sample(
        id=str(task_id),
        question=text,
        target=code.replace("\r\n", "\n"),
        meta={
            "shown_tests": "\n".join(tests),
            "tests": msgspec.json.encode(tests).decode(),
            "setup": setup.replace("\r\n", "\n"),
        },
    )


def whole(data: Data) -> Iterator[Sample]:
    """All rows of the whole set."""
    return samples(data.find("mbpp/mbpp.jsonl", SOURCE), Row, to_sample)


def sanitized(data: Data) -> Iterator[Sample]:
    """All rows of the checked half."""
    path = data.find("mbpp/sanitized-mbpp.jsonl", SOURCE)
    return samples(path, SanitizedRow, sanitized_to_sample)


def rows(read: Callable[[], Iterator[Sample]], first: int, end: int) -> Iterator[Sample]:
    """The rows from ``first`` (counted from 0) up to ``end``, which is not among them."""
    return islice(read(), first, end)


def examples(read: Callable[[], Iterator[Sample]]) -> tuple[Sample, ...]:
    """The first three rows."""
    return tuple(islice(read(), SHOTS))


def coded(name: str, read: Callable[[], Iterator[Sample]], first: int, end: int) -> Task:
    """What both sets share."""
    return Task(
        name=name,
        version=1,
        samples=partial(rows, read, first, end),
        prompt=FROM_BEGIN_TO_DONE,
        shots=partial(examples, read),
        scorer=rule,
        metric="pass@1",
        figures=mbpp_counts,
        gold="[BEGIN]\n{target}\n[DONE]",
    )


@task("mbpp_passk_gen_3_shot_chat_prompt")
def mbpp(data: Data) -> Task:
    """The 500 test rows of the whole set."""
    return coded("mbpp_passk", partial(whole, data), 10, 510)


@task("sanitized_mbpp_passk_gen_3_shot_chat_prompt")
def sanitized_mbpp(data: Data) -> Task:
    """The 257 test rows of the checked half."""
    return coded("sanitized_mbpp_passk", partial(sanitized, data), 7, 264)
