"""What is sent and what came back, as values: ``HttpRequest`` and ``Exchange``.

An ``Exchange`` is kept raw: the body as one piece and the clock reading of every read that
brought some of it. What the bytes mean (text, tokens, errors) is the backend's business.
All clock readings are ``time.monotonic_ns``.
"""

import msgspec

from steelyard.core import Failure, Timing


class HttpRequest(msgspec.Struct, frozen=True, gc=False):
    """One request of HTTP. ``target`` comes from ``HttpClient.path``."""

    target: str
    """Path and query as they are sent: ``/v1/chat/completions``."""
    body: bytes = b""
    method: str = "POST"
    headers: tuple[tuple[str, str], ...] = ()
    """Added to the client's own headers; the same name replaces."""


class Exchange(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One HTTP exchange as it happened, also when it failed half-way.

    ``gc=False`` is safe: nothing in here can refer back to the exchange.
    """

    sent_ns: int
    """Just before the first byte was handed to the kernel; when the attempt began if none was."""
    done_ns: int
    """When the read that completed the answer returned, or when the failure was known."""
    first_byte_ns: int | None = None
    """First byte of the final response, head included; ``None`` when nothing came."""
    status: int = 0
    """0 when no head came."""
    reason: str = ""
    headers: dict[str, str] = {}
    """Lower-case names; values of a repeated header are joined by a comma."""
    body: bytes = b""
    """Without chunk framing and content coding; partial when ``failure`` is set."""
    marks: tuple[tuple[int, int], ...] = ()
    """``(end offset in body, ns)`` for every read that brought body bytes, in order."""
    failure: Failure | None = None
    """Trouble of the transport. An HTTP error status is not one."""

    def timing(self, gaps_us: tuple[int, ...] = ()) -> Timing:
        """The clock of this attempt, to be put into a ``Reply``; ``drive`` fills in the rest."""
        return Timing(
            queued_ns=self.sent_ns,
            sent_ns=self.sent_ns,
            done_ns=self.done_ns,
            first_byte_ns=self.first_byte_ns,
            gaps_us=gaps_us,
        )
