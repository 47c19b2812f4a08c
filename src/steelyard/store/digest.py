"""Digests: telling whether two things are the same without keeping both.

SHA-256 in hex. A value's digest is taken over its JSON with sorted keys, so it does not depend on
the order in which a mapping was filled or fields were declared, nor, for structs that leave out
defaults, on fields added later.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from steelyard.core import DataError, Json


def digest(value: Json) -> str:
    """Digest of a value that msgspec can encode (structs included; keys are text).

    Numbers count as they are written: ``1`` and ``1.0`` differ.
    """
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def digest_files(paths: Iterable[Path]) -> str:
    """Digest of the contents of ``paths``, one after the other; raises ``DataError``."""
    whole = hashlib.sha256()
    for path in paths:
        try:
            with path.open("rb") as file:
                whole.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror}") from error
    return whole.hexdigest()
