"""Averages over sub-data sets that reports show: ``mmlu``, ``mmlu-stem``, ``mmlu-weighted``...

Plain averages count every subject alike; ``-weighted`` ones count every question alike.
"""

from collections.abc import Mapping

import msgspec

from steelyard.tasks.builtin.ceval import CEVAL
from steelyard.tasks.builtin.cmmlu import CMMLU
from steelyard.tasks.builtin.mmlu import MMLU
from steelyard.tasks.builtin.mmlu_pro import CATEGORIES, abbr
from steelyard.tasks.exam import Exam


class Group(msgspec.Struct, frozen=True):
    """One averaged row of a report; shown when all members have results."""

    name: str
    members: tuple[str, ...]
    """Task names, or names of groups that stand before this one."""
    weights: Mapping[str, float] | None = None
    """Weight of each member; ``None`` for the plain average."""
    partial: bool = False
    """Shown with the members that are there, two at least, and how many these are."""


def _of_exam(exam: Exam) -> tuple[Group, ...]:
    """One group for each family of subjects, then all subjects, plain and weighted."""
    abbrs = {exam.abbr.format(subject=name): subject for name, subject in exam.subjects.items()}
    families = dict.fromkeys(family for one in abbrs.values() for family in one.families)
    return (
        *(
            Group(
                f"{exam.group}-{family}",
                tuple(name for name, subject in abbrs.items() if family in subject.families),
            )
            for family in families
        ),
        *_whole(exam.group, {name: subject.questions for name, subject in abbrs.items()}),
    )


def _whole(name: str, questions: Mapping[str, int]) -> tuple[Group, ...]:
    weights = {member: float(count) for member, count in questions.items()}
    return (
        Group(name, tuple(questions)),
        Group(f"{name}-weighted", tuple(questions), weights),
    )


GROUPS: tuple[Group, ...] = (
    *_of_exam(MMLU),
    *_of_exam(CEVAL),
    *_of_exam(CMMLU),
    *_whole("mmlu_pro", {abbr(category): count for category, count in CATEGORIES.items()}),
    Group(
        "core_average",
        (
            "IFEval",
            "hle_llmjudge",
            "GPQA_diamond_repeat_4",
            "aime2025_repeat_32",
            "mmlu_pro",
            "lcb_code_generation_repeat_6",
        ),
        partial=True,
    ),
)
"""In report order."""
