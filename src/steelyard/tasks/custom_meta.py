"""The meta file beside a custom data file (``<file>.meta.json``): which rows, and how long.

    {
      "request_count": 1000,
      "sampling_mode": "shuffle",
      "output_config": {"method": "uniform", "params": {"min_value": 10, "max_value": 500}}
    }

``request_count`` rows are taken, starting over when the file has fewer. ``default`` keeps their
order, ``shuffle`` mixes them, ``random`` draws them from the whole file. ``output_config`` gives
every row its ``max_tokens``: drawn from a range, both ends included, or dealt out by shares, as
``{"method": "percentage", "params": {"percentage_distribute": [[256, 0.9], [4096, 0.1]]}}``.
Numbers may be written as text. Chance is seeded: the same files give the same requests.
"""

import random
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from steelyard.core import DataError, Sample

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]

_SEED = 20250628


class Range(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The ends of a range of output limits, in tokens; both included."""

    min_value: Count
    max_value: Count


class Shares(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Output limits in tokens, each with its share of the rows; the shares add up to 1."""

    percentage_distribute: tuple[tuple[Count, Decimal], ...]


class Uniform(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag="uniform"
):
    """Output limits drawn evenly from a range."""

    params: Range


class Percentage(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag="percentage"
):
    """Output limits dealt out by shares."""

    params: Shares


class Selection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a meta file; the empty selection is every row as it is."""

    request_count: Count | None = None
    sampling_mode: Literal["default", "random", "shuffle"] = "default"
    output_config: Uniform | Percentage | None = None


def read_selection(path: Path) -> Selection:
    """The meta file at ``path``; ``DataError`` for unknown keys and impossible values."""
    try:
        selection = msgspec.json.decode(path.read_bytes(), type=Selection, strict=False)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: {error}. Expected an object with any of request_count (1 or more), "
            "sampling_mode (default, shuffle, random) and output_config (method uniform with "
            "params min_value and max_value, or method percentage with params "
            "percentage_distribute)."
        ) from error
    limits = selection.output_config
    if isinstance(limits, Uniform) and limits.params.min_value > limits.params.max_value:
        raise DataError(f"{path}: min_value is larger than max_value")
    if isinstance(limits, Percentage):
        shares = [share for _, share in limits.params.percentage_distribute]
        if sum(shares) != 1 or min(shares) <= 0:
            raise DataError(
                f"{path}: the shares of percentage_distribute are "
                f"{', '.join(map(str, shares)) or 'missing'}; they must be above 0 and add up to 1"
            )
    return selection


def selected(samples: Sequence[Sample], selection: Selection) -> list[Sample]:
    """The samples that ``selection`` takes, with its output limits.

    A row that is taken again is called ``<id>~2``, ``<id>~3`` and so on.
    """
    chance = random.Random(_SEED)
    count = selection.request_count or len(samples)
    turns = range(1, -(-count // len(samples)) + 1)
    pool = [_copy(sample, turn) for turn in turns for sample in samples]
    match selection.sampling_mode:
        case "default":
            taken = pool[:count]
        case "shuffle":
            taken = chance.sample(pool[:count], count)
        case "random":
            taken = chance.sample(pool, count)
    if selection.output_config is None:
        return taken
    limits = _limits(selection.output_config, count, chance)
    return [replace(one, max_tokens=limit) for one, limit in zip(taken, limits, strict=True)]


def _copy(sample: Sample, turn: int) -> Sample:
    return sample if turn == 1 else replace(sample, id=f"{sample.id}~{turn}")


def _limits(config: Uniform | Percentage, count: int, chance: random.Random) -> list[int]:
    """``count`` output limits. Shares are rounded down and the last one takes the rest."""
    if isinstance(config, Uniform):
        ends = config.params
        return [chance.randint(ends.min_value, ends.max_value) for _ in range(count)]
    *shares, (last, _) = config.params.percentage_distribute
    limits = [limit for limit, share in shares for _ in range(int(count * share))]
    limits += [last] * (count - len(limits))
    chance.shuffle(limits)
    return limits
