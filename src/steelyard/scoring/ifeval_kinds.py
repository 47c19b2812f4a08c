"""What an instruction of IFEval is: its settings, and whether a text follows it."""

from typing import Literal, TypeAlias

import msgspec

Relation: TypeAlias = Literal["less than", "at least"]


class Instruction(msgspec.Struct, frozen=True, tag_field="id"):
    """One instruction; each kind is a class whose tag is the kind's published name."""

    def followed(self, text: str) -> bool:
        """Whether ``text`` does what is asked."""
        raise NotImplementedError


def holds(count: int, relation: Relation, limit: int) -> bool:
    """Whether ``count`` is as ``relation`` to ``limit`` says."""
    return count < limit if relation == "less than" else count >= limit


def divided(parts: list[str]) -> list[str] | None:
    """``parts`` without an empty first and last one; ``None`` when another one is empty."""
    if not all(part.strip() for part in parts[1:-1]):
        return None
    return [part for part in parts if part.strip()]
