"""The OpenAI protocols: what is sent.

- The user's parameters win over the body's own fields, except the output limit and the model.
- Parameters with a meaning of their own for the evaluation stay here.
- The base URL may be the bare service, the versioned root or the endpoint itself.
"""

from typing import Any

import pytest

from dialect_server import (
    QUESTION,
    json_answer,
    message,
    talk,
)
from steelyard.core import Message, Request, Sampling


def asking(**extra: Any) -> Request:
    sampling = Sampling(max_tokens=64, extra=extra)
    return Request(key="k", messages=QUESTION.messages, sampling=sampling)


def test_chat_body_holds_messages_parameters_limit_and_model():
    _, server = talk(json_answer(message(content="4")), model="m7")
    assert server.received[0].method == "POST"
    assert server.received[0].headers["content-type"] == "application/json"
    assert server.received[0].body == {
        "messages": [{"role": "user", "content": "What is 2+2?"}],
        "stream": False,
        "temperature": 0.0,
        "max_tokens": 64,
        "model": "m7",
    }


def test_streaming_asks_for_usage_and_none_is_sent_as_null():
    _, server = talk(json_answer(message(content="4")), request=asking(seed=None), stream=True)
    sent = server.received[0].body
    assert sent["stream"] is True
    assert sent["stream_options"] == {"include_usage": True}
    assert sent["seed"] is None


def test_parameters_win_over_body_fields_but_not_over_limit_and_model():
    extra = {"stream_options": {"x": 1}, "max_tokens": 1, "model": "other", "messages": []}
    _, server = talk(
        json_answer(message(content="4")), request=asking(**extra), model="m7", stream=True
    )
    sent = server.received[0].body
    assert sent["stream_options"] == {"x": 1}
    assert sent["messages"] == []
    assert (sent["max_tokens"], sent["model"]) == (64, "m7")


def test_without_limit_of_our_own_the_service_decides_or_the_parameters_do():
    def sent(**extra: Any) -> dict[str, Any]:
        request = Request(key="k", messages=QUESTION.messages, sampling=Sampling(extra=extra))
        _, server = talk(json_answer(message(content="4")), request=request)
        return server.received[0].body

    assert "max_tokens" not in sent()
    assert sent(max_tokens=5)["max_tokens"] == 5


def test_arguments_that_are_ours_are_not_forwarded():
    request = asking(num_return_sequences=5, lora_data_map_file="/x.json", top_p=0.9)
    _, server = talk(json_answer(message(content="4")), request=request)
    sent = server.received[0].body
    assert sent.keys() == {"messages", "stream", "top_p", "max_tokens", "model"}


def test_content_parts_and_tools_go_out_as_they_are():
    parts = [
        {"type": "text", "text": "?"},
        {"type": "image_url", "image_url": {"url": "file:///x"}},
    ]
    tools = ({"type": "function", "function": {"name": "f"}},)
    request = Request(key="k", messages=(Message("user", parts),), sampling=Sampling(), tools=tools)
    _, server = talk(json_answer(message(content="4")), request=request)
    sent = server.received[0].body
    assert sent["messages"] == [{"role": "user", "content": parts}]
    assert sent["tools"] == list(tools)


def test_completions_prompt_is_all_message_texts_joined_by_newlines():
    parts = [{"type": "text", "text": "b"}, {"type": "text", "text": "c"}]
    request = Request(
        key="k",
        messages=(Message("system", "a"), Message("user", parts), Message("user", "d")),
        sampling=Sampling(max_tokens=3),
    )
    answer = json_answer({"choices": [{"text": "e", "finish_reason": "length"}]})
    reply, server = talk(answer, request=request, backend="openai_completions")
    assert server.received[0].target == "/v1/completions"
    assert server.received[0].body == {
        "prompt": "a\nb\nc\nd",
        "stream": False,
        "max_tokens": 3,
        "model": "m",
    }
    assert (reply.text, reply.finish) == ("e", "length")


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("", "/v1/chat/completions"),
        ("/x/y", "/x/y/v1/chat/completions"),
        ("/x/v1", "/x/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("/api/v3", "/api/v3/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/x/chat/completions/", "/x/chat/completions"),
        ("/x?api-version=1", "/x/v1/chat/completions?api-version=1"),
        ("/v1x", "/v1x/v1/chat/completions"),
    ],
)
def test_base_url_may_already_hold_version_or_endpoint(path: str, target: str):
    _, server = talk(json_answer(message(content="4")), path=path)
    assert server.received[0].target == target


def test_without_a_name_the_service_chooses_the_model():
    _, server = talk(json_answer(message(content="4")), model="")
    assert "model" not in server.received[0].body
