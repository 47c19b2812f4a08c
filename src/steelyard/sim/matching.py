"""Which known question does a prompt ask?

A prompt holds instructions, worked examples (questions too, perhaps known ones) and, near its
end, the question that is asked. So the question that begins last is the one, unless it is only a
part of a longer known question that stands there, or its own options do not follow it: then it is
itself an option or a remark.

How it is found in a few microseconds among thousands: the prompt is probed from its end backwards
at every eighth place. A probe looks up eight characters in the set of all pieces that stand within
the first characters of some question, so a question cannot slip through between two probes. Near
a hit one binary search in the sorted questions yields the longest one that the prompt goes on
with there. Short questions make the probes denser, so they cost time but are found as well.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence

_PIECE_CHARS = 8
_STRIDE_CHARS = 8


class QuestionIndex:
    """Finds known questions inside prompts; built once, never changed."""

    def __init__(
        self, questions: Sequence[str], contexts: Sequence[Sequence[str]] | None = None
    ) -> None:
        """``contexts``: for every question the texts (options) that follow it in a prompt.

        Empty questions are never found.
        """
        self._contexts = contexts if contexts is not None else [()] * len(questions)
        numbers: dict[str, tuple[int, ...]] = {}
        for number, question in enumerate(questions):
            text = question.strip()
            if text:
                numbers[text] = (*numbers.get(text, ()), number)
        self._numbers = numbers
        self._sorted = sorted(numbers)
        self._shorter = _longest_known_beginnings(self._sorted)
        self._longest = max(map(len, numbers), default=0)
        shortest = min(map(len, numbers), default=1)
        self._piece = min(_PIECE_CHARS, shortest)
        self._stride = min(_STRIDE_CHARS, shortest - self._piece + 1)
        self._heads = frozenset(text[: self._piece] for text in numbers)
        self._pieces = frozenset(
            text[at : at + self._piece] for text in numbers for at in range(self._stride)
        )
        self._around = self._containers()

    def find(self, prompt: str) -> tuple[int, ...]:
        """Numbers of the questions that ``prompt`` asks; several only if nothing tells them apart.

        Where no question is followed by its options, the last one is the one. Empty when no known
        question is in the prompt.
        """
        last: tuple[int, ...] = ()
        for start, found in self._occurrences(prompt) if self._numbers else ():
            numbers = self._numbers[self._outermost(prompt, start, found)]
            fitting = tuple(number for number in numbers if self._fits(number, prompt, start))
            if fitting:
                return fitting
            last = last or numbers
        return last

    def _fits(self, number: int, prompt: str, start: int) -> bool:
        return all(prompt.find(text, start) >= 0 for text in self._contexts[number])

    def _occurrences(self, text: str) -> Iterator[tuple[int, str]]:
        """Every place of ``text`` where a question begins, with the longest such, last first."""
        piece, stride, pieces = self._piece, self._stride, self._pieces
        for probe in range(len(text) - piece, -1, -stride):
            if text[probe : probe + piece] in pieces:
                for start in range(probe, max(-1, probe - stride), -1):
                    found = self._at(text, start)
                    if found is not None:
                        yield start, found

    def _at(self, text: str, start: int) -> str | None:
        """The longest question that stands at ``start``."""
        if text[start : start + self._piece] not in self._heads:
            return None
        rest = text[start : start + self._longest]
        place = bisect_right(self._sorted, rest) - 1
        # Every question that ``rest`` begins with also begins the one at ``place``, or is it.
        while place >= 0 and not rest.startswith(self._sorted[place]):
            place = self._shorter[place]
        return self._sorted[place] if place >= 0 else None

    def _outermost(self, text: str, start: int, found: str) -> str:
        """``found``, or the longest question that it is a part of at that place of ``text``."""
        for longer, offset in self._around.get(found, ()):
            if offset <= start and text.startswith(longer, start - offset):
                return longer
        return found

    def _containers(self) -> dict[str, list[tuple[str, int]]]:
        """Question → longer questions it stands inside of, longest first, with its offset there."""
        around: dict[str, list[tuple[str, int]]] = {}
        for longer in sorted(self._sorted, key=len, reverse=True):
            for start, inner in self._occurrences(longer):
                if start > 0:
                    around.setdefault(inner, []).append((longer, start))
        return around


def _longest_known_beginnings(ordered: Sequence[str]) -> list[int]:
    """For each text of a sorted list the place of the longest other one it begins with, or -1."""
    beginnings: list[int] = []
    nested: list[int] = []
    for place, text in enumerate(ordered):
        while nested and not text.startswith(ordered[nested[-1]]):
            nested.pop()
        beginnings.append(nested[-1] if nested else -1)
        nested.append(place)
    return beginnings
