"""Reading an answer out of free text: the small shared rules, each exactly as AISBench reads it.

A rule returns what it found, or ``""`` when it found nothing. They are kept with their flaws,
because published numbers rest on them; rules without the flaws stand in ``stated.py`` and beside
the scorers. ``first_option`` has its own file.
"""

import re

_CAPITALS_A_TO_D = re.compile("[A-D]+")


def first_capital(text: str) -> str:
    """The first upper-case character of any script; ``"The answer is B"`` gives ``"T"``."""
    return next(filter(str.isupper, text), "")


def last_capital(text: str) -> str:
    """The last upper-case character of any script."""
    return next(filter(str.isupper, reversed(text)), "")


def last_option(text: str, options: str) -> str:
    """The last character of ``text`` that is one of ``options``."""
    position = max(text.rfind(option) for option in options)
    return text[position] if position >= 0 else ""


def first_capital_multi(text: str) -> str:
    """The first unbroken run of the letters A to D, for questions with several right options."""
    found = _CAPITALS_A_TO_D.search(text)
    return found.group() if found else ""


def match_answer(text: str, pattern: str) -> str:
    """Group 1 of the first place where ``pattern`` matches."""
    found = re.search(pattern, text)
    return (found.group(1) or "") if found else ""


def match_last_answer(text: str, pattern: str) -> str:
    """Group 1 of the last place where ``pattern`` matches."""
    found = ""
    for match in re.finditer(pattern, text):
        found = match.group(1) or ""
    return found


def general(text: str) -> str:
    """The first clause without punctuation and articles, blanks collapsed.

    A clause ends at a line break, ``.`` or ``,``.
    """
    clause = re.split(r"[\n.,]", text, maxsplit=1)[0]
    words = re.sub(r"[^\w\s]", "", clause)
    without_articles = re.sub(r"\b(?:a|an|the)\b", "", words, flags=re.IGNORECASE)
    return " ".join(without_articles.split())


def boxed(text: str) -> str:
    r"""The content of the last ``\boxed{...}``, up to its matching brace.

    Nothing when that box has no brace, or one that never closes.
    """
    opening = text.rfind("\\boxed")
    if opening < 0 or not text.startswith("{", opening + 6):
        return ""
    depth = 0
    for position in range(opening + 6, len(text)):
        character = text[position]
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return text[opening + 7 : position]
    return ""
