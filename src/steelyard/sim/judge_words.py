"""How a simulated judge writes its verdict down, as each form of answer asks for."""

from collections.abc import Callable, Mapping

from steelyard.sim.judge_known import Asks
from steelyard.sim.judge_sheet import Sheet

_LONGEST_QUOTATION = 4000
_LETTERS = {"correct": "A", "incorrect": "B", "invalid": "C"}
_PREFERRED = {"first": "A", "second": "B", "tie": "C"}
_GRADES = {"first": "A>B", "second": "B>A", "tie": "A=B"} | {
    "clearly first": "A>>B",
    "clearly second": "B>>A",
}
_COMPARED = "I looked at the final answer only and held it against what was given."
_WEIGHED = "I weighed strengths and weaknesses, without regard to length."
_UNDECIDED = (
    "This is a difficult case, and I would rather not decide it.",
    "It could be seen one way or the other.",
    "",
    "I have read all of it with care and",
)


def written(sheet: Sheet, verdict: str) -> str:
    """The reply that states ``verdict``."""
    return _WAYS[sheet.asks](sheet, verdict)


def undecided(key: int) -> str:
    """A reply without a verdict; ``key`` decides which."""
    return _UNDECIDED[key % len(_UNDECIDED)]


def quoting(sheet: Sheet, reply: str) -> str:
    """``reply`` behind a quotation of the answer that is judged."""
    answer = sheet.texts.get("candidate", sheet.texts.get("first", ""))[:_LONGEST_QUOTATION]
    quoted = "\n".join(f"> {line}" for line in answer.splitlines())
    return f"The answer that I was given:\n\n{quoted}\n\n{reply}"


def _verdict(sheet: Sheet, verdict: str) -> str:
    return f"{_COMPARED}\n\nVerdict: {verdict.upper()}"


def _letter(sheet: Sheet, verdict: str) -> str:
    return _LETTERS[verdict]


def _one_of_two(sheet: Sheet, verdict: str) -> str:
    return "A" if verdict == "correct" else "B"


def _boxed(sheet: Sheet, verdict: str) -> str:
    why = "REFUSAL" if sheet.texts["candidate"].strip() else "INCOMPLETE"
    word = why if verdict == "invalid" else verdict.upper()
    return f"{_COMPARED}\n\nFinal Judgment: \\boxed{{{_LETTERS[verdict]}}} - {word}"


def _numbers(sheet: Sheet, verdict: str) -> str:
    lines = "\n".join(f"{name}: {verdict}" for name in sheet.names or ("Score",))
    return f"{_WEIGHED}\n\n{lines}"


def _preference(sheet: Sheet, verdict: str) -> str:
    return f"I compared the two answers.\n\nVerdict: [[{_PREFERRED[verdict]}]]"


def _grade(sheet: Sheet, verdict: str) -> str:
    return f"I compared the two answers.\n\nVerdict: [[{_GRADES[verdict]}]]"


_WAYS: Mapping[Asks, Callable[[Sheet, str], str]] = {
    "verdict": _verdict,
    "letter": _letter,
    "two letters": _one_of_two,
    "boxed": _boxed,
    "numbers": _numbers,
    "preference": _preference,
    "grade": _grade,
}
