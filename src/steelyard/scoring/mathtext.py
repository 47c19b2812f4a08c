r"""Comparing LaTeX answers as text, by the rules that AISBench's maths scores rest on.

``final_answer`` reads an answer out of a reply ("post-process v2"), ``normalised`` tidies one
("normalise final answer"), ``stripped`` and ``stripped_v1`` bring LaTeX to one spelling, and
``equivalent`` compares. The rules are kept with their flaws, word list included; ``math_check``
compares by meaning.
"""

import re

from steelyard.core import Sample, Verdict
from steelyard.scoring.extract import boxed
from steelyard.scoring.registry import scorer

_REPLACED = (
    ("an ", ""),
    ("a ", ""),
    (".$", "$"),
    (r"\$", ""),
    (r"\ ", ""),
    (" ", ""),
    ("mbox", "text"),
    (r",\text{and}", ","),
    (r"\text{and}", ","),
    (r"\text{m}", r"\text{}"),
    (r"\le", "<"),
)
"""Replacements of ``normalised``, in order."""

_WORDS = r"""
square ways integers dollars mph inches ft hours km units \ldots sue points feet minutes digits
cents degrees cm gm pounds meters meals edges students childrentickets multiples
"""

_DELETED = (
    *_WORDS.split(),
    *(r"\text{s}", r"\text{.}", "\\text{\ns}", r"\text{}^2", r"\text{}^3", "\\text{\n}"),
    *(r"\text{}", r"\mathrm{th}", r"^\circ", r"^{\circ}", r"\;", r",\!", "{,}", '"', r"\dots"),
    *("\n", "\r", "\f"),
)
"""What ``normalised`` then deletes, in order."""

_UNWRAPPED = (
    (r"\\text\{\((.*?)\)\}", ")}"),
    (r"\\text\{(.*?)\}", "}"),
    (r"\\textbf\{(.*?)\}", "}"),
    (r"\\overline\{(.*?)\}", "}"),
    (r"\\boxed\{(.*)\}", "}"),
)
"""What ``normalised`` then replaces by its content, each with its closing."""

_KEPT = (
    (r"finalansweris(.*)", ""),
    (r"answer?is:?(.*)", ""),
    (r"oxed\{(.*?)\}", "}"),
    (r"\$(.*?)\$", "$"),
)
"""Where one of these is found, its last content is all that remains."""


@scorer(version=1)
def math_v2(text: str, sample: Sample) -> Verdict:
    """The final answer is the target by the v2 rules: AISBench's marking of AIME and MATH."""
    answer = final_answer(text)
    if not answer:
        return Verdict(0.0, why="no answer in the text")
    return Verdict(float(equivalent(answer, sample.target)), answer)


def final_answer(text: str) -> str:
    """The answer that a reply ends with, or ``""``.

    The last box, when it holds something; else the first sentence (cut at ``.``) that says "final
    answer" or "answer is"; else the first sentence. Sentences are normalised, boxes are not.
    """
    box = boxed(text)
    inner = re.match(r"\{(.*)\}$", box)
    if answer := inner.group(1) if inner else box:
        return answer
    sentences = text.split(".")
    said = (part for part in sentences if re.search("final answer|answer is", part.lower()))
    return normalised(next(said, sentences[0]))


def normalised(answer: str) -> str:
    """The answer without units, filler words, blanks and most LaTeX dressing."""
    for old, new in _REPLACED:
        answer = answer.replace(old, new)
    for word in _DELETED:
        answer = answer.replace(word, "")
    for dressing, closing in _UNWRAPPED:
        closed, rest = _closed(answer, closing)
        answer = re.sub(dressing, r"\1", closed) + rest
    for pattern, closing in _KEPT:
        if found := re.findall(pattern, _closed(answer, closing)[0]):
            answer = found[-1]
    answer = answer.strip()
    if "rac" in answer and r"\frac" not in answer:
        answer = answer.replace("rac", r"\frac")
    answer = re.sub("frac([^{])(.)", r"frac{\1}{\2}", answer)
    answer = re.sub("sqrt([^{])", r"sqrt{\1}", answer)
    answer = answer.replace("$", "")
    digits = answer.replace(",", "")
    return digits if digits.isdigit() else answer


def equivalent(first: str | None, second: str | None) -> bool:
    """Whether two answers are the same after v2 stripping, after normalising, or as they stand."""
    if first is None or second is None:
        return first is second
    one, other = stripped(first), stripped(second)
    return (
        one == other
        or normalised(one) == normalised(other)
        or normalised(first) == normalised(second)
        or first == second
    )


def equivalent_v1(first: str | None, second: str | None) -> bool:
    """The same after v1 stripping; an answer that v1 cannot strip skips to the later stages."""
    if first is None or second is None:
        return first is second
    one, other = stripped_v1(first), stripped_v1(second)
    alike = (
        one is not None
        and other is not None
        and (one == other or normalised(one) == normalised(other))
    )
    return alike or normalised(first) == normalised(second) or first == second


def stripped(answer: str) -> str:
    """LaTeX brought to one spelling, rule v2."""
    answer = answer.strip().replace("\n", "").rstrip(".")
    answer = _without(answer, r"\!", r"\ ").replace("\\\\", "\\").replace("\\\\", "\\")
    answer = _plain_fractions_and_brackets(answer)
    without_unit = answer.partition(r"\text{")[0] if answer.endswith("}") else answer
    answer = without_unit.strip() or answer
    answer = _without(answer, r"^{\circ}", r"^\circ", r"\$", "$", r"\text", r"x\in", r"\%", "%")
    answer = _leading_zeros(answer).replace(r"\cdot", "").replace("infinity", r"\infty")
    if r"\infty" not in answer:
        answer = answer.replace("inf", r"\infty")
    answer = re.sub(r"\\mbox{.*?}", "", _without(answer, "and", r"\mathbf"))
    if "j" in answer and "i" not in answer:
        answer = answer.replace("j", "i")
    answer = re.sub(r"(\d)\.0+(\D)", r"\1\2", answer)
    answer = re.sub(r"(\d)\.0+$", r"\1", answer)
    if not answer:
        return answer
    answer = _right_side(_leading_zero(answer))
    answer = re.sub(r"\\sqrt(\w+)", r"\\sqrt{\1}", answer).replace(" ", "")
    return _stacked(_braced_fractions(answer))


def stripped_v1(answer: str) -> str | None:
    r"""LaTeX brought to one spelling, the rule of the MATH data set's authors.

    ``None`` where that rule breaks: two ``\text{ `` units, or ``\sqrt`` at the end.
    """
    answer = _without(answer, "\n", r"\!").replace("\\\\", "\\")
    answer = _plain_fractions_and_brackets(answer)
    answer = _without(answer, r"^{\circ}", r"^\circ", r"\$")
    if answer.count(r"\text{ ") > 1:
        return None
    answer = answer.partition(r"\text{ ")[0].replace(r"\%", "")
    answer = _leading_zeros(answer)
    if not answer:
        return answer
    answer = _right_side(_leading_zero(answer))
    if re.search(r"\\sqrt(\\sqrt|$)", answer):
        return None
    answer = re.sub(r"\\sqrt([^{])", r"\\sqrt{\1}", answer, flags=re.DOTALL).replace(" ", "")
    answer = _braced_fractions(answer)
    return _stacked(r"\frac{1}{2}" if answer == "0.5" else answer)


def _closed(text: str, closing: str) -> tuple[str, str]:
    """``text`` up to its last ``closing``, and the rest.

    Openings in the rest never close. Without this split each would be followed to the end of the
    text, which takes seconds when a model repeats one thousands of times.
    """
    end = text.rfind(closing) + len(closing) if closing in text else 0
    return text[:end], text[end:]


def _without(text: str, *pieces: str) -> str:
    for piece in pieces:
        text = text.replace(piece, "")
    return text


def _plain_fractions_and_brackets(text: str) -> str:
    text = text.replace("tfrac", "frac").replace("dfrac", "frac")
    return _without(text, r"\left", r"\right")


def _leading_zeros(text: str) -> str:
    return text.replace(" .", " 0.").replace("{.", "{0.")


def _leading_zero(text: str) -> str:
    return f"0{text}" if text.startswith(".") else text


def _right_side(text: str) -> str:
    """``5`` of ``k=5``: the right side of an equation whose left side is at most two long."""
    sides = text.split("=")
    return sides[1] if len(sides) == 2 and len(sides[0]) <= 2 else text


def _braced_fractions(text: str) -> str:
    r"""``\frac12`` as ``\frac{1}{2}``, ``\frac1{72}`` likewise; unchanged when one is cut short."""
    head, *rest = text.split(r"\frac")
    for part in rest:
        if part.startswith("{"):
            head += rf"\frac{part}"
        elif len(part) < 2:
            return text
        elif part[1] == "{":
            head += rf"\frac{{{part[0]}}}{part[1:]}"
        else:
            head += rf"\frac{{{part[0]}}}{{{part[1]}}}{part[2:]}"
    return head


def _stacked(text: str) -> str:
    r"""``3/4`` as ``\frac{3}{4}``, for whole numbers in their usual spelling."""
    fraction = re.fullmatch(r"(0|-?[1-9][0-9]*)/(0|-?[1-9][0-9]*)", text)
    return rf"\frac{{{fraction[1]}}}{{{fraction[2]}}}" if fraction else text
