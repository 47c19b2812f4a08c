"""TGI, Triton and MindIE: what is sent and what is read, streamed and not.

- The prompt is all message texts joined by newlines; the output limit is ``max_new_tokens``.
- ``generated_text`` replaces what came before it (TGI, MindIE); ``text_output`` adds up (Triton).
- Token counts are read where the service gives them; unknown stays unknown.
"""

import asyncio
import uuid
from typing import Any

import pytest

from dialect_server import (
    QUESTION,
    Answer,
    connected,
    event,
    json_answer,
    serving,
    sse_answer,
    talk,
)
from steelyard.core import ConfigError, Message, Request, Sampling

PARAMETERS = {"temperature": 0.0, "max_new_tokens": 64}


def test_tgi_sends_inputs_and_reads_text_and_details():
    details = {"finish_reason": "length", "generated_tokens": 2, "seed": None, "tokens": []}
    answer = json_answer({"generated_text": "4 apples", "details": details})
    reply, server = talk(answer, backend="tgi")
    assert server.received[0].target == "/generate"
    assert server.received[0].body == {"inputs": "What is 2+2?", "parameters": PARAMETERS}
    assert (reply.text, reply.finish) == ("4 apples", "length")
    assert (reply.output_tokens, reply.prompt_tokens, reply.token_source) == (2, None, "usage")


def test_tgi_without_details_counts_nothing():
    reply, _ = talk(json_answer({"generated_text": "4"}), backend="tgi")
    assert (reply.text, reply.output_tokens, reply.token_source) == ("4", None, None)


def tgi_token(text: str, **more: Any) -> bytes:
    token = {"id": 1, "text": text, "logprob": -0.1, "special": False}
    token |= {"special": True} if text == "</s>" else {}
    return b"data:" + event({"index": 1, "token": token, **more})[6:]


def test_tgi_streams_tokens_and_the_whole_text_in_the_last_event():
    details = {"finish_reason": "eos_token", "generated_tokens": 3, "input_length": 5}
    pieces = [
        tgi_token("4", generated_text=None, details=None),
        tgi_token(" apples"),
        tgi_token("</s>", generated_text="4 apples", details=details),
    ]
    reply, server = talk(sse_answer(*pieces), backend="tgi", stream=True)
    assert server.received[0].target == "/generate_stream"
    assert (reply.text, reply.finish) == ("4 apples", "eos_token")
    assert (reply.prompt_tokens, reply.output_tokens) == (5, 3)
    assert len(reply.timing.gaps_us) == 2


def test_tgi_stream_without_its_last_event_is_broken():
    reply, _ = talk(sse_answer(tgi_token("4")), backend="tgi", stream=True)
    assert reply.failure is not None
    assert reply.failure.kind == "broken_stream"
    assert reply.text == ""


def test_tgi_errors_are_shown_before_and_inside_a_stream():
    error = {"error": "Input validation error: too long", "error_type": "validation"}
    reply, _ = talk(json_answer(error, 422), backend="tgi")
    assert reply.failure is not None
    assert (reply.failure.status, reply.failure.kind) == (422, "status")
    assert "too long" in reply.failure.detail
    reply, _ = talk(sse_answer(tgi_token("4"), event(error)), backend="tgi", stream=True)
    assert reply.failure is not None
    assert reply.failure.kind == "protocol"
    assert "too long" in reply.failure.detail


def test_mindie_streams_unless_told_otherwise():
    answer = json_answer({"generated_text": "4", "details": None})
    _, server = talk(answer, backend="mindie")
    assert server.received[0].target == "/infer"
    body = {"inputs": "What is 2+2?", "stream": True, "parameters": PARAMETERS}
    assert server.received[0].body == body
    _, server = talk(answer, backend="mindie", stream=False)
    assert server.received[0].body["stream"] is False


def mindie_token(text: str | None, **more: Any) -> bytes:
    return event(
        {"prefill_time": None, "decode_time": 16.8, "token": {"id": [7], "text": text}, **more}
    )


def test_mindie_last_event_holds_the_whole_text_and_with_it_the_last_token():
    details = {"finish_reason": "length", "generated_tokens": 3, "seed": 846930886}
    pieces = [
        mindie_token("4"),
        mindie_token(" app"),
        0.03,
        mindie_token(None, generated_text="4 apples", details=details),
    ]
    reply, _ = talk(sse_answer(*pieces), backend="mindie")
    assert (reply.text, reply.finish, reply.output_tokens) == ("4 apples", "length", 3)
    assert len(reply.timing.gaps_us) == 3
    assert reply.timing.gaps_us[2] >= 25_000


def test_mindie_without_details_is_an_answer_without_counts():
    pieces = [mindie_token("4"), mindie_token(None, generated_text="4", details=None)]
    reply, _ = talk(sse_answer(*pieces), backend="mindie")
    assert (reply.text, reply.finish, reply.output_tokens) == ("4", "", None)
    assert len(reply.timing.gaps_us) == 1


def test_mindie_text_that_grows_in_every_event_is_replaced():
    pieces = [mindie_token(None, generated_text=text) for text in ("4", "4 app", "4 apples")]
    reply, _ = talk(sse_answer(*pieces), backend="mindie")
    assert reply.text == "4 apples"
    assert len(reply.timing.gaps_us) == 3


def test_triton_sends_text_input_to_the_models_address():
    answer = json_answer({"model_name": "ens", "model_version": "1", "text_output": "4"})
    reply, server = talk(answer, backend="triton", model="ens")
    sent = server.received[0]
    assert sent.target == "/v2/models/ens/generate"
    assert uuid.UUID(sent.body.pop("id")).version == 4
    assert sent.body == {"text_input": "What is 2+2?", "parameters": PARAMETERS}
    assert (reply.text, reply.model, reply.finish, reply.output_tokens) == ("4", "ens", "", None)


def test_triton_requests_have_different_ids():
    answer = json_answer({"text_output": "4"})
    _, server = talk(answer, answer, backend="triton")
    first, second = (request.body["id"] for request in server.received)
    assert first != second


def test_triton_stream_adds_up_and_ends_with_the_message():
    pieces = [event({"model_name": "ens", "text_output": text}) for text in ("4", "", " apples")]
    reply, server = talk(sse_answer(*pieces), backend="triton", model="ens", stream=True)
    assert server.received[0].target == "/v2/models/ens/generate_stream"
    assert (reply.text, reply.model) == ("4 apples", "ens")
    assert len(reply.timing.gaps_us) == 2


def test_triton_error_inside_a_stream_is_a_failure():
    pieces = [event({"text_output": "4"}), event({"error": "request was cancelled"})]
    reply, _ = talk(sse_answer(*pieces), backend="triton", stream=True)
    assert reply.failure is not None
    assert reply.failure.kind == "protocol"
    assert "request was cancelled" in reply.failure.detail


@pytest.mark.parametrize("backend", ["tgi", "triton", "mindie"])
@pytest.mark.parametrize("answer", [json_answer({"other": 1}), sse_answer(event({"other": 1}))])
def test_json_without_an_answer_is_a_protocol_failure(backend: str, answer: Answer):
    reply, _ = talk(answer, backend=backend)
    assert reply.failure is not None
    assert reply.failure.kind == "protocol"
    assert "other" in reply.failure.detail


@pytest.mark.parametrize("backend", ["tgi", "triton", "mindie"])
def test_a_broken_stream_is_no_answer(backend: str):
    piece = {"token": {"text": "4"}, "generated_text": "4", "text_output": "4"}
    reply, _ = talk(sse_answer(event(piece), framing="cut"), backend=backend, stream=True)
    assert reply.failure is not None
    assert reply.failure.kind == "broken_stream"
    assert "after 1 characters" in reply.failure.detail


@pytest.mark.parametrize(
    ("backend", "path", "target"),
    [
        ("tgi", "/x/", "/x/generate"),
        ("tgi", "/x/generate", "/x/generate"),
        ("mindie", "/infer", "/infer"),
        ("triton", "/v2", "/v2/models/a%2Fb%20c/generate"),
        ("triton", "/x?key=1", "/x/v2/models/a%2Fb%20c/generate?key=1"),
    ],
)
def test_base_url_may_already_hold_the_endpoint_or_a_part_of_it(
    backend: str, path: str, target: str
):
    options = {"model": "a/b c"} if backend == "triton" else {"stream": False}
    answer = json_answer({"generated_text": "4", "text_output": "4"})
    reply, server = talk(answer, backend=backend, path=path, **options)
    assert server.received[0].target == target
    assert reply.text == "4"


@pytest.mark.parametrize("backend", ["openai_completions", "tgi", "triton", "mindie"])
def test_content_that_is_not_text_is_refused_rather_than_left_out(backend: str):
    parts = [{"type": "image_url", "image_url": {"url": "file:///x"}}]
    request = Request(key="7#0", messages=(Message("user", parts),), sampling=Sampling())

    async def scenario() -> None:
        async with (
            serving(json_answer({})) as server,
            connected(server.url, backend=backend) as opened,
        ):
            with pytest.raises(ConfigError, match=r"7#0.*'image_url'.*openai_chat"):
                await opened.ask(request)

    asyncio.run(scenario())


def test_one_connection_serves_many_requests():
    answer = json_answer({"generated_text": "4"})
    reply, server = talk(answer, answer, answer, backend="tgi")
    assert reply.text == "4"
    assert len(server.received) == 3
    assert len(server.connections) == 1


def test_triton_output_of_several_elements_is_joined():
    reply, _ = talk(json_answer({"text_output": ["4", " apples"]}), backend="triton")
    assert reply.text == "4 apples"


def test_without_a_limit_of_our_own_no_limit_is_sent():
    request = Request(key="k", messages=QUESTION.messages, sampling=Sampling(extra={"top_k": 1}))
    _, server = talk(json_answer({"generated_text": "4"}), request=request, backend="tgi")
    assert server.received[0].body["parameters"] == {"top_k": 1}
