"""Whatever a service sends, asking it gives a reply: an answer or a failure, never an exception.

The documents are made of the names that the protocols use, with values of any type in any place.
"""

import asyncio
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from dialect_server import QUESTION, Answer, connected, event, serving
from steelyard.core import Reply

WORDS = """
    choices message delta content text reasoning tool_calls function name arguments id index
    finish_reason logprobs usage prompt_tokens completion_tokens model error detail code loc msg
    generated_text details generated_tokens token special text_output err_msg
"""
NAMES = st.sampled_from(WORDS.split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 600) | st.floats(0, 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
CHOICE = st.fixed_dictionaries(
    {"index": st.just(0)},
    optional={
        "delta": st.dictionaries(NAMES, VALUES, max_size=3),
        "message": st.dictionaries(NAMES, VALUES, max_size=3),
        "text": st.none() | st.text(max_size=3),
        "logprobs": VALUES,
    },
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4) | st.fixed_dictionaries(
    {"choices": st.lists(CHOICE, max_size=2)}, optional={"error": VALUES, "token": VALUES}
)
BACKENDS = ("openai_chat", "openai_completions", "tgi", "triton", "mindie")


def replies(answer: Answer) -> list[Reply]:
    """What every backend makes of ``answer``."""

    async def scenario() -> list[Reply]:
        found = []
        async with serving(answer) as server:
            for name in BACKENDS:
                async with connected(server.url, backend=name) as backend:
                    found.append(await backend.ask(QUESTION))
        return found

    return asyncio.run(scenario())


def well_formed(reply: Reply) -> bool:
    """A failure comes without text and with words; either goes through JSON unchanged."""
    stored = msgspec.json.decode(msgspec.json.encode(reply), type=Reply)
    said = (reply.text, reply.reasoning, reply.tool_calls)
    told = reply.failure is None or (bool(reply.failure.detail) and not any(said))
    return told and stored.failure == reply.failure and stored.text == reply.text


@settings(max_examples=100, deadline=None)
@given(DOCUMENTS, st.sampled_from([200, 400, 500]))
def test_any_document_gives_a_reply(document: dict[str, Any], status: int):
    answer = Answer((msgspec.json.encode(document),), status=status, framing="length")
    assert all(map(well_formed, replies(answer)))


@settings(max_examples=100, deadline=None)
@given(st.lists(DOCUMENTS | st.just("[DONE]"), max_size=4), st.sampled_from(["chunked", "cut"]))
def test_any_events_give_a_reply(documents: list[Any], framing: Any):
    answer = Answer([event(document) for document in documents] or [b"\n"], framing=framing)
    assert all(map(well_formed, replies(answer)))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=40), st.sampled_from(["text/event-stream", "application/json"]))
def test_any_bytes_give_a_reply(garbage: bytes, kind: str):
    answer = Answer((b"data: {" + garbage,), headers={"Content-Type": kind}, framing="length")
    assert all(map(well_formed, replies(answer)))
    answer = Answer((garbage,), headers={"Content-Type": kind}, framing="length")
    assert all(map(well_formed, replies(answer)))


def test_text_that_is_not_utf_8_is_a_protocol_failure():
    body = b'{"choices": [{"message": {"content": "\xff"}}]}'
    reply = replies(Answer((body,), framing="length"))[0]
    assert reply.failure is not None
    assert reply.failure.kind == "protocol"
    body = b'data: {"choices": [{"delta": {"content": "\xff"}}]}\n\n'
    reply = replies(Answer((body,)))[0]
    assert reply.failure is not None
    assert reply.failure.kind == "protocol"
