"""From sample to messages: templates, worked examples, and the answers a task knows.

Pure functions. A template names fields in braces (``{question}``); braces around anything that
is not a field stay as they are, so LaTeX needs no escaping. The fields of a sample are
``question``, ``choices`` (lines ``A. ...``), every option under its letter and every ``meta``
key; ``target`` and ``worked`` are empty for the asked sample, so that no prompt leaks an answer.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TypeAlias

from steelyard.core import DataError, Json, Message, Prompt, Sample, Task

Asker: TypeAlias = Callable[[Sample], tuple[Message, ...]]

_FIELD = re.compile(r"\{(\w+)\}")
_INTEGER = re.compile(r"-?\d+")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PARTS = "\x00"
_FAR_OFF = "-987654321"


def fill(template: str, fields: Mapping[str, str]) -> str:
    """``template`` with every ``{name}`` that is in ``fields`` replaced by its value."""
    return _FIELD.sub(lambda found: fields.get(found[1], found[0]), template)


def messages(task: Task, sample: Sample, shots: Sequence[Sample]) -> tuple[Message, ...]:
    """What ``sample`` is asked with. For many samples make one ``asker`` instead."""
    return asker(task.prompt, shots)(sample)


def asker(prompt: Prompt, shots: Sequence[Sample] = ()) -> Asker:
    """A function from sample to messages, with the worked examples rendered only once.

    A worked example with a ``subset`` is shown to samples of that subset only. Examples are text.
    """

    @cache
    def examples(subset: str) -> list[tuple[str, str]]:
        shown = [
            _fields(shot, shot.target or "", shot.worked)
            for shot in shots
            if shot.subset in ("", subset)
        ]
        question = prompt.user if prompt.shot is None else prompt.shot
        return [(fill(question, known), fill(prompt.shot_answer, known)) for known in shown]

    return (_chat if prompt.style == "chat" else _text)(prompt, examples)


def gold_text(task: Task, sample: Sample) -> str:
    """A right answer to ``sample``, as a model would write it; ``DataError`` if none is known."""
    return _answer(task, sample, _target(task, sample))


def wrong_text(task: Task, sample: Sample) -> str:
    """Like ``gold_text``, but wrong: the next option, the number plus one, or a far-off number."""
    target = _target(task, sample)
    if sample.choices:
        following = (_LETTERS.index(target) + 1) % len(sample.choices)
        return _answer(task, sample, _LETTERS[following])
    wrong = str(int(target) + 1) if _INTEGER.fullmatch(target) else _FAR_OFF
    return _answer(task, sample, wrong)


def _text(prompt: Prompt, examples: Callable[[str], list[tuple[str, str]]]) -> Asker:
    system = _system(prompt)
    separator = prompt.separator

    @cache
    def before(subset: str) -> str:
        return "".join(question + answer + separator for question, answer in examples(subset))

    def ask(sample: Sample) -> tuple[Message, ...]:
        known = _fields(sample)
        intro = fill(prompt.intro, known) + separator if prompt.intro else ""
        text = f"{intro}{before(sample.subset)}{fill(prompt.user, known)}"
        return (*system, _user(text, sample))

    return ask


def _chat(prompt: Prompt, examples: Callable[[str], list[tuple[str, str]]]) -> Asker:
    @cache
    def before(subset: str) -> tuple[Message, ...]:
        turns = (
            turn
            for question, answer in examples(subset)
            for turn in (Message("user", question), Message("assistant", answer))
        )
        return (*_system(prompt), *turns)

    def ask(sample: Sample) -> tuple[Message, ...]:
        return (*before(sample.subset), _user(fill(prompt.user, _fields(sample)), sample))

    return ask


def _system(prompt: Prompt) -> tuple[Message, ...]:
    return (Message("system", prompt.system),) if prompt.system else ()


def _user(text: str, sample: Sample) -> Message:
    """The asked turn; content parts of the question stand where its text would stand."""
    if isinstance(sample.question, str):
        return Message("user", text)
    before, _, after = text.partition(_PARTS)
    return Message("user", [*_text_part(before), *sample.question, *_text_part(after)])


def _text_part(text: str) -> list[dict[str, Json]]:
    return [{"type": "text", "text": text}] if text else []


def _fields(sample: Sample, target: str = "", worked: str = "") -> dict[str, str]:
    """What templates may name; ``target`` and ``worked`` only as far as they may be shown."""
    options = dict(zip(_LETTERS, sample.choices, strict=False))
    return {
        **sample.meta,
        **options,
        "question": sample.question if isinstance(sample.question, str) else _PARTS,
        "choices": "\n".join(f"{letter}. {text}" for letter, text in options.items()),
        "target": target,
        "worked": worked,
    }


def _target(task: Task, sample: Sample) -> str:
    if not task.gold:
        raise DataError(f"{task.name}: a right answer to its samples cannot be written down")
    if sample.target is None:
        raise DataError(f"{task.name}: sample {sample.id} has no right answer to compare with")
    return sample.target


def _answer(task: Task, sample: Sample, target: str) -> str:
    return fill(task.gold, _fields(sample, target, sample.worked))
