"""Answers that are programs, marked by inputs and outputs: LiveCodeBench, code generation.

Every test is an interpreter of its own in the sandbox, 6 s from when it is ready; the first test
that fails ends it. Expected outputs never enter the sandbox. Where the data names a function, that
(of ``Solution``, if there is one) is called, and what it returns is compared; else the program gets
its input, and what it writes is compared: line by line, blanks around a line do not count, and
lines that are numbers throughout are compared as numbers. As in LiveCodeBench the names of common
modules are there, a program may end by ``exit()``, and an exception is wrong whatever was written.

Different from LiveCodeBench: a program is run as it stands, as main program, with a real input;
numpy and other packages are not there; memory is 2 GiB; what a function returns is compared
as JSON, in which tuples are lists. ``Sample.meta``: ``public_tests``, ``private_tests`` as the data
has them, and ``function`` (empty: input and output).
"""

import base64
import binascii
import io
import json
import pickle
import zlib
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NoReturn

import msgspec

from steelyard.core import DataError, Json, Sample, Verdict
from steelyard.sandbox import Ended, Limits, Program, run
from steelyard.scoring.code_check import told
from steelyard.scoring.code_text import first_fence, last_fence
from steelyard.scoring.registry import scorer

_LIMITS = Limits(wall_s=6.0)
_MOST_BYTES = 2 << 30
_SHOWN = 60


class Case(msgspec.Struct, frozen=True):
    """One test: what goes in and what has to come out."""

    input: str
    output: str


@scorer(version=1, live=False, sandboxed=True)
def livecodebench_first(text: str, sample: Sample) -> Verdict:
    """LiveCodeBench, AISBench's rule: the code between the first two fences."""
    return _marked(first_fence(text), sample)


@scorer(version=1, live=False, sandboxed=True)
def livecodebench_last(text: str, sample: Sample) -> Verdict:
    """LiveCodeBench, OpenCompass's extractor v2: the code between the last two fences."""
    return _marked(last_fence(text), sample)


def _marked(code: str, sample: Sample) -> Verdict:
    if not code.strip():
        return Verdict(0.0, why="no code")
    try:
        cases = cases_of(
            sample.meta["public_tests"], sample.meta["private_tests"], sample.meta["function"]
        )
    except ValueError as error:
        raise DataError(f"the tests of sample {sample.id!r} cannot be read: {error}") from error
    for number, case in enumerate(cases, 1):
        wrong = _wrong(code, sample.meta["function"], case)
        if wrong:
            return Verdict(0.0, code, f"test {number} of {len(cases)}: {wrong}")
    return Verdict(1.0, code)


def _wrong(code: str, function: str, case: Case) -> str:
    """What is wrong with the program on one test; nothing when it is right."""
    if not function:
        ended = run(Program(code=code, how="stdin", stdin=case.input, contest=True), _LIMITS)
        written = ended.output.decode("utf-8", "replace")
        return told(ended, _LIMITS) or _difference(written, case.output)
    program = Program(
        code=code,
        how="call",
        entry=function,
        arguments=tuple(case.input.split("\n")),
        contest=True,
    )
    return _call_trouble(run(program, _LIMITS), case)


def _call_trouble(ended: Ended, case: Case) -> str:
    if ended.kind != "done":
        return told(ended, _LIMITS)
    expected = json.loads(case.output)
    if ended.value == expected:
        return ""
    return f"wrong answer: {_short(json.dumps(ended.value))} for {_short(case.output)}"


def _difference(written: str, expected: str) -> str:
    if same_output(written, expected):
        return ""
    return f"wrong answer: {_short(written)} for {_short(expected)}"


def same_output(written: str, expected: str) -> bool:
    """Whether two outputs are the same: as lines, or where they differ as numbers."""
    ours, theirs = (
        [line.strip() for line in text.strip().split("\n")] for text in (written, expected)
    )
    return len(ours) == len(theirs) and all(map(_same_line, ours, theirs))


def _same_line(ours: str, theirs: str) -> bool:
    if ours == theirs:
        return True
    try:
        return [*map(Decimal, ours.split())] == [*map(Decimal, theirs.split())]
    except InvalidOperation:
        return False


def _short(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


@lru_cache(maxsize=4)
def cases_of(public: str, private: str, function: str = "") -> tuple[Case, ...]:
    """All tests of a problem, public ones first; ``ValueError`` says why they cannot be read.

    Private tests are JSON, or JSON in a pickle, compressed, in base64. What a ``function`` is
    given, one argument a line, and what it has to return are JSON too.
    """
    cases = (*_cases(public), *_cases(private if private.lstrip()[:1] == "[" else _opened(private)))
    if not cases:
        raise ValueError("there are none")
    if function:
        for number, case in enumerate(cases, 1):
            _check_values(number, case)
    return cases


def _check_values(number: int, case: Case) -> None:
    for text in (*case.input.split("\n"), case.output):
        try:
            json.loads(text)
        except ValueError as error:
            raise ValueError(f"test {number}: {_short(text)} is no JSON ({error})") from error


def _cases(text: str) -> list[Case]:
    try:
        return msgspec.json.decode(text, type=list[Case])
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"no list of tests ({error})") from error


def _opened(packed: str) -> str:
    """The text in base64, zlib and pickle; a pickle of anything but a text is refused."""
    try:
        unpacking = zlib.decompressobj()
        pickled = unpacking.decompress(base64.b64decode(packed, validate=True), _MOST_BYTES)
        if not unpacking.eof:
            raise ValueError("compressed data that is cut off, or more than 2 GiB")
        found: Json = _TextOnly(io.BytesIO(pickled)).load()
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"not compressed data in base64 ({error})") from error
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, TypeError) as error:
        raise ValueError(f"not a pickled text ({error})") from error
    if not isinstance(found, str):
        raise ValueError(f"a pickle of a {type(found).__name__}, not of a text")  # noqa: TRY004
    return found


class _TextOnly(pickle.Unpickler):
    """Reads plain values. It imports nothing, so nothing in the data can be called."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module}.{name}, and data names no code")
