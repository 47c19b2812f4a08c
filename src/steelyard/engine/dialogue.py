"""The next turn of a dialogue: a pure function of the turn before it and its reply."""

from msgspec.structs import replace

from steelyard.core import Message, Reply, Request


def next_turn(request: Request, reply: Reply) -> Request | None:
    """What is asked after ``reply``; ``None`` when nothing follows or the turn failed.

    The history ends with the model's own answer (without reasoning), or with the data's answer
    where the request brings one (``given``).
    """
    if not request.then or reply.failure is not None:
        return None
    turn, *rest = request.then
    answer = reply.text if request.given is None else request.given
    return replace(
        request,
        key=_following(request.key),
        messages=(
            *request.messages,
            Message("assistant", answer),
            Message("user", turn.question),
        ),
        sampling=replace(request.sampling, max_tokens=turn.max_tokens),
        then=tuple(rest),
        given=turn.given,
        due_ms=None,
    )


def turn_number(key: str) -> int:
    """Which turn of its dialogue the request called ``key`` is, from 0."""
    return int(key.rpartition("#")[2].partition(".")[2] or 0)


def _following(key: str) -> str:
    sample, _, place = key.rpartition("#")
    return f"{sample}#{place.partition('.')[0]}.{turn_number(key) + 1}"
