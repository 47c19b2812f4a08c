"""What a serving engine says of itself: its Prometheus counters before and after a run.

Here are the reading of the text format and the figures from the difference of two readings;
fetching the text is done elsewhere. Samples that differ only in labels (one per engine or rank) are
summed. A figure whose counters the service does not offer, or that did not move, is ``None``; a
counter that fell was reset by a restart, and its difference is unknown, too.

    acceptance_rate        100 * accepted / drafted tokens          (speculative decoding, vLLM)
    acceptance_length      1 + accepted tokens / drafts
    per position           accepted at the position / drafts
    prefix_cache_hit_rate  100 * tokens found in the cache / tokens looked up (vLLM)
                           100 * tokens found in the cache / prompt tokens    (SGLang)
    preemptions            requests that were set back for want of memory
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_LABEL = r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*'
_LABELS = re.compile(rf"{_LABEL}(?:,|$)")
_SAMPLE = re.compile(
    rf"\s*({_NAME})\s*(?:\{{((?:{_LABEL},)*(?:{_LABEL})?)\s*\}})?\s*(\S+)(?:\s+[-+\d.eE]+)?\s*"
)
_ESCAPE = re.compile(r"\\(.)")
_NUMBER = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf|infinity|nan)", re.IGNORECASE)

_SPEC = "vllm:spec_decode_num_"
_LOOKED_UP = (
    ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total"),
    ("vllm:gpu_prefix_cache_queries_total", "vllm:gpu_prefix_cache_hits_total"),
    ("sglang:prompt_tokens_total", "sglang:cached_tokens_total"),
)
_PREEMPTIONS = ("vllm:num_preemptions_total", "sglang:num_retracted_requests_total")


class Sample(NamedTuple):
    """One line of the text format."""

    name: str
    labels: tuple[tuple[str, str], ...]
    """Sorted by name."""
    value: float


class Speculation(msgspec.Struct, frozen=True, kw_only=True):
    """How well drafted tokens were guessed during a run."""

    num_drafts: float
    draft_tokens: float
    accepted_tokens: float
    acceptance_rate: float | None
    """Percent."""
    acceptance_length: float | None
    """Tokens per step of the large model."""
    per_position_acceptance_rates: Mapping[str, float]
    """0 to 1 by position, as far as the service counts them."""


class EngineFigures(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in a serving engine during a run, by its own count."""

    speculation: Speculation | None = None
    prefix_cache_hit_rate: float | None = None
    """Percent of tokens."""
    preemptions: float | None = None


def samples(text: str) -> list[Sample]:
    """All samples of a text in the exposition format; lines that are none are left out."""
    return [found for line in text.split("\n") if (found := _sample(line)) is not None]


def engine_figures(before: str, after: str) -> EngineFigures:
    """The figures from the texts that a service's ``/metrics`` gave before and after a run."""
    moved = _Moved(samples(before), samples(after))
    queries = (moved.ratio(hits, all_) for all_, hits in _LOOKED_UP)
    found = next((share for share in queries if share is not None), None)
    preemptions = (moved.total(name) for name in _PREEMPTIONS)
    return EngineFigures(
        speculation=_speculation(moved),
        prefix_cache_hit_rate=None if found is None else 100 * found,
        preemptions=next((n for n in preemptions if n is not None), None),
    )


class _Moved:
    """By how much counters rose between two readings."""

    def __init__(self, before: list[Sample], after: list[Sample]) -> None:
        old = {(one.name, one.labels): one.value for one in before}
        self._by: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
        for one in after:
            # A series appears with its first event, so one that was not there began at 0.
            risen = one.value - old.get((one.name, one.labels), 0.0)
            self._by.setdefault(one.name, {})[one.labels] = risen

    def total(self, name: str) -> float | None:
        """The sum over all labels; ``None`` when there is no such counter or it was reset."""
        return _sum(list(self._by.get(name, {}).values()))

    def by_label(self, name: str, label: str) -> dict[str, float]:
        """The sums by the value of one label; those that are unknown are left out."""
        by_value: dict[str, list[float]] = {}
        for labels, risen in self._by.get(name, {}).items():
            by_value.setdefault(dict(labels).get(label, ""), []).append(risen)
        sums = {value: _sum(risen) for value, risen in by_value.items() if value}
        return {value: total for value, total in sums.items() if total is not None}

    def ratio(self, part: str, whole: str) -> float | None:
        """Rise over rise; ``None`` when either is unknown or the whole did not rise."""
        return _ratio(self.total(part), self.total(whole))


def _speculation(moved: _Moved) -> Speculation | None:
    drafts = moved.total(f"{_SPEC}drafts_total")
    drafted = moved.total(f"{_SPEC}draft_tokens_total")
    accepted = moved.total(f"{_SPEC}accepted_tokens_total")
    if drafts is None or drafted is None or accepted is None:
        return None
    rate, length = _ratio(accepted, drafted), _ratio(accepted, drafts)
    by_position = moved.by_label(f"{_SPEC}accepted_tokens_per_pos_total", "position")
    return Speculation(
        num_drafts=drafts,
        draft_tokens=drafted,
        accepted_tokens=accepted,
        acceptance_rate=None if rate is None else 100 * rate,
        acceptance_length=None if length is None else 1 + length,
        per_position_acceptance_rates={
            position: by_position[position] / drafts
            for position in sorted(by_position, key=lambda name: (len(name), name))
            if drafts > 0
        },
    )


def _sample(line: str) -> Sample | None:
    match = _SAMPLE.fullmatch(line)
    if match is None or _NUMBER.fullmatch(match[match.re.groups]) is None:
        return None
    labels = sorted((name, _unescaped(value)) for name, value in _LABELS.findall(match[2] or ""))
    return Sample(match[1], tuple(labels), float(match[match.re.groups]))


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: "\n" if found[1] == "n" else found[1], text)


def _sum(risen: list[float]) -> float | None:
    known = bool(risen) and all(0 <= value < float("inf") for value in risen)
    return sum(risen) if known else None


def _ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None
