"""A judge of one's own: a text file with a head and a template.

    name: strict_maths
    version: 2
    reads: score 1-5 whole
    ---
    How rigorous is this proof? {question} {candidate} ... End with a line "Score: <number>".

``reads`` is ``verdict``, ``verdict two-way``, ``score LOW-HIGH [whole]``, ``pairwise FIELD``,
``graded FIELD`` or ``rubric LOW-HIGH [whole]`` with a further line ``criteria: name = what it is;
...``. ``system`` is optional. The template names ``{question}``, ``{reference}``, ``{candidate}``
(``pairwise`` and ``graded``: ``{first}`` and ``{second}``) and fields of the data; other tools'
names for the first three are understood. Each is put between lines with the request's marker. A
rubric's template also knows ``{criteria}``, the criteria and what they are, and ``{lines}``, one to
be filled in for each.
"""

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches

from steelyard.core import ConfigError
from steelyard.scoring.judge_fence import NOTICE, Form, fields
from steelyard.scoring.judge_readings import (
    Correctness,
    Criterion,
    Graded,
    Points,
    Preferred,
    Reading,
    Rubric,
)
from steelyard.scoring.judging import FormJudge, described
from steelyard.scoring.verdict_kinds import Scale

_OTHERS_NAMES = {
    "candidate": "prediction llm_response model_answer model_output",
    "reference": "gold_answer obj_gold gold standard_answer",
    "question": "problem original_question",
}
_HEAD = frozenset({"name", "version", "reads", "criteria", "system"})
_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)(\s+whole)?")
_NAME = re.compile(r"[A-Za-z0-9_]+")
_OURS = ("question", "reference", "candidate", "first", "second", "mark")
_OF_DATA = re.compile(r"(?<![A-Za-z0-9_^{}])\{(\w{2,})\}(?!\})")
"""What is meant for a field, and no formula: ``\\boxed{OK}``, ``x_{max}``, ``{{name}}``."""


def own_judge(text: str, source: str) -> FormJudge:
    """The judge that ``text`` describes; ``source`` names the file in messages.

    ``ConfigError`` says what is missing or cannot be read.
    """
    head, template = _parted(text, source)
    unknown = sorted(set(head) - _HEAD)
    if unknown or not _NAME.fullmatch(head.get("name", "")) or not head["version"].isdigit():
        fault = f"unknown field {unknown[0]!r}" if unknown else "no usable name or version"
        raise ConfigError(
            f"{source}: {fault} in the head. Expected the lines 'name: letters_and_digits', "
            "'version: 1', 'reads: ...', and if needed 'criteria: ...' and 'system: ...'."
        )
    reading = _reading(head, source)
    form = Form(
        user=_with_our_names(template, reading, source),
        system=f"{head.get('system', '')} {NOTICE}".strip(),
    )
    settings = _settings(reading, fields(form.user))
    ours = {*_OURS, *settings}
    return FormJudge(
        name=head["name"],
        version=int(head["version"]),
        form=form,
        reading=reading,
        settings=settings,
        data_fields=tuple(
            name for name in dict.fromkeys(_OF_DATA.findall(form.user)) if name not in ours
        ),
    )


def _settings(reading: Reading, used: Sequence[str]) -> dict[str, str]:
    """The fields of a rubric, as far as the template names them."""
    if not isinstance(reading, Rubric):
        return {}
    return {name: text for name, text in described(reading.criteria).items() if name in used}


def _parted(text: str, source: str) -> tuple[dict[str, str], str]:
    before, line, template = text.replace("\r\n", "\n").partition("\n---\n")
    if not line or not template.strip():
        raise ConfigError(
            f"{source}: a judge's file is a head, a line '---' and a template; this has no "
            f"{'template' if line else 'line ---'}."
        )
    head = {"version": "1"}
    for entry in filter(str.strip, before.split("\n")):
        name, colon, value = entry.partition(":")
        if not colon:
            raise ConfigError(f"{source}: {entry!r} in the head is no 'field: value'.")
        head[name.strip()] = value.strip()
    return head, template.strip("\n")


def _reading(head: dict[str, str], source: str) -> Reading:
    kind, _, rest = head.get("reads", "").partition(" ")
    makers: dict[str, Callable[[], Reading]] = {
        "verdict": lambda: Correctness(invalid=rest.strip() != "two-way"),
        "pairwise": lambda: Preferred(against=rest.strip() or "baseline"),
        "graded": lambda: Graded(against=rest.strip() or "baseline"),
        "score": lambda: Points(scale=_scale(rest, source)),
        "rubric": lambda: Rubric(criteria=_criteria(head, source), scale=_scale(rest, source)),
    }
    if kind not in makers or (kind == "verdict" and rest.strip() not in ("", "two-way")):
        raise ConfigError(
            f"{source}: reads is {head.get('reads', '')!r}. Expected 'verdict', "
            "'verdict two-way', 'score 1-10', 'pairwise FIELD', 'graded FIELD' or 'rubric 1-5'."
        )
    return makers[kind]()


def _scale(text: str, source: str) -> Scale:
    found = _RANGE.fullmatch(text.strip())
    if not found or float(found[1]) >= float(found[2]):
        raise ConfigError(f"{source}: {text!r} is no scale. Expected LOW-HIGH, such as 1-10.")
    return Scale(float(found[1]), float(found[2]), bool(found[3]))


def _criteria(head: dict[str, str], source: str) -> tuple[Criterion, ...]:
    found = [entry.partition("=") for entry in head.get("criteria", "").split(";") if entry.strip()]
    names = [name.strip() for name, _, _ in found]
    if not names or len({name.lower() for name in names}) < len(names) or not all(names):
        raise ConfigError(
            f"{source}: a rubric needs a line 'criteria: accuracy = ...; style = ...' with names "
            "that differ."
        )
    return tuple(Criterion(name.strip(), about.strip()) for name, _, about in found)


def _with_our_names(template: str, reading: Reading, source: str) -> str:
    """The template with our names for its fields; ``ConfigError`` for a missing or misspelt one."""
    compares = isinstance(reading, Preferred | Graded)
    needed = ("first", "second") if compares else ("candidate",)
    ours = {other: name for name, others in _OTHERS_NAMES.items() for other in others.split()}
    template = re.sub(r"\{(\w+)\}", lambda found: f"{{{ours.get(found[1], found[1])}}}", template)
    used = fields(template)
    if "answer" in used:
        raise ConfigError(
            f"{source}: {{answer}} may mean the model's answer or the right one. "
            "Write {candidate} or {reference}."
        )
    for name in used:
        near = get_close_matches(name, _OURS, n=1, cutoff=0.8)
        if near and name not in _OURS:
            raise ConfigError(f"{source}: {{{name}}} is no field. Did you mean {{{near[0]}}}?")
    missing = [name for name in needed if name not in used]
    if missing:
        raise ConfigError(
            f"{source}: the template has no {{{missing[0]}}}, so the judge would not see what it "
            "is to judge."
        )
    return template
