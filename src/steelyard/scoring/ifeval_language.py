"""Which language a text is in, by langdetect with a fixed seed."""

from functools import lru_cache
from importlib.util import find_spec

from steelyard.core import MissingExtra

_SEED = 0


def needs_langdetect() -> None:
    """Raise ``MissingExtra`` when langdetect is not installed."""
    if find_spec("langdetect") is None:
        raise MissingExtra("telling the language of answers", "text")


@lru_cache(maxsize=64)
def language_of(text: str) -> str:
    """The ISO 639-1 code of the language; empty when the text has no letters to tell it by."""
    needs_langdetect()
    from langdetect import DetectorFactory, LangDetectException, detect

    DetectorFactory.seed = _SEED
    try:
        return str(detect(text))
    except LangDetectException:
        return ""
