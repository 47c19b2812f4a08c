r"""Reading the option letter that a text states as its answer, in English or Chinese.

This is the repaired letter rule, the variant ``fixed`` beside the letter rules of AISBench. It
guesses nothing: a letter must be stated in one of these ways. They are tried in order, and of one
way the last statement counts, because texts correct themselves.

1. a letter alone in the last ``\boxed{...}``
2. a letter alone in the first line: ``B``, ``(b)``, ``**B.**``
3. "the answer is B", "Answer: **(b)**", "答案：B", "正确答案应该选 B"
4. "option B is correct", "I choose (B)", "故选B", "应选 B"
5. a capital before a full stop or bracket at the very beginning: ``B. Paris``, ``(B) Paris``
6. the only capital in brackets or bold in the last line: "closest is (H)."

"Answer: A person who", "the answer is A or B" and "答案不是A" state no letter.
"""

import re
from functools import cache

from steelyard.scoring.extract import boxed

_OPEN = r"[\s*_`\"'“‘$(（\[【>]*(?:\\\(\s*)?(?:\\(?:text|textbf|mathrm|mathbf)\{)?\(?"
"""What may stand between a statement and its letter."""

_OR = r"(?:[,/、&]|or\b|and\b|[和或])"
_LETTER = (
    rf"(?:(X)(?![A-Za-z0-9_'’])(?!\s*{_OR}\s*X\b)(?!\s(?!because|since)[a-z]{{2}})"
    r"|(x)(?=\s?[)\]]|[^\w\n]*(?:\n|$)))"
)
"""A capital that is no part of a word, of a list or of a phrase; or a small letter before a closing
bracket or the end of its line."""

_ALONE = rf"^{_OPEN}(?:(X)|(x))[^\w\n]*(?:\n|$)"
_ANSWER = (
    rf"(?i:\banswer\b)[^\n.。]{{0,40}}?(?:\bis\b|[:：=>])(?:\s*(?i:option|choice))?{_OPEN}{_LETTER}"
    rf"|答案[^\nA-Za-z。，；不非]{{0,12}}?(?:选项)?{_OPEN}{_LETTER}"
)
_CHOSEN = (
    rf"\b(?i:choose|select|pick)(?:\s+(?:option|answer))?{_OPEN}{_LETTER}"
    r"|(?<![A-Za-z0-9_])(X)[^\w\n]{1,4}is\s+(?:the\s+)?(?:correct|right|best)\b"
    rf"|(?<!不)(?:应选|选择|选(?!项))[：:]?{_OPEN}{_LETTER}"
)
_HEADING = r"^[\s*(（\[【]*(X)[.。)）\]】](?!\w)"
_BRACKETED = r"(?<![A-Za-z0-9])(?:[(（\[【]|\*\*)(X)(?:[)）\]】]|\*\*)"


def stated_letter(text: str, options: str) -> str:
    """The letter of ``options`` that ``text`` states, in upper case; ``""`` when there is none."""
    box = re.sub(r"\\(?:text|textbf|mathrm|mathbf)\b|[\s{}()$.]", "", boxed(text)).upper()
    if len(box) == 1 and box in options:
        return box
    *ways, bracketed = _compiled(options)
    for way in ways:
        found = ["".join(letters) for letters in way.findall(text)]
        if found:
            return found[-1].upper()
    in_last_line = set(bracketed.findall(text.rstrip().rpartition("\n")[2]))
    return in_last_line.pop() if len(in_last_line) == 1 else ""


@cache
def _compiled(options: str) -> tuple[re.Pattern[str], ...]:
    capital, small = f"[{options}]", f"[{options.lower()}]"
    return tuple(
        re.compile(
            way.replace("(X)", f"({capital})")
            .replace("(x)", f"({small})")
            .replace(r"X\b", rf"{capital}\b")
        )
        for way in (_ALONE, _ANSWER, _CHOSEN, _HEADING, _BRACKETED)
    )
