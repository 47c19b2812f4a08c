"""Verdicts in JSON: understood where a judge writes it, never needed."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

from steelyard.core import Json
from steelyard.scoring.verdict_kinds import Kind

_OPENS = re.compile(r"(?:^|[.:!。]|```\w*|~~~\w*)[ \t]*\n?[ \t]*(?=\{)", re.MULTILINE)
_LAST_COMMA = re.compile(r",(\s*[}\]])")
_LITERALS = re.compile(r"\b(?:True|False|None)\b")
_LONGEST = 100_000
_MOST = 30
"""Places where an object is looked for."""


class Twice(ValueError):
    """A field stands twice in one object."""


class Object(NamedTuple):
    """A JSON object in a text."""

    start: int
    end: int
    fields: dict[str, Json]


def objects(text: str) -> Iterator[Object]:
    """The outermost JSON objects of ``text`` that begin a line or follow a stop or colon."""
    done = 0
    for opening in islice(_OPENS.finditer(text), _MOST):
        start = opening.end()
        if start >= done:
            end = _closing(text, start)
            fields = _parsed(text[start:end]) if end else None
            if fields is not None:
                done = end
                yield Object(start, end, fields)


def verdicts(fields: dict[str, Json], kind: Kind) -> set[str | None]:
    """What the fields that hold verdicts say, ``None`` for one that cannot be read.

    Fields of inner objects count when no outer one holds a verdict.
    """
    said = {
        _value(value, kind)
        for name, value in fields.items()
        if re.sub(r"[\s-]+", "_", name.strip().lower()) in kind.keys and not isinstance(value, dict)
    }
    if not said:
        for value in fields.values():
            if isinstance(value, dict):
                said |= verdicts(value, kind)
    return said


def _value(value: Json, kind: Kind) -> str | None:
    if isinstance(value, list):
        return kind.read(json.dumps(value), alone=True) if kind.lists else None
    if isinstance(value, bool):
        value = str(value).lower()
    if not isinstance(value, (str, int, float)):
        return None
    return kind.read(str(value), alone=isinstance(value, (int, float)))


def _parsed(text: str) -> dict[str, Json] | None:
    """A JSON object; with single quotes or a comma too many only where nothing else can be meant.

    ``None`` when it is none, or when a field stands in it twice.
    """
    attempts = [text, _LAST_COMMA.sub(r"\1", text)]
    if '"' not in text:
        attempts.append(
            _LITERALS.sub(
                lambda word: {"True": "true", "False": "false", "None": "null"}[word[0]],
                attempts[1].replace("'", '"'),
            )
        )
    for attempt in attempts:
        try:
            found = json.loads(attempt, strict=False, object_pairs_hook=_once)
        except Twice:
            return None
        except (ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise Twice
    return fields


def _closing(text: str, start: int) -> int:
    """Behind the brace that closes the one at ``start``, braces in strings not counted; 0: none."""
    depth, quote, position = 0, "", start
    limit = min(len(text), start + _LONGEST)
    while position < limit:
        character = text[position]
        if quote:
            position += character == "\\"
            quote = "" if character == quote else quote
        elif character == '"':
            quote = character
        else:
            depth += (character == "{") - (character == "}")
            if depth == 0:
                return position + 1
        position += 1
    return 0
