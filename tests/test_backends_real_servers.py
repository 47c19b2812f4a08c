"""What three real servers send, and what we make of it: one test for every line of the findings.

The servers are ``transformers serve`` 5.23, vLLM 0.32 and the llama.cpp server of llama-cpp-python
0.3.36; the bytes below imitate their chat streams. Lines about installing them have no test.
"""

import asyncio
from typing import Any

import msgspec
import pytest

from dialect_server import (
    DONE,
    QUESTION,
    Answer,
    connected,
    event,
    json_answer,
    serving,
    sse_answer,
    talk,
)
from steelyard.core import Failure, Load, ModelLister, Request, Sampling, ServiceError

PATH = "/models/tiny-llama"


def transformers_stream(*words: str) -> list[bytes]:
    """Role without content or finish reason first, usage beside the last choice, no [DONE]."""

    def of(choice: dict[str, Any], **more: Any) -> bytes:
        head = {"id": "req_0", "object": "chat.completion.chunk", "model": f"{PATH}@main"}
        return event({**head, "choices": [{"index": 0, **choice}], **more})

    usage = {"prompt_tokens": 7, "completion_tokens": len(words), "total_tokens": 7 + len(words)}
    return [
        of({"delta": {"role": "assistant"}}),
        *(of({"delta": {"content": word}}) for word in words),
        of({"delta": {}, "finish_reason": "stop"}, usage=usage),
    ]


def vllm_stream(*words: str) -> list[bytes]:
    """Empty content and a handful of nulls first, usage in an event without choices, [DONE]."""

    def of(finish: str | None = None, **delta: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "m"}
        return event({**head, "choices": [{**choice, "token_ids": None}]})

    usage = {"prompt_tokens": 9, "completion_tokens": len(words), "total_tokens": 9 + len(words)}
    return [
        of(role="assistant", content=""),
        *(of(content=word) for word in words),
        of("stop", content=""),
        event({"id": "chatcmpl-1", "model": "m", "choices": [], "usage": usage}),
        DONE,
    ]


def llama_cpp_stream(*words: str, model: str = "m") -> list[bytes]:
    """Spaces after colons, ``logprobs: null`` in every event, never a usage, [DONE]."""

    def of(delta: str, finish: str = "null") -> bytes:
        choice = f'{{"index": 0, "delta": {delta}, "logprobs": null, "finish_reason": {finish}}}'
        return (
            f'data: {{"id": "chatcmpl-2", "model": "{model}", "choices": [{choice}]}}\n\n'.encode()
        )

    texts = (msgspec.json.encode(word).decode() for word in words)
    return [
        of('{"role": "assistant"}'),
        *(of(f'{{"content": {text}}}') for text in texts),
        of("{}", '"stop"'),
        DONE,
    ]


DIALECTS = {
    "transformers": transformers_stream("4", " apples"),
    "vllm": vllm_stream("4", " apples"),
    "llama.cpp": llama_cpp_stream("4", " apples"),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_first_event_with_a_role_only_is_no_content(name: str):
    role, *rest = DIALECTS[name]
    reply, _ = talk(sse_answer(role, 0.05, *rest), stream=True)
    assert reply.text == "4 apples"
    assert len(reply.timing.gaps_us) == 2
    assert reply.timing.gaps_us[0] >= 50_000


@pytest.mark.parametrize("name", DIALECTS)
def test_end_of_stream_is_done_or_the_end_of_the_message(name: str):
    assert (DONE in DIALECTS[name]) == (name != "transformers")
    reply, _ = talk(sse_answer(*DIALECTS[name]), stream=True)
    assert reply.failure is None
    assert (reply.text, reply.finish) == ("4 apples", "stop")


@pytest.mark.parametrize(
    ("name", "prompt_tokens", "output_tokens", "source"),
    [("transformers", 7, 2, "usage"), ("vllm", 9, 2, "usage"), ("llama.cpp", None, None, None)],
)
def test_usage_is_looked_for_in_every_event_and_unknown_when_none_has_it(
    name: str, prompt_tokens: int | None, output_tokens: int | None, source: str | None
):
    reply, _ = talk(sse_answer(*DIALECTS[name]), stream=True)
    assert (reply.prompt_tokens, reply.output_tokens) == (prompt_tokens, output_tokens)
    assert reply.token_source == source


def test_model_name_in_the_reply_is_kept_though_it_is_not_the_requested_one():
    reply, server = talk(sse_answer(*DIALECTS["transformers"]), stream=True, model=PATH)
    assert server.received[0].body["model"] == PATH
    assert reply.model == f"{PATH}@main"


def test_unknown_body_field_is_a_422_with_detail_and_no_error_object():
    detail = "Unexpected fields in the request: {'ignore_eos'}"
    reply, _ = talk(json_answer({"detail": detail}, status=422, reason="Unprocessable Entity"))
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.status) == ("status", 422)
    assert detail in reply.failure.detail


def test_logprobs_n_and_stream_options_may_be_silently_ignored():
    extra = {"logprobs": True, "n": 2}
    request = Request(key="k", messages=QUESTION.messages, sampling=Sampling(extra=extra))
    reply, server = talk(sse_answer(*DIALECTS["llama.cpp"]), request=request, stream=True)
    sent = server.received[0].body
    assert (sent["logprobs"], sent["n"]) == (True, 2)
    assert sent["stream_options"] == {"include_usage": True}
    assert reply.failure is None
    assert reply.logprobs is None


def test_logprobs_request_that_never_answers_is_a_timeout():
    async def scenario():
        load = Load(timeout_s=0.1)
        async with (
            serving(sse_answer(0.2, *DIALECTS["vllm"])) as server,
            connected(server.url, stream=True, load=load) as backend,
        ):
            return await backend.ask(QUESTION)

    reply = asyncio.run(scenario())
    assert reply.failure is not None
    assert reply.failure.kind == "timeout"


def test_logprobs_of_completions_with_echo_are_kept_as_given():
    logprobs = {
        "tokens": ["What", " is", " 4"],
        "token_logprobs": [None, -0.5, -0.1],
        "top_logprobs": [None, {" is": -0.5}, {" 4": -0.1}],
        "text_offset": [0, 4, 7],
    }
    document = {"choices": [{"text": "What is 4", "logprobs": logprobs, "finish_reason": "stop"}]}
    extra = {"echo": True, "logprobs": 1}
    request = Request(key="k", messages=QUESTION.messages, sampling=Sampling(extra=extra))
    reply, server = talk(json_answer(document), request=request, backend="openai_completions")
    assert server.received[0].body["echo"] is True
    assert reply.logprobs == logprobs


def test_stop_is_sent_and_a_server_that_ignores_it_is_taken_at_its_word():
    extra = {"stop": [" apples"]}
    request = Request(key="k", messages=QUESTION.messages, sampling=Sampling(extra=extra))
    reply, server = talk(sse_answer(*DIALECTS["transformers"]), request=request, stream=True)
    assert server.received[0].body["stop"] == [" apples"]
    assert reply.text == "4 apples"


def listed(answer: Answer, **options: Any) -> tuple[str, ...]:
    async def scenario() -> tuple[str, ...]:
        async with serving(answer) as server, connected(server.url, **options) as backend:
            assert isinstance(backend, ModelLister)
            names = await backend.models()
            assert [request.target for request in server.received] == ["/v1/models"]
            return names

    return asyncio.run(scenario())


def test_v1_models_that_answers_500_is_an_error_that_says_how_to_go_on():
    answer = Answer((b"Internal Server Error",), status=500, framing="length")
    with pytest.raises(ServiceError, match=r"HTTP 500.*Internal Server Error.*--model"):
        listed(answer)


def test_v1_models_with_an_empty_list_is_an_error_that_says_how_to_go_on():
    with pytest.raises(ServiceError, match=r"lists no model; give its name with --model"):
        listed(json_answer({"object": "list", "data": []}))


def test_v1_models_gives_the_served_names_in_order():
    models = [{"id": "a", "object": "model"}, {"id": "b", "object": "model"}]
    assert listed(json_answer({"object": "list", "data": models})) == ("a", "b")


def test_discovery_is_no_precondition_when_a_name_is_given():
    reply, server = talk(sse_answer(*DIALECTS["transformers"]), stream=True, model=PATH)
    assert reply.failure is None
    assert [request.target for request in server.received] == ["/v1/chat/completions"]


@pytest.mark.parametrize("status", [400, 404])
def test_wrong_model_is_a_status_failure_in_the_servers_words(status: int):
    error = {"message": "The model `x` does not exist.", "type": "NotFoundError", "code": status}
    reply, _ = talk(json_answer({"error": error}, status=status), model="x")
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.status) == ("status", status)
    assert "The model `x` does not exist." in reply.failure.detail


def test_wrong_model_may_be_accepted_and_named_in_the_reply():
    reply, _ = talk(sse_answer(*llama_cpp_stream("4", model="x")), stream=True, model="x")
    assert (reply.text, reply.model) == ("4", "x")


OPENAI_ERROR = {"message": "too hot", "type": "BadRequestError", "param": None, "code": 400}
TOO_LONG = {
    "message": "context is 64 tokens",
    "code": "context_length_exceeded",
    "param": "messages",
}
INVALID = {"loc": ["body", "messages"], "msg": "Field required", "type": "missing"}


@pytest.mark.parametrize(
    ("status", "document", "words"),
    [
        (400, {"detail": "messages must not be empty"}, "messages must not be empty"),
        (422, {"detail": [INVALID]}, "body.messages: Field required"),
        (400, {"error": OPENAI_ERROR}, "too hot"),
        (400, {"error": TOO_LONG}, "context is 64 tokens"),
    ],
)
def test_errors_of_every_shape_are_shown_in_the_servers_words(
    status: int, document: Any, words: str
):
    reply, _ = talk(json_answer(document, status=status, reason="No"))
    assert reply.failure == Failure(
        kind="status",
        status=status,
        detail=f"HTTP {status} No from /v1/chat/completions: {words}",
    )


@pytest.mark.parametrize("name", DIALECTS)
def test_several_events_per_read_have_one_clock_reading(name: str):
    reply, _ = talk(sse_answer(b"".join(DIALECTS[name])), stream=True)
    first, second = reply.timing.gaps_us
    assert reply.text == "4 apples"
    assert first > 0
    assert second == 0


def test_a_stream_cut_by_another_request_is_a_broken_stream_and_no_answer():
    reply, _ = talk(sse_answer(*DIALECTS["llama.cpp"][:3], framing="cut"), stream=True)
    assert reply.failure is not None
    assert reply.failure.kind == "broken_stream"
    assert "after 8 characters of text" in reply.failure.detail
    assert reply.text == ""
