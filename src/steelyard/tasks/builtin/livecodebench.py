"""LiveCodeBench, code generation: problems of programming contests, with all their tests.

Source:  arXiv:2403.07974, https://github.com/LiveCodeBench/LiveCodeBench; Hugging Face
         livecodebench/code_generation_lite
Data:    code_generation_lite/test.jsonl, test2.jsonl ... test6.jsonl (or in livecodebench/): what
         each version added. ``release_v5`` is the first five, ``v6`` the sixth, ``v4_v6`` those
         from the fourth on
Row:     {"question_id": "abc301_a", "question_content": "...", "starter_code": "",
         "public_test_cases": "[{\\"input\\": \\"3\\\\n\\", \\"output\\": \\"A\\", ...}]",
         "private_test_cases": "eJx...", "metadata": "{\\"func_name\\": \\"f\\"}", ...}
Prompt:  the problem, its starter code where it has one; the program in a fenced block
Marking: the program passes every public and private test, in the sandbox; taken from the first
         fenced block (AISBench) or the last one (OpenCompass's extractor v2), the other beside it
"""

import re
from collections.abc import Iterator
from functools import partial

import msgspec
from msgspec.structs import replace

from steelyard.core import ConfigError, Prompt, Sample, Task
from steelyard.scoring import livecodebench_first, livecodebench_last
from steelyard.tasks.catalogue import task
from steelyard.tasks.data import Data
from steelyard.tasks.files import BadField, samples

SOURCE = "https://huggingface.co/datasets/livecodebench/code_generation_lite"
FOLDERS = ("code_generation_lite", "livecodebench/code_generation_lite")
VERSIONS = 6
RELEASE = re.compile(r"(release_)?v([1-6])(?:_v([1-6]))?(?:_v([1-6]))?")
PROMPT = Prompt(
    style="chat",
    system="You are an expert Python programmer.",
    user="### Problem\n{question}\n\n### Form\n{form}\n\n### Answer",
)
READS_INPUT = (
    "Read the input from standard input and write the answer to standard output; write nothing "
    "else. Give the whole program in one fenced block:\n```python\n# your code\n```"
)
STARTS_SO = "Begin with this code and give all of it in one fenced block:\n```python\n{code}\n```"


class Options(msgspec.Struct, frozen=True):
    """Settings (``--set-data``)."""

    release: str = ""
    """Another release than that of the name: ``release_v1`` to ``release_v6``, ``v1`` to ``v6``,
    ``v4_v6``."""


class Metadata(msgspec.Struct, frozen=True):
    """What the column ``metadata`` holds as JSON."""

    func_name: str = ""


class Row(msgspec.Struct, frozen=True):
    """One problem."""

    question_id: str
    question_content: str
    starter_code: str
    public_test_cases: str
    private_test_cases: str
    metadata: str


def to_sample(_: int, row: Row) -> Sample:
    """No right program is known; the target says by what it is marked."""
    try:
        function = msgspec.json.decode(row.metadata or "{}", type=Metadata).func_name
    except msgspec.DecodeError as error:
        raise BadField("metadata", row.metadata, "a JSON object") from error
    form = STARTS_SO.format(code=row.starter_code) if row.starter_code else READS_INPUT
    return Sample(
        id=row.question_id,
        question=row.question_content,
        target="passes all tests",
        meta={
            "form": form,
            "function": function,
            "public_tests": row.public_test_cases,
            "private_tests": row.private_test_cases,
        },
    )


def versions(release: str) -> range:
    """The numbers of the files that are a release; ``ConfigError`` for what is none."""
    found = RELEASE.fullmatch(release)
    numbers = [int(one) for one in found.groups()[1:] if one] if found else []
    whole = bool(found and found[1])
    if not numbers or numbers != sorted(set(numbers)) or (whole and len(numbers) > 1):
        raise ConfigError(
            f"LiveCodeBench has no release {release!r}. Known: release_v1 to release_v{VERSIONS}, "
            f"v1 to v{VERSIONS}, and v4_v6 for those from one to another."
        )
    return range(1 if whole else numbers[0], numbers[-1] + 1)


def read(data: Data, release: str) -> Iterator[Sample]:
    """The problems of a release."""
    for version in versions(release):
        file = f"test{version if version > 1 else ''}.jsonl"
        found = data.find_any(tuple(f"{folder}/{file}" for folder in FOLDERS))
        path = found or data.find(f"{FOLDERS[0]}/{file}", SOURCE)
        yield from samples(path, Row, to_sample)


def problems(data: Data, name: str, release: str) -> Task:
    """What all names share."""
    release = data.options(Options).release or release
    versions(release)
    return Task(
        name=name,
        version=1,
        samples=partial(read, data, release),
        prompt=PROMPT,
        scorer=livecodebench_first,
        variants={"last_block": livecodebench_last},
        metric="pass@1",
        gold="",
    )


@task(
    "livecodebench_code_generate_lite_gen_0_shot_chat",
    "livecodebench_code_generate_lite_gen_0_shot_chat_v4_v5",
    options=Options,
)
def v4_v5(data: Data) -> Task:
    """August 2024 to January 2025."""
    return problems(data, "lcb_code_generation", "v4_v5")


@task("livecodebench_code_generate_lite_gen_0_shot_chat_v6", options=Options)
def v6(data: Data) -> Task:
    """January to April 2025."""
    return problems(data, "lcb_code_generation_v6", "v6")


@task("livecodebench_code_generate_lite_gen_0_shot_chat_v4_v5_v6", options=Options)
def v4_v5_v6(data: Data) -> Task:
    """August 2024 to April 2025."""
    return problems(data, "lcb_code_generation_v4_v5_v6", "v4_v5_v6")


@task("livecodebench_v6_gen", options=Options)
def guide(data: Data) -> Task:
    """OpenCompass's guide: ``v6``, the last fenced block."""
    made = problems(data, "lcb_code_generation", "v6")
    return replace(made, scorer=livecodebench_last, variants={"first_block": livecodebench_first})
