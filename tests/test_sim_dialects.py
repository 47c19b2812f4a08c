"""Servers that all speak "the OpenAI protocol", each with the oddities that were seen on it.

One test per oddity: a client that is tested against these has met them before its users do.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from sim_client import (
    CHAT,
    TEXT,
    chat,
    connected,
    content,
    get,
    post,
    request_bytes,
    stats,
    streamed,
    until_closed,
)
from sim_process import serving
from steelyard.sim import Answer, Answers, SimOptions, counts, times

QUESTION = "Wie heißt das?"
RIGHT = "Größe: drei, vier."
ANSWERS = Answers((Answer(question=QUESTION, right=RIGHT, wrong="-"),))
WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}


@contextmanager
def speaking(dialect: str, **more: Any) -> Iterator[str]:
    with serving(SimOptions(dialect=dialect, **more), ANSWERS) as url:
        yield url


def first_choice(dialect: str) -> dict[str, Any]:
    with speaking(dialect) as url:
        return post(url, CHAT, chat(QUESTION, stream=True)).events[0]["choices"][0]


def test_first_event_of_a_chat_stream() -> None:
    nulls = {"logprobs": None, "finish_reason": None}
    both = {"role": "assistant", "content": ""}
    assert first_choice("openai") == {"index": 0, "delta": both, **nulls}
    assert first_choice("vllm") == {"index": 0, "delta": both, **nulls, "token_ids": None}
    assert first_choice("transformers") == {"index": 0, "delta": {"role": "assistant"}}
    assert first_choice("llamacpp") == {"index": 0, "delta": {"role": "assistant"}, **nulls}
    delta = {**both, "reasoning_content": None, "tool_calls": None}
    assert first_choice("sglang") == {"index": 0, "delta": delta, **nulls, "matched_stop": None}


@pytest.mark.parametrize("dialect", ["openai", "vllm", "transformers", "llamacpp", "sglang"])
@pytest.mark.parametrize("path", [CHAT, TEXT])
def test_every_dialect_carries_the_same_text(dialect: str, path: str) -> None:
    body = chat(QUESTION) if path == CHAT else {"prompt": QUESTION}
    with speaking(dialect) as url:
        whole = post(url, path, body).json["choices"][0]
        events = post(url, path, {**body, "stream": True}).events
    if path == CHAT:
        assert whole["message"]["content"] == streamed(events) == RIGHT
    else:
        choices = [choice for event in events if event != "[DONE]" for choice in event["choices"]]
        assert whole["text"] == "".join(choice["text"] for choice in choices) == RIGHT
    assert whole["finish_reason"] == "stop"


def last_events(dialect: str) -> list[Any]:
    with speaking(dialect) as url:
        return post(url, CHAT, chat(QUESTION, **WITH_USAGE)).events[-3:]


def test_usage_has_its_own_event_or_rides_along_or_never_comes() -> None:
    for dialect in ("openai", "vllm", "sglang"):
        finish, usage, done = last_events(dialect)
        assert finish["choices"][0]["finish_reason"] == "stop"
        assert usage["choices"] == []
        assert usage["usage"]["completion_tokens"] == 9
        assert done == "[DONE]"
    *_, finish, done = last_events("llamacpp")
    assert "usage" not in finish
    assert done == "[DONE]"


def test_transformers_just_ends_and_puts_usage_into_the_last_choice_unasked() -> None:
    with speaking("transformers") as url:
        *before, last = post(url, CHAT, chat(QUESTION, stream=True)).events
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["usage"]["completion_tokens"] == 9
    assert all("finish_reason" not in event["choices"][0] for event in before)


def test_the_model_name_in_the_reply() -> None:
    with speaking("transformers", model="tiny") as url:
        assert post(url, CHAT, chat(QUESTION, model="tiny")).json["model"] == "tiny@main"
    with speaking("llamacpp", model="tiny") as url:
        assert post(url, CHAT, chat(QUESTION, model="other")).json["model"] == "other"


@pytest.mark.parametrize(
    ("dialect", "status"),
    [("openai", 200), ("vllm", 404), ("transformers", 400), ("llamacpp", 200), ("sglang", 200)],
)
def test_a_wrong_model_name(dialect: str, status: int) -> None:
    with speaking(dialect) as url:
        assert post(url, CHAT, chat(QUESTION, model="wrong")).status == status
        assert post(url, CHAT, chat(QUESTION, model="steelyard-sim")).status == 200


def test_an_unknown_body_field_is_refused_by_transformers_only() -> None:
    for dialect in ("openai", "vllm", "llamacpp", "sglang"):
        with speaking(dialect) as url:
            assert post(url, CHAT, chat(QUESTION, ignore_eos=False)).status == 200
    with speaking("transformers") as url:
        got = post(url, CHAT, chat(QUESTION, ignore_eos=False, temperature=0))
    assert got.status == 422
    assert got.json.keys() == {"detail"}
    assert "ignore_eos" in got.json["detail"]
    assert "temperature" not in got.json["detail"]


def test_fields_of_the_interface_are_accepted_and_ignored_by_transformers() -> None:
    with speaking("transformers") as url:
        body = chat(QUESTION, n=2, logprobs=True, stream_options={"include_usage": True})
        assert len(post(url, CHAT, body).json["choices"]) == 1


def test_the_shape_of_errors() -> None:
    bodies = {}
    for dialect in ("openai", "vllm", "transformers", "sglang"):
        with speaking(dialect, strict_model=True) as url:
            bodies[dialect] = post(url, CHAT, chat(QUESTION, model="wrong")).json
    assert bodies["openai"]["error"]["type"] == "not_found_error"
    assert bodies["vllm"]["error"]["type"] == "NotFoundError"
    assert bodies["vllm"]["error"]["code"] == 404
    assert bodies["transformers"].keys() == {"detail"}
    assert bodies["sglang"]["object"] == "error"
    assert bodies["sglang"]["code"] == 404


def test_a_prompt_that_is_too_long_has_its_own_code() -> None:
    with speaking("llamacpp", context_tokens=20) as url:
        assert post(url, CHAT, chat(QUESTION, max_tokens=10)).status == 200
        got = post(url, CHAT, chat(QUESTION, max_tokens=17))
    assert got.status == 400
    assert got.json["error"]["code"] == "context_length_exceeded"


def test_a_stop_string_stays_in_the_text_of_transformers() -> None:
    texts = {}
    for dialect in ("vllm", "transformers", "sglang"):
        with speaking(dialect) as url:
            reply = post(url, CHAT, chat(QUESTION, stop=":")).json
            texts[dialect] = (content(reply), reply["choices"][0])
    assert texts["vllm"][0] == "Größe"
    assert texts["vllm"][1]["stop_reason"] == ":"
    assert texts["transformers"][0] == "Größe:"
    assert texts["sglang"][1]["matched_stop"] == ":"


def test_the_model_list_of_transformers_is_empty() -> None:
    with speaking("transformers") as url:
        assert get(url, "/v1/models").json == {"object": "list", "data": []}
    with speaking("transformers", models_page="error") as url:
        got = get(url, "/v1/models")
        assert got.status == 500
        assert got.json.keys() == {"detail"}
    with speaking("vllm") as url:
        assert [model["id"] for model in get(url, "/v1/models").json["data"]] == ["steelyard-sim"]


def test_llamacpp_writes_blanks_and_escapes() -> None:
    with speaking("llamacpp") as url:
        body = post(url, CHAT, chat(QUESTION, stream=True)).body
    assert b'"choices": [{"index": 0, "delta": {"content": "Gr' in body
    assert b"\\u00f6" in body
    assert "ö".encode() not in body


def test_a_new_request_cuts_the_running_stream_of_llamacpp() -> None:
    options = {"itl": times("20ms"), "tokens": counts("200")}
    with speaking("llamacpp", **options) as url, connected(url) as plug:
        plug.sendall(request_bytes(CHAT, chat("x", stream=True)))
        assert plug.recv(1)
        assert post(url, CHAT, chat(QUESTION, max_tokens=1)).status == 200
        cut, was_reset = until_closed(plug)
        assert not was_reset
        assert b"[DONE]" not in cut
        assert not cut.endswith(b"0\r\n\r\n")
        assert stats(url)["outcomes"] == {"cut": 1, "answered": 1}


def test_llamacpp_can_be_told_to_keep_streams() -> None:
    options = {"itl": times("10ms"), "tokens": counts("20"), "keep_streams": True}
    with speaking("llamacpp", **options) as url, connected(url) as plug:
        plug.sendall(request_bytes(CHAT, chat("x", stream=True)))
        assert plug.recv(1)
        post(url, CHAT, chat(QUESTION, max_tokens=1))
        got = b""
        while not got.endswith(b"0\r\n\r\n"):
            got += plug.recv(65536)
        assert b"[DONE]" in got


def test_vllm_writes_several_events_at_once() -> None:
    with (
        speaking("vllm", itl=times("30ms"), tokens=counts("8")) as url,
        connected(url) as plug,
    ):
        plug.sendall(request_bytes(CHAT, chat("x", stream=True)))
        reads = []
        while not reads or not reads[-1].endswith(b"0\r\n\r\n"):
            reads.append(plug.recv(65536))
    tokens = [len(re.findall(rb'"content":"[^"]', read)) for read in reads]
    assert sum(tokens) == 8
    assert all(n % 2 == 0 for n in tokens)
