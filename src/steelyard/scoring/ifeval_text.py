r"""Sentences and words of English text, counted as NLTK counts them for IFEval, without its data.

A sentence ends at ``.``, ``?`` or ``!`` before white space or closing punctuation; a new line ends
none. Punkt, the original, knows some 150 abbreviations and how 20,000 words are usually spelt; the
rules here are a page long and agree with it on all but rare texts (see tests).
"""

import re

_CHUNK = re.compile(r"\S+")
_MARK = re.compile(r"[.?!]")
_BEHIND_A_MARK = frozenset(")\";}]*:@'({[!?")
_CLOSING = re.compile(r"""["')\]}]+?(?:\s+|(?=--)|$)""")
_BETWEEN_WORDS = re.compile(r"""[)";}\]*:@'({\[!?]""")
_BEFORE_A_WORD = '("`{[:;&#*@)}]-,'
_ABBREVIATIONS = frozenset(
    (
        *("mr", "mrs", "ms", "dr", "prof", "st", "jr", "sr", "vs", "inc", "ltd", "co", "corp"),
        *("u.s", "u.k", "u.n", "a.m", "p.m", "ph.d", "i.e", "e.g"),
    )
)

_APART = re.compile(r"""([;@#$%&?!\[\](){}<>"“”«»‘’„`]|--|\.{2,}|[:,](?=\D|\Z))""")
_SHORTENED = re.compile(r"(?i)(?<=[^'\s])('s|'m|'d|'ll|'re|'ve|n't)(?=\s|\Z)")
_LAST_STOP = re.compile(r"(?<=[^.])\.(?=[\])}>\"'»”’\s]*\Z)")


def words(text: str) -> list[str]:
    """Unbroken runs of letters, digits and underscores: ``it's`` are two."""
    return re.findall(r"\w+", text)


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, none of them empty."""
    found: list[str] = []
    begin = 0
    text = text.rstrip()
    for chunk in _CHUNK.finditer(text):
        end = _end_in(text, chunk)
        following = _CHUNK.search(text, end) if end else None
        if following and _ends(text[chunk.start() : end], text[following.start()]):
            closing = _CLOSING.match(text, end)
            end = closing.end() if closing else end
            found.append(text[begin:end].strip())
            begin = end
    return [one for one in (*found, text[begin:].strip()) if one]


def tokens(text: str) -> list[str]:
    """Words and punctuation marks; ``DON'T`` are two words, ``AND/OR`` is one."""
    found: list[str] = []
    for sentence in sentences(text):
        apart = _LAST_STOP.sub(" . ", sentence)
        apart = _APART.sub(r" \1 ", apart)
        found += _SHORTENED.sub(r" \1", apart).split()
    return found


def _end_in(text: str, chunk: re.Match[str]) -> int:
    """Behind the last mark in a run of characters that may end a sentence; 0: there is none."""
    last = 0
    for mark in _MARK.finditer(text, chunk.start(), chunk.end()):
        following = text[mark.end() : mark.end() + 1]
        if following in _BEHIND_A_MARK or following.isspace():
            last = mark.end()
    return last


def _ends(said: str, following: str) -> bool:
    """Whether a sentence ends with ``said``, which ends with a mark; ``following`` is next."""
    if said[-1] != ".":
        return True
    if said.endswith(".."):
        return following.isupper()
    word = _BETWEEN_WORDS.split(said[:-1])[-1].lstrip(_BEFORE_A_WORD).lower()
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return False
    if word.replace(",", "").replace(".", "").isdecimal():
        return not following.islower()
    return True
