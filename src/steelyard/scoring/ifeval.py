"""IFEval: does an answer follow instructions that a program can check?

25 kinds of instructions, in the manner of the published checkers (arXiv:2311.07911). The target of
a sample says which of them it has been given, as JSON: ``[{"id": "punctuation:no_comma"}, ...]``.

Strict means the answer as it is. Loose means that one of eight versions of it follows the
instruction: with or without its first line, its last line, its stars. Over prompts: the share of
prompts all of whose instructions are followed. Over instructions: the share of all instructions.

Different from the published checkers, whose verdict changes from run to run there: a letter to be
counted that is no letter (``#``) is counted, where they draw a random one; and the detection of
languages has a seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TypeAlias

import msgspec

from steelyard.core import Json, Metric, Sample, Score, Verdict
from steelyard.scoring import ifeval_forms as forms
from steelyard.scoring import ifeval_words as words
from steelyard.scoring.folding import pooled
from steelyard.scoring.ifeval_kinds import Instruction
from steelyard.scoring.ifeval_language import needs_langdetect
from steelyard.scoring.registry import scorer

_Known: TypeAlias = (
    forms.Bullets
    | forms.EndPhrase
    | forms.Highlights
    | forms.JsonFormat
    | forms.NoComma
    | forms.Placeholders
    | forms.Postscript
    | forms.Quotation
    | forms.RepeatPrompt
    | forms.Sections
    | forms.Title
    | forms.TwoResponses
    | forms.YesNoMaybe
    | words.AllCapitals
    | words.AllSmall
    | words.Capitals
    | words.ForbiddenWords
    | words.KeywordFrequency
    | words.Keywords
    | words.Language
    | words.LetterFrequency
    | words.NthParagraph
    | words.Paragraphs
    | words.Sentences
    | words.Words
)
"""Every kind of instruction."""


def instructions_target(ids: Sequence[str], settings: Sequence[Mapping[str, Json]]) -> str:
    """The target of a row with these instructions; ``ValueError`` says what is wrong with them."""
    listed = [
        {"id": one, **{name: value for name, value in given.items() if value is not None}}
        for one, given in zip(ids, settings, strict=True)
    ]
    target = msgspec.json.encode(listed).decode()
    instructions(target)
    return target


@scorer(version=1, live=False, needs=needs_langdetect)
def ifeval_strict(text: str, sample: Sample) -> Verdict:
    """All instructions are followed, strictly; ``why`` names those that are not."""
    asked = instructions(sample.target or "[]")
    strict, loose = followed(text, asked)
    missed = [kind_of(one) for one, done in zip(asked, strict, strict=True) if not done]
    return Verdict(
        float(not missed),
        answer=f"{sum(strict)} of {len(asked)} followed" if text.strip() else None,
        why=f"not followed: {', '.join(missed)}" if missed else "",
        parts={
            "strict": sum(strict),
            "loose": sum(loose),
            "instructions": len(asked),
            "loose_prompt": int(all(loose)),
            "prompts": 1,
        },
    )


def ifeval_figures(scores: Sequence[Score]) -> tuple[Metric, ...]:
    """The three figures beside the strict one over prompts; none where another rule marked."""
    if not any("instructions" in one.parts for one in scores):
        return ()
    return (
        pooled("Inst-level-strict-accuracy", scores, "strict", "instructions"),
        pooled("Prompt-level-loose-accuracy", scores, "loose_prompt", "prompts"),
        pooled("Inst-level-loose-accuracy", scores, "loose", "instructions"),
    )


def followed(text: str, asked: Sequence[Instruction]) -> tuple[list[bool], list[bool]]:
    """Whether ``text`` follows each instruction, strictly and loosely; an empty one does not."""
    versions = [version for version in _versions(text) if version.strip()]
    strict = [bool(text.strip()) and one.followed(text) for one in asked]
    loose = [any(one.followed(version) for version in versions) for one in asked]
    return strict, loose


def kind_of(instruction: Instruction) -> str:
    """The published name of its kind."""
    return str(instruction.__struct_config__.tag)


@cache
def instructions(target: str) -> tuple[_Known, ...]:
    """The instructions in a sample's target."""
    return msgspec.json.decode(target, type=tuple[_Known, ...])


def _versions(text: str) -> Iterator[str]:
    """The eight versions of an answer that count loosely."""
    lines = text.split("\n")
    fewer = ("\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1]))
    for version in (text, *fewer):
        yield version
        yield version.replace("*", "")
