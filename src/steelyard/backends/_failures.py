"""Why a service's answer is none: HTTP error statuses, error objects, the server's own words."""

import time

import msgspec

from steelyard.core import Failure, Json
from steelyard.engine import Exchange

UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError)
"""What decoding raises: not JSON, JSON of another shape, text that is not UTF-8."""

_EXCERPT = 200
_WORDS = 1000


class Unreadable(Exception):
    """An answer that is none; ``failure`` is what its reply says."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


def protocol(detail: str) -> Unreadable:
    """An answer that is not what the protocol says."""
    return Unreadable(Failure(kind="protocol", detail=detail))


def of_status(exchange: Exchange, target: str) -> Failure:
    """The failure that an HTTP status other than 200 is."""
    location = exchange.headers.get("location", "")
    if 300 <= exchange.status < 400 and location:
        words = f"moved to {location}; give the new address as base URL"
    else:
        words = _said_in(exchange.body) or excerpt(exchange.body, 300)
    head = f"HTTP {exchange.status} {exchange.reason}".rstrip()
    return Failure(
        kind="status",
        status=exchange.status,
        detail=f"{head} from {target}: {words}" if words else f"{head} from {target}",
        retry_after_s=retry_after_s(exchange.headers),
    )


def of_error(body: bytes) -> Failure | None:
    """The failure that an error object is, inside a stream or under status 200.

    ``None`` when ``body`` holds no error. A numeric ``code`` of 400 to 599 counts as HTTP status.
    """
    words = _said_in(body)
    if not words:
        return None
    status = _code(msgspec.json.decode(body))
    if status is None:
        return Failure(kind="protocol", detail=f"the service answered with an error: {words}")
    return Failure(kind="status", status=status, detail=f"error {status} in the answer: {words}")


def no_answer(document: bytes) -> Unreadable:
    """What to raise for JSON that holds no answer: an error object, or nothing that is known."""
    failure = of_error(document)
    if failure is not None:
        return Unreadable(failure)
    return protocol(f"JSON without an answer in it: {excerpt(document)}")


def excerpt(body: bytes, length: int = _EXCERPT) -> str:
    """The start of ``body`` as text on one line."""
    text = body[: 4 * length].decode("utf-8", "replace")
    return " ".join(text.split())[:length]


def retry_after_s(headers: dict[str, str]) -> float | None:
    """Seconds to wait as ``Retry-After`` asks, given in seconds or as a date; ``None`` without it.

    A date is taken against the response's own ``Date``, so clocks need not agree.
    """
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    if value.replace(".", "", 1).isdecimal():
        return float(value)
    until = _epoch_s(value)
    if until is None:
        return None
    now = _epoch_s(headers.get("date", ""))
    return max(0.0, until - (time.time() if now is None else now))


def _epoch_s(date: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(date).timestamp()
    except ValueError:
        return None


def _said_in(body: bytes) -> str:
    """The server's own words in a JSON body; empty when it is none or of no known shape."""
    try:
        words = _said(msgspec.json.decode(body))
    except UNDECODABLE:
        return ""
    return words if len(words) <= _WORDS else words[:_WORDS] + "…"


def _said(value: Json) -> str:
    """Words in the shapes that services use: OpenAI, FastAPI, TGI, Triton, MindIE."""
    match value:
        case {"error": str(words)} | {"detail": str(words)} | {"message": str(words)}:
            return words
        case {"error": dict(inner)} | {"detail": dict(inner)}:
            return _said(inner) or msgspec.json.encode(inner).decode()
        case {"detail": [*items]}:
            return "; ".join(_complaint(item) for item in items)
        case {"err_msg": str(words)}:
            return words
    return ""


def _complaint(item: Json) -> str:
    """One entry of FastAPI's validation list: where and what."""
    match item:
        case {"loc": [*place], "msg": str(words)}:
            return f"{'.'.join(map(str, place))}: {words}"
    return str(item)


def _code(value: Json) -> int | None:
    match value:
        case {"error": {"code": int(code)}} | {"code": int(code)} if 400 <= code <= 599:
            return code
    return None
