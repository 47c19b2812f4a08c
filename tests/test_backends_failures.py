"""What is no answer: a failure with the service's own words, never a text.

- A message that broke, or a stream that merely stopped, is a broken stream.
- An error object is a failure wherever it stands; a numeric code in it is an HTTP status.
- Anything that is not the protocol is quoted.
"""

import asyncio
from typing import Any

import pytest

from dialect_server import (
    DONE,
    QUESTION,
    Answer,
    connected,
    delta,
    event,
    json_answer,
    serving,
    sse_answer,
    talk,
)
from steelyard.core import Failure, ServiceError


def failure_of(answer: Answer, **options: Any) -> Failure:
    reply, _ = talk(answer, **options)
    assert reply.failure is not None
    assert (reply.text, reply.timing.gaps_us) == ("", ())
    return reply.failure


def test_a_stream_without_done_and_finish_reason_is_broken():
    failure = failure_of(sse_answer(delta(content="2+2 is")), stream=True)
    assert failure.kind == "broken_stream"
    assert "ended without finish reason" in failure.detail
    assert "6 characters" in failure.detail


def test_a_broken_message_is_no_answer_even_behind_a_finish_reason():
    pieces = [delta(content="4"), delta("stop")]
    failure = failure_of(sse_answer(*pieces, framing="cut"), stream=True)
    assert failure.kind == "broken_stream"
    assert "after 1 characters of text" in failure.detail


def test_a_message_broken_in_mid_event_counts_the_text_before_it():
    pieces = [delta(content="2+2 is"), b'data: {"choices": [{"del']
    failure = failure_of(sse_answer(*pieces, framing="cut"), stream=True)
    assert failure.kind == "broken_stream"
    assert "after 6 characters of text" in failure.detail


def test_a_whole_reply_that_broke_is_a_broken_stream():
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
    failure = failure_of(Answer((head + b'{"choices": [',), framing="raw"))
    assert failure.kind == "broken_stream"
    assert "13 of 100 bytes" in failure.detail


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [
        ({"error": {"message": "out of memory", "type": "x", "code": 500}}, "status", 500),
        ({"error": {"message": "out of memory", "code": "server_error"}}, "protocol", None),
        ({"error": "out of memory"}, "protocol", None),
        ({"object": "error", "message": "out of memory", "code": 503}, "status", 503),
        ({"detail": "out of memory"}, "protocol", None),
    ],
)
def test_an_error_object_in_a_stream_is_a_failure_in_the_services_words(
    error: dict[str, Any], kind: str, status: int | None
):
    pieces = [delta(content="2+2"), b"event: error\n" + event(error), DONE]
    failure = failure_of(sse_answer(*pieces), stream=True)
    assert (failure.kind, failure.status) == (kind, status)
    assert "out of memory" in failure.detail


def test_an_error_object_followed_by_a_broken_message_is_still_the_reason():
    pieces = [delta(content="2+2"), event({"error": {"message": "out of memory", "code": 500}})]
    failure = failure_of(sse_answer(*pieces, framing="cut"), stream=True)
    assert (failure.kind, failure.status) == ("status", 500)
    assert "out of memory" in failure.detail


def test_an_error_object_under_status_200_is_a_failure():
    failure = failure_of(json_answer({"error": {"message": "busy", "code": 429}}))
    assert (failure.kind, failure.status) == ("status", 429)
    assert "busy" in failure.detail


def test_a_reply_without_choices_is_a_protocol_failure():
    failure = failure_of(json_answer({"id": "x", "choices": []}))
    assert failure.kind == "protocol"
    assert '{"id":"x","choices":[]}' in failure.detail


def test_a_stream_without_choices_is_a_protocol_failure():
    failure = failure_of(sse_answer(event({"choices": []}), DONE), stream=True)
    assert failure.kind == "protocol"


@pytest.mark.parametrize("stream", [False, True])
def test_a_page_instead_of_json_is_a_protocol_failure_that_quotes_its_start(stream: bool):
    page = b"<html>\n  <body>" + b"log in " * 100
    headers = {"Content-Type": "text/html"}
    failure = failure_of(Answer((page,), headers=headers, framing="length"), stream=stream)
    assert failure.kind == "protocol"
    quoted = failure.detail[failure.detail.index("<html>") :]
    assert quoted.startswith("<html> <body>log in log in")
    assert len(quoted) == 200


def test_an_event_that_is_not_json_is_a_protocol_failure_that_numbers_it():
    failure = failure_of(sse_answer(delta(content="4"), b"data: oops\n\n", DONE), stream=True)
    assert failure.kind == "protocol"
    assert "event 2" in failure.detail
    assert failure.detail.endswith(": oops")


def test_json_of_another_shape_is_a_protocol_failure_that_says_where():
    failure = failure_of(json_answer({"choices": [{"message": {"content": 4}}]}))
    assert failure.kind == "protocol"
    assert "$.choices[0].message.content" in failure.detail


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "text/event-stream"}])
def test_an_empty_answer_is_a_protocol_failure(headers: dict[str, str]):
    failure = failure_of(Answer((), headers=headers, framing="length"), stream=True)
    assert failure.kind == "protocol"


def test_an_error_that_is_not_json_is_quoted_on_one_line_up_to_300_characters():
    page = Answer((b"<h1>Bad\n Gateway</h1>" + b"x" * 400,), 502, "Bad Gateway", framing="length")
    failure = failure_of(page)
    assert (failure.kind, failure.status) == ("status", 502)
    head = "HTTP 502 Bad Gateway from /v1/chat/completions: "
    assert failure.detail.startswith(head + "<h1>Bad Gateway</h1>xxx")
    assert len(failure.detail) == len(head) + 300


def test_a_redirect_names_the_new_address():
    headers = {"Location": "https://elsewhere/v1"}
    failure = failure_of(Answer((), 308, "Permanent Redirect", headers, framing="length"))
    assert "moved to https://elsewhere/v1" in failure.detail


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": "0.5"}, 0.5),
        (
            {
                "Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT",
                "Date": "Wed, 21 Oct 2015 07:28:00 GMT",
            },
            30.0,
        ),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:30 GMT"}, 0.0),
        ({"Retry-After": "soon"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_date(headers: dict[str, str], seconds: float | None):
    failure = failure_of(json_answer({}, 429, reason="Too Many Requests", headers=headers))
    assert failure.retry_after_s == seconds


def test_a_key_that_the_service_quotes_is_blotted_out(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("DEMO_KEY", "sk-secret")
    error = {"message": "Incorrect API key provided: sk-secret"}
    failure = failure_of(json_answer({"error": error}, 401), api_key_env="DEMO_KEY")
    assert "sk-secret" not in failure.detail
    assert "Incorrect API key provided" in failure.detail


def test_a_refused_connection_is_a_failure_and_a_clear_error_of_the_model_list():
    async def scenario() -> Failure | None:
        async with serving(json_answer({})) as server:
            url = server.url
        async with connected(url) as backend:
            with pytest.raises(ServiceError, match="which models it serves"):
                await backend.models()
            return (await backend.ask(QUESTION)).failure

    failure = asyncio.run(scenario())
    assert failure is not None
    assert failure.kind == "refused"


def test_a_model_list_that_is_none_is_an_error_that_quotes_it():
    async def scenario() -> None:
        answer = json_answer({"models": []})
        async with serving(answer) as server, connected(server.url) as backend:
            with pytest.raises(ServiceError, match=r'no model list.*\{"models":\[\]\}.*--model'):
                await backend.models()

    asyncio.run(scenario())


def test_a_model_list_that_does_not_come_within_five_seconds_is_given_up():
    async def scenario() -> float:
        async with serving(Answer((30.0,))) as server, connected(server.url) as backend:
            began = asyncio.get_running_loop().time()
            with pytest.raises(
                ServiceError, match=r"no answer from /v1/models within 5 s.*--model"
            ):
                await backend.models()
            return asyncio.get_running_loop().time() - began

    assert 4.9 < asyncio.run(scenario()) < 10
