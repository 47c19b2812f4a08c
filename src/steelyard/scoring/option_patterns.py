"""AISBench's ``first_option``: fifty ways in which a text may name its answer, tried in order.

The order decides, so it is kept, together with two peculiarities that published numbers contain:
number 14 is two patterns that a missing comma made one, and number 49 takes the first letter
anywhere behind a digit 1.
"""

import re
from functools import cache
from typing import NamedTuple

_WAYS = (
    # 1: "the answer (is) A", "the answer that should be chosen: A"
    "答案是?_X",
    "答案是?_：_X",
    "答案是?_:_X",
    "答案选项应?该?是_X",
    "答案选项应?该?为_X",
    "答案应该?是_X",
    "答案应该?选_X",
    "答案选项为?_：_X",
    r"答案选项为?\s+\(?\*?\*?X",
    "答案选项是?_:_X",
    "答案为_X",
    "答案选_X",
    "选择?_X",
    # 14: "hence A" run into "only A is right"; then "only A is wrong", "the wrong statement is A"
    "故选?_X只有选?项?~[X]~是?对",
    "只有选?项?~X~是?错",
    "只有选?项?~X~不?正确",
    "只有选?项?~X~错误",
    "说法不?对选?项?的?是~X",
    "说法不?正确选?项?的?是~X",
    "说法错误选?项?的?是~X",
    # 21: "A is right", "option A is right"
    "X~是正确的",
    "X~是正确答案",
    "选项~X~正确",
    # 24: a letter that ends the text, after "so", "therefore", "clearly" or punctuation
    "所以答~X",
    "所以~X[.。$]?$",
    "所有~X[.。$]?$",
    r"[\s，：:,]X[。，,.]?$",
    r"[\s，,：:][故即]X[。.]?$",
    r"[\s，,：:]因此X[。.]?$",
    "[是为。]~X[。.]?$",
    "因此~X[。.]?$",
    "显然~X[。.]?$",
    # 33: any words after "the answer is", up to a full stop
    r"答案是~(\S+)(?:。|$)",
    r"答案应该是~(\S+)(?:。|$)",
    r"答案为~(\S+)(?:。|$)",
    # 36: the same in English
    "(?i)ANSWER_:_X",
    r"[Tt]he answer is:?\s+\(?X",
    r"[Tt]he answer is:?\s+\(?\*?\*?X",
    r"[Tt]he answer is option:?\s+\(?X",
    r"[Tt]he correct answer is:?\s+\(?X",
    r"[Tt]he correct answer is option:?\s+\(?X",
    "^(?>.*?[Tt]he correct answer is:?).*?boxed{X}",
    "^(?>.*?[Tt]he correct option is:?).*?boxed{X}",
    "^(?>.*?[Tt]he correct answer option is:?).*?boxed{X}",
    r"[Tt]he answer to the question is:?\s+\(?X",
    # 46: the text begins with the letter
    "^选项~X",
    "^X~选?项",
    r"^X[\s。，,：:.$]",
    # 49: behind a digit 1
    "1.~(.*)",
    "1.~X[.。$]?$",
    # 51: the cushion
    "X:",
    "X",
)
"""In order. ``X`` is one option letter, captured (``[X]``: not captured), ``_`` any run of white
space, ``~`` at most one white space; the rest is regular expression."""

_CUSHION = 2
"""How many of the last ways are tried only with ``cushion``."""


class Found(NamedTuple):
    """The letter that was read, and the number of the way, from 1, that gave it."""

    letter: str
    way: int


def first_option(text: str, options: str, *, cushion: bool = True) -> Found | None:
    """The answer letter that ``text`` names, one of ``options``; ``None`` when it names none.

    A way that matches decides by what it captured (the whole match when that is empty): the first
    of ``options``, in their own order, that occurs there. Without one the next way is tried.
    """
    stripped = text.strip()
    ways = _compiled(options)
    for number, way in enumerate(ways if cushion else ways[:-_CUSHION], start=1):
        match = way.search(stripped)
        if match:
            captured = match.group(1) or match.group()
            for option in options:
                if option in captured:
                    return Found(option, number)
    return None


@cache
def _compiled(options: str) -> tuple[re.Pattern[str], ...]:
    blanks = {"[X]": f"[{options}]", "X": f"([{options}])", "_": r"\s*", "~": r"\s?"}
    notation = re.compile(r"\[X\]|X|_|~")
    return tuple(
        re.compile(notation.sub(lambda sign: blanks[sign.group()], way), re.DOTALL) for way in _WAYS
    )
