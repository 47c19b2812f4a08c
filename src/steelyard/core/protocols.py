"""The seams: what a backend, a scorer and a sink look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from steelyard.core.pictures import Picture
    from steelyard.core.records import Judgement, Likelihood, Reply, Verdict
    from steelyard.core.tasks import Sample
    from steelyard.core.wire import Json, Message, Request


class Backend(Protocol):
    """A model that can be asked. Implementations are safe to call concurrently."""

    async def ask(self, request: Request) -> Reply:
        """Answer ``request``, once. Trouble on the way comes back as ``Reply.failure``."""

    async def close(self) -> None:
        """Release connections or weights. Called once, after the last ``ask``."""


class Unread(Protocol):
    """An answer that is over, as it came."""

    @property
    def size_bytes(self) -> int:
        """About how much memory it takes."""

    def reply(self) -> Reply:
        """Read it; called once."""


@runtime_checkable
class Fetcher(Protocol):
    """A backend whose answers can be kept as they came and read later."""

    async def connect(self, number: int) -> None:
        """Open connections ahead of the first requests; trouble is left for those to meet."""

    async def fetch(self, request: Request) -> Unread:
        """Send ``request``, once."""

    async def close(self) -> None:
        """See ``Backend``."""


@runtime_checkable
class ModelLister(Protocol):
    """A backend that can say which models it serves."""

    async def models(self) -> tuple[str, ...]:
        """Names of the served models; raises ``ServiceError`` when the service cannot say."""


@runtime_checkable
class Noting(Protocol):
    """A backend that has something to say about the run as a whole."""

    def notes(self) -> tuple[str, ...]:
        """What a person should know (the batch was halved...), asked for at the end."""


@runtime_checkable
class CandidateModule(Protocol):
    """A backend's module whose backends can say how likely ``Request.candidates`` are.

    They then fill ``Reply.likelihoods``, one for each candidate, or fail the whole request.
    """

    def scoring_obstacle(self, options: Json) -> str:
        """What stands in the way under ``options`` (the module's own), and what to do about it.

        Empty when nothing does. Asked while planning.
        """


@runtime_checkable
class PictureModule(Protocol):
    """A backend's module that knows pictures; every other takes and gives texts alone."""

    TAKES_PICTURES: bool
    """Its backends send the pictures of a question."""
    DRAWS: bool
    """Its backends answer with a picture (``Reply.drawn``)."""


class Scorer(Protocol):
    """A pure, versioned marking rule; made by ``scoring.scorer``."""

    @property
    def id(self) -> str:
        """``name@version``, the way result files name it."""

    @property
    def live(self) -> bool:
        """``False`` when one call may take longer than about a millisecond."""

    def __call__(self, text: str, sample: Sample) -> Verdict:
        """Mark one answer."""


@runtime_checkable
class LikelihoodScorer(Protocol):
    """A pure, versioned rule for tasks of likelihoods; made by ``scoring.most_likely``."""

    @property
    def id(self) -> str:
        """See ``Scorer``."""

    @property
    def live(self) -> bool:
        """See ``Scorer``."""

    def compare(self, likelihoods: Sequence[Likelihood], sample: Sample) -> Verdict:
        """Choose a candidate and mark the choice; one likelihood for each of the choices."""


class Judge(Protocol):
    """A model's marking rule: what it is asked about an answer, and what its reply means.

    Both are pure; asking is somebody else's work. Made by ``scoring``.
    """

    @property
    def id(self) -> str:
        """``name@version#hash``; the hash is over all that may change a verdict."""

    @property
    def needs_reference(self) -> bool:
        """Whether an answer can only be judged beside the right one (``Sample.target``)."""

    @property
    def scale(self) -> tuple[float, float] | None:
        """Both ends, for a judge that gives points."""

    def question(self, sample: Sample, answer: str | Picture, fence: str) -> tuple[Message, ...]:
        """What the judge is asked about ``answer``, which nobody trusts.

        ``fence`` is random, new for each request; it delimits the answer.
        """

    def verdict(self, reply: str) -> Judgement:
        """What the judge's reply says; ``unparsed`` when that is not beyond doubt."""


Marking: TypeAlias = "Scorer | LikelihoodScorer"
"""What a task is marked by: texts by the one, likelihoods by the other."""

Sink: TypeAlias = "Callable[[Reply, Request], None]"
"""Takes every finished reply, with what was asked; returns only when it is with the operating
system."""
