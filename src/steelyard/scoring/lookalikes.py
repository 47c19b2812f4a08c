"""Texts as a hasty reader sees them: which letters are there, however they are dressed up."""

import unicodedata

_LATIN = str.maketrans(
    dict(zip("авсԁеԍһнікӏмոорԛгѕтцνхуԝ", "abcdeghhiklmnopqrstuvxyw", strict=True))
    | dict(zip("αβεηικνορστυχωɑɡıɩ", "abeniknopstuxwagii", strict=True))
    | dict(zip("ᴀʙᴄᴅᴇɢʜɪᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡ", "abcdeghiklmnoprstuvw", strict=True))
)
"""Small Cyrillic and Greek letters and small capitals that pass for Latin ones."""


def letters(text: str) -> str:
    """The letters of ``text`` and its line ends: small, and Latin where they look it."""
    seen = unicodedata.normalize("NFKD", text).casefold().translate(_LATIN)
    return "".join(sign for sign in seen if sign.isalpha() or sign == "\n")
