"""The protocols that the simulated endpoint speaks.

- OpenAI chat and text completions, TGI, Triton and MindIE, each whole and streamed.
- A stream carries the same text as the whole reply, and every response says it is a simulation.
- Output limits, stop strings and reasoning work as on a real server.
"""

from collections.abc import Iterator

import pytest

from sim_client import CHAT, TEXT, Got, chat, content, get, post, streamed
from sim_process import serving
from steelyard.sim import Answer, Answers, SimOptions, counts

QUESTION = "How many legs do three spiders have?"
RIGHT = "Eight each, so the answer is 24."
ANSWERS = Answers((Answer(question=QUESTION, right=RIGHT, wrong="It is 25."),))
TRITON = "/v2/models/some-model/generate"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(SimOptions(), ANSWERS) as address:
        yield address


def test_a_chat_completion_has_text_finish_and_usage(url: str) -> None:
    reply = post(url, CHAT, chat(QUESTION, model="m")).json
    assert content(reply) == RIGHT
    assert reply["object"] == "chat.completion"
    assert reply["model"] == "m"
    assert reply["system_fingerprint"] == "steelyard-sim"
    assert reply["choices"][0]["finish_reason"] == "stop"
    usage = reply["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == 9


def test_a_chat_stream_carries_role_tokens_finish_usage_and_done(url: str) -> None:
    body = chat(QUESTION, stream=True, stream_options={"include_usage": True})
    got = post(url, CHAT, body)
    events = got.events
    assert got.headers["content-type"].startswith("text/event-stream")
    assert events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert streamed(events) == RIGHT
    assert events[-3]["choices"][0]["finish_reason"] == "stop"
    assert events[-2]["choices"] == []
    assert events[-2]["usage"]["completion_tokens"] == len(events) - 4
    assert events[-1] == "[DONE]"


def test_a_chat_stream_without_the_wish_has_no_usage(url: str) -> None:
    events = post(url, CHAT, chat(QUESTION, stream=True)).events
    assert not any("usage" in event for event in events if event != "[DONE]")


def test_content_parts_are_read_as_text(url: str) -> None:
    parts = [
        {"type": "image_url", "image_url": {"url": "data:"}},
        {"type": "text", "text": QUESTION},
    ]
    reply = post(url, CHAT, {"messages": [{"role": "user", "content": parts}]}).json
    assert content(reply) == RIGHT


def test_text_completions_whole_and_streamed_agree(url: str) -> None:
    whole = post(url, TEXT, {"prompt": QUESTION}).json
    assert whole["object"] == "text_completion"
    assert whole["choices"][0]["text"] == RIGHT
    events = post(url, TEXT, {"prompt": [QUESTION], "stream": True}).events
    assert "".join(event["choices"][0]["text"] for event in events[:-1]) == RIGHT
    assert events[-2]["choices"][0]["finish_reason"] == "stop"


def test_tgi_gives_the_text_and_details_on_request(url: str) -> None:
    assert post(url, "/generate", {"inputs": QUESTION}).json == {"generated_text": RIGHT}
    detailed = post(url, "/generate", {"inputs": QUESTION, "parameters": {"details": True}}).json
    assert detailed["details"]["finish_reason"] == "eos_token"
    assert detailed["details"]["generated_tokens"] == 9


def test_a_tgi_stream_ends_with_the_whole_text(url: str) -> None:
    body = {"inputs": QUESTION, "parameters": {"details": True, "max_new_tokens": 4}}
    got = post(url, "/generate_stream", body)
    assert got.body.startswith(b"data:{")
    events = got.events
    assert "".join(event["token"]["text"] for event in events) == "Eight each, so"
    assert [event["generated_text"] for event in events] == [None, None, None, "Eight each, so"]
    assert events[-1]["details"]["finish_reason"] == "length"
    assert events[0]["details"] is None


def test_triton_names_the_model_of_its_path(url: str) -> None:
    reply = post(url, TRITON, {"id": "7", "text_input": QUESTION}).json
    assert reply == {
        "id": "7", "model_name": "some-model", "model_version": "1", "text_output": RIGHT
    }  # fmt: skip


@pytest.mark.parametrize("path", [TRITON, "/v2/models/some-model/versions/1/generate"])
def test_a_triton_stream_appends(url: str, path: str) -> None:
    body = {"text_input": QUESTION, "parameters": {"max_new_tokens": 4}}
    events = post(url, f"{path}_stream", body).events
    assert [event["text_output"] for event in events] == ["Eight", " each", ",", " so"]


def test_mindie_whole_and_streamed_agree(url: str) -> None:
    whole = post(url, "/infer", {"inputs": QUESTION}).json
    assert whole["generated_text"] == RIGHT
    assert whole["details"]["generated_tokens"] == 9
    events = post(url, "/infer", {"inputs": QUESTION, "stream": True}).events
    assert "".join(event["token"]["text"] or "" for event in events) == RIGHT.removesuffix(".")
    assert events[-1]["generated_text"] == RIGHT
    assert events[0]["prefill_time"] is not None
    assert events[0]["decode_time"] is None


def test_the_model_list_health_and_metrics_answer(url: str) -> None:
    assert [model["id"] for model in get(url, "/v1/models").json["data"]] == ["steelyard-sim"]
    assert get(url, "/health").json["status"] == "ok"
    post(url, CHAT, chat(QUESTION))
    metrics = get(url, "/metrics").body.decode()
    assert 'steelyard_sim_requests_total{path="/v1/chat/completions"}' in metrics


def every_kind_of_response(url: str) -> list[Got]:
    return [
        post(url, CHAT, chat(QUESTION)),
        post(url, CHAT, chat(QUESTION, stream=True)),
        post(url, TRITON, {"text_input": QUESTION}),
        post(url, CHAT, b"not json"),
        get(url, "/v1/models"),
        get(url, "/nowhere"),
        get(url, "/metrics"),
    ]


def test_every_response_says_it_is_a_simulation(url: str) -> None:
    for got in every_kind_of_response(url):
        assert got.headers["server"] == "steelyard-sim"
        assert got.headers["x-simulated"] == "true"


def test_max_tokens_cuts_and_says_so(url: str) -> None:
    reply = post(url, CHAT, chat(QUESTION, max_tokens=3)).json
    assert content(reply) == "Eight each,"
    assert reply["choices"][0]["finish_reason"] == "length"
    assert reply["usage"]["completion_tokens"] == 3
    exact = post(url, CHAT, chat(QUESTION, max_completion_tokens=9)).json
    assert exact["choices"][0]["finish_reason"] == "stop"


def test_a_stop_string_ends_the_answer(url: str) -> None:
    reply = post(url, CHAT, chat(QUESTION, stop=["24", " so"])).json
    assert content(reply) == "Eight each,"
    assert reply["choices"][0]["finish_reason"] == "stop"
    events = post(url, CHAT, chat(QUESTION, stop=" so", stream=True)).events
    assert streamed(events) == "Eight each,"


def test_a_stop_string_at_the_very_start_leaves_an_empty_answer(url: str) -> None:
    assert content(post(url, CHAT, chat(QUESTION, stop="Eight")).json) == ""
    assert streamed(post(url, CHAT, chat(QUESTION, stop="Eight", stream=True)).events) == ""


def test_ignore_eos_goes_on_to_the_limit_and_keeps_the_answer(url: str) -> None:
    reply = post(url, CHAT, chat(QUESTION, ignore_eos=True, max_tokens=50)).json
    assert reply["usage"]["completion_tokens"] == 50
    assert reply["choices"][0]["finish_reason"] == "length"
    assert content(reply).endswith(RIGHT)


def test_min_tokens_is_a_lower_limit(url: str) -> None:
    assert post(url, CHAT, chat(QUESTION, min_tokens=30)).json["usage"]["completion_tokens"] == 30
    assert post(url, CHAT, chat(QUESTION, min_tokens=3)).json["usage"]["completion_tokens"] == 9


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (CHAT, {"messages": [], "max_tokens": 0}),
        (CHAT, {"messages": [], "max_tokens": 2_000_000}),
        (CHAT, {"prompt": "x"}),
        (CHAT, b"{"),
        (CHAT, b"\xff"),
        (TEXT, {"prompt": ["a", "b"]}),
        (TRITON, {"inputs": "x"}),
    ],
)
def test_a_request_that_cannot_be_read_is_refused(url: str, path: str, body: object) -> None:
    got = post(url, path, body)
    assert got.status == 400
    assert got.json["error"]


def test_tgi_and_mindie_refuse_with_422(url: str) -> None:
    for path in ("/generate", "/infer"):
        got = post(url, path, {"inputs": "x", "parameters": {"max_new_tokens": 0}})
        assert got.status == 422
        assert got.json["error_type"] == "validation"


def test_a_path_or_method_that_does_not_exist_is_refused(url: str) -> None:
    for path in ("/v2/models/m/infer", "/v2/models/m", "/v2/models/", "/"):
        assert get(url, path).status == 404
    assert get(url, CHAT).status == 405
    assert post(url, "/v1/models", {}).status == 405


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_comes_first_in_its_own_field(field: str) -> None:
    options = SimOptions(reasoning=counts("5"), reasoning_field=field)
    with serving(options, ANSWERS) as url:
        message = post(url, CHAT, chat(QUESTION)).json["choices"][0]["message"]
        events = post(url, CHAT, chat(QUESTION, stream=True)).events
        cut = post(url, CHAT, chat(QUESTION, max_tokens=3)).json
    assert message["content"] == RIGHT
    assert len(message[field].split()) == 5
    assert streamed(events, field) == message[field]
    assert streamed(events) == RIGHT
    assert cut["choices"][0]["message"]["content"] is None
    assert len(cut["choices"][0]["message"][field].split()) == 3
    assert cut["choices"][0]["finish_reason"] == "length"
    assert cut["usage"]["completion_tokens_details"]["reasoning_tokens"] == 3


def test_inline_reasoning_stands_between_tags() -> None:
    with serving(SimOptions(reasoning=counts("5"), reasoning_field="think"), ANSWERS) as url:
        text = content(post(url, CHAT, chat(QUESTION)).json)
    thought, _, answer = text.partition("</think>")
    assert thought.startswith("<think>")
    assert answer.strip() == RIGHT


def test_protocols_without_a_field_get_reasoning_inline() -> None:
    with serving(SimOptions(reasoning=counts("5")), ANSWERS) as url:
        text = post(url, "/generate", {"inputs": QUESTION}).json["generated_text"]
    assert text.startswith("<think>")
    assert text.endswith(RIGHT)


def test_answers_are_padded_in_front() -> None:
    with serving(SimOptions(tokens=counts("40")), ANSWERS) as url:
        reply = post(url, CHAT, chat(QUESTION)).json
        filler = post(url, CHAT, chat("something unknown")).json
    assert content(reply).endswith(f"\n{RIGHT}")
    assert reply["usage"]["completion_tokens"] == 40
    assert filler["usage"]["completion_tokens"] == 40
