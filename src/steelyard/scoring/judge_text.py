"""A judge's reply before it is read: plain characters, no reasoning, quotations blanked out.

What a judge quotes is not its verdict. Blanked out are, with their length kept: code blocks and
inline code, text in quotation marks, lines quoted with ``>``, the paragraph behind "The candidate
wrote:", and what stands between the marks that an answer is delimited with in the question. A
quotation that never closes is blanked up to the last line, which is left: nobody quotes by accident
with their last words.
"""

import re

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_INVISIBLE = dict.fromkeys(
    (0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF, 0xFE0F), None
)
_PLAIN = {
    **_FULL_WIDTH,
    **_INVISIBLE,
    0x00A0: " ",
    0x2009: " ",
    0x202F: " ",
    0x3000: " ",
    0x2212: "-",
    ord("\r"): "\n",
    0x2028: "\n",
    0x2029: "\n",
}

_THOUGHT = r"(?:think|thinking|thought)"
_OPENS_THOUGHT = re.compile(rf"<{_THOUGHT}>", re.IGNORECASE)
_CLOSES_THOUGHT = re.compile(rf"</{_THOUGHT}>", re.IGNORECASE)

ANOTHERS = re.compile(
    r"\b(?:candidate|standard|reference|gold|student|model|response|assistant|option|question"
    r"|correct[_ ]answer|user|text|submission|original|ground[- ]truth)"
    "|候选|标准|参考|选项|学生|模型|回答|题目|原文|用户",
    re.IGNORECASE,
)
"""Words for texts that are not the judge's own."""

SAYING = re.compile(
    r"\b(?:says|said|wrote|writes|written|stated?|states|claim(?:s|ed)?|assert(?:s|ed)?"
    r"|output(?:s|ted)?|contain(?:s|ed)?|includ(?:es|ed)|end(?:s|ed) with|beg(?:ins|an) with"
    r"|start(?:s|ed) with|print(?:s|ed)?|return(?:s|ed)|repl(?:ies|ied)|quot(?:es|ed)|reads"
    r"|conclud(?:es|ed) with|insist(?:s|ed)?|instruct(?:s|ed)|tells?|told|answered|produced)\b"
    "|写道|写了|写着|写的是|输出了|声称|包含|内容如下|原文|给出了",
    re.IGNORECASE,
)
"""Words that announce what somebody else said."""

JUDGING = re.compile(
    r"\b(?:verdict|judg(?:e?ment|ing)|correctness|decision|conclusion|evaluation|assessment|analysis|grad(?:e|ing)|score"
    r"|rating|feedback|reason(?:ing)?|explanation|rationale|comparison|review)\b"
    "|判定|判断|结论|评判|评价|评估|评分|分析|理由|解释|说明|比较",
    re.IGNORECASE,
)

_EXAMPLE = re.compile(
    r"\b(?:examples?|format|template|for instance|one of)\b|\be\.g\.|例如|示例|比如|格式|之一",
    re.IGNORECASE,
)

_BLANK = "\ufffc"
_BLOCK = r"^[ \t]*(?P<mark>```+|~~~+)[^\n]*\n(?:.*?\n)??[ \t]*(?P=mark)[ \t]*$"
_WHOLE_BLOCK = re.compile(r"\A(```+|~~~+)[^\n`]*\n((?:(?!\1).)*?)\n?[ \t]*\1\Z", re.DOTALL)
_QUOTATIONS = tuple(
    re.compile(way, re.DOTALL | re.MULTILINE)
    for way in (
        _BLOCK,
        r"<(?P<name>[^<>\n]{1,60}?)\s*Begin(?P<tail>[^<>\n]*)>.*?<(?P=name)\s*End(?P=tail)>",
        r"<(?P<name>\w+) (?P<fence>\w{8,})>.*?</(?P=name) (?P=fence)>",
        r"(?<!`)(?P<ticks>`{1,3})(?!`)[^\n]{1,2000}?(?<!`)(?P=ticks)(?!`)",
        "“[^”]*”|「[^」]*」|『[^』]*』|«[^»]*»|‘[^’\n]*’(?!\\w)",
        r'(?<![A-Za-z0-9"])"(?=\S)[^"]*"',
        r"(?<![\w'])'(?=\S)[^'\n]*(?:'\w[^'\n]*)*(?<=\S)'(?!\w)",
        r"^[ \t]*>[^\n]*$",
    )
)
_ENDS_IN_COLON = re.compile(r"^[^\n]*:[* \t]*\n", re.MULTILINE)
_PARAGRAPH = re.compile(r"\s*\S[^\n]*(?:\n[^\n]*\S[^\n]*)*")
_NEVER_CLOSED = re.compile(
    r"""^[ \t]*(?:```|~~~).*\Z|“[^”]*\Z|「[^」]*\Z|『[^』]*\Z|(?<![A-Za-z0-9"])"(?=\S)[^"]*\Z""",
    re.DOTALL | re.MULTILINE,
)


def plain(text: str) -> str:
    """Full-width characters narrow, odd blanks and line ends made common, invisible ones gone."""
    return text.replace("\r\n", "\n").translate(_PLAIN).strip()


def after_reasoning(text: str) -> str | None:
    """What comes after the reasoning; ``None`` when the reasoning never ends.

    Tags in a quotation are the candidate's. Where quotation marks without a partner hide every tag,
    text that begins with reasoning still has it removed.
    """
    if not (_OPENS_THOUGHT.search(text) or _CLOSES_THOUGHT.search(text)):
        return text
    seen = unquoted(text)
    if _OPENS_THOUGHT.match(text) and not _CLOSES_THOUGHT.search(seen):
        seen = text
    *_, closing = [None, *_CLOSES_THOUGHT.finditer(seen)]
    start = closing.end() if closing else 0
    return None if _OPENS_THOUGHT.search(seen, start) else text[start:].strip()


def out_of_its_block(text: str) -> str:
    """The inside of a code block that is the whole text; other text as it is."""
    block = _WHOLE_BLOCK.match(text)
    return block[2].strip() if block else text


def unquoted(text: str) -> str:
    """``text`` with every quotation blanked out, the same length and the same lines."""
    for way in _QUOTATIONS:
        text = way.sub(lambda found: blank(found[0]), text)
    for line in _ENDS_IN_COLON.finditer(text):
        said = _PARAGRAPH.match(text, line.end()) if _introduces(line[0]) else None
        if said and not set(said[0].strip().partition("\n")[0]) <= {_BLANK}:
            text = text[: said.start()] + blank(said[0]) + text[said.end() :]
    opened = _NEVER_CLOSED.search(text)
    last = text.rfind("\n") + 1
    if opened and opened.start() < last:
        text = text[: opened.start()] + blank(text[opened.start() : last]) + text[last:]
    return text


def is_introduced(text: str, position: int) -> bool:
    """Whether the words before ``position`` announce somebody else's: ``The candidate wrote:``."""
    before = re.sub(r"(?:```\w*|~~~\w*)\s*$", "", text[:position].rstrip()).rstrip()
    return _introduces(before[before.rfind("\n") + 1 :])


def _introduces(line: str) -> bool:
    if not line.rstrip("* \t\n").endswith(":"):
        return False
    if _EXAMPLE.search(line):
        return True
    return bool(SAYING.search(line) or (ANOTHERS.search(line) and not JUDGING.search(line)))


def blank(text: str) -> str:
    """As many blanks, line ends kept."""
    return re.sub(r"[^\n]", _BLANK, text)
