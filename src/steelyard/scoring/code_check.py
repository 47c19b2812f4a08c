"""Answers that are programs, marked by the data's own tests: HumanEval and MBPP.

The program and its tests run in one interpreter of the sandbox, one for each answer. It is right
when every test came to its end. A program that looks for its tests can find them, as in any harness
that asserts inside the interpreter; it cannot pass by ending early, whatever its exit status.

HumanEval: what was extracted stands behind the prompt, then ``check(entry_point)``; 3 s. MBPP: the
tests one after another; 10 s. AISBench leaves out the setup code and imports that belong to MBPP's
tests, so that those of one of the 500 problems cannot pass there; here they are run. HumanEval's
problem is ``Sample.meta``: ``prompt``, ``test``, ``entry_point``; MBPP's ``setup`` and ``tests``, a
JSON list.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from steelyard.core import Metric, Sample, Score, Verdict
from steelyard.sandbox import Ended, Limits, Program, run
from steelyard.scoring.code_text import begin_done, fenced_or_all
from steelyard.scoring.registry import scorer

_HUMANEVAL = Limits(wall_s=3.0)
_MBPP = Limits(wall_s=10.0)
_COUNTS = ("pass", "timeout", "failed", "wrong_answer")


@scorer(version=1, live=False, sandboxed=True)
def humaneval(text: str, sample: Sample) -> Verdict:
    """HumanEval: the first fenced block, else the text, completes the prompt."""
    code = fenced_or_all(text)
    if not code.strip():
        return Verdict(0.0, why="no code")
    meta = sample.meta
    test = f"{meta['test']}\ncheck({meta['entry_point']})"
    ended = run(Program(code=meta["prompt"] + code, how="tests", tests=(test,)), _HUMANEVAL)
    return Verdict(float(ended.kind == "done"), code, _why(ended, _HUMANEVAL))


@scorer(version=1, live=False, sandboxed=True)
def mbpp(text: str, sample: Sample) -> Verdict:
    """MBPP: what stands between BEGIN and DONE, or in a fence."""
    code = begin_done(text)
    if not code:
        return Verdict(0.0, why="no code", parts={"failed": 1.0})
    tests = msgspec.json.decode(sample.meta["tests"], type=tuple[str, ...])
    setup = sample.meta["setup"]
    # Setup runs with the first test: it may need the answer's classes, and is no part of it.
    tests = (f"{setup}\n{tests[0]}" if setup else tests[0], *tests[1:])
    ended = run(Program(code=code, how="tests", tests=tests), _MBPP)
    why = _why(ended, _MBPP)
    return Verdict(float(ended.kind == "done"), code, why, {_count(ended): 1.0})


def mbpp_counts(scores: Sequence[Score]) -> tuple[Metric, ...]:
    """How many answers passed, took too long, broke off, or failed a test."""
    counts = Counter(name for score in scores for name in score.parts)
    marked = sum(counts.values())
    return tuple(
        Metric(name=name, value=float(counts[name]), n=marked, unit="answers", scale=float(marked))
        for name in _COUNTS
        if marked
    )


def _count(ended: Ended) -> str:
    if ended.kind == "done":
        return "pass"
    if ended.kind == "timeout":
        return "timeout"
    asserted = ended.kind == "raised" and ended.what.startswith("AssertionError")
    return "wrong_answer" if asserted else "failed"


def _why(ended: Ended, limits: Limits) -> str:
    if ended.kind == "raised" and ended.test:
        return f"test {ended.test}: {ended.what}"
    return told(ended, limits)


def told(ended: Ended, limits: Limits) -> str:
    """How a program ended, in words; nothing when it came to its end."""
    match ended.kind:
        case "done":
            return ""
        case "syntax":
            return f"syntax error: {ended.what}"
        case "timeout":
            return f"timeout: more than {limits.wall_s:g} s"
        case "output":
            return f"more than {limits.output_bytes >> 20} MiB of output"
        case "killed":
            return f"the interpreter was killed by {ended.what}"
        case "exited":
            return f"the program ended before its tests were through ({ended.what})"
    return ended.what
