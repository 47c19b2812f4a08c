"""The OpenAI protocols: what is read out of an answer.

- Answer, separate reasoning and tool calls are kept apart.
- Token counts are the service's own, wherever it puts them, or unknown.
- Gaps run from content to content; roles, empty pieces and usage count for nothing.
"""

from typing import Any

import pytest

from dialect_server import (
    DONE,
    delta,
    event,
    json_answer,
    message,
    sse_answer,
    talk,
)
from steelyard.core import ToolCall


def test_a_whole_reply_is_read_with_counts_model_and_finish_reason():
    usage = {"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": None}
    document = {"id": "x", "model": "m@2", "usage": usage, **message("length", content="4")}
    reply, _ = talk(json_answer(document))
    assert (reply.key, reply.text, reply.finish, reply.model) == ("0001#0", "4", "length", "m@2")
    assert (reply.prompt_tokens, reply.output_tokens, reply.token_source) == (9, 1, "usage")
    assert reply.timing.gaps_us == ()
    assert reply.failure is None


def test_null_content_is_an_empty_text():
    reply, _ = talk(json_answer(message(content=None)))
    assert (reply.text, reply.failure) == ("", None)


def test_content_as_a_list_of_parts_is_joined():
    parts = [{"type": "text", "text": "2+2"}, {"type": "other"}, {"type": "text", "text": "=4"}]
    reply, _ = talk(json_answer(message(content=parts)))
    assert reply.text == "2+2=4"
    reply, _ = talk(sse_answer(delta(content=parts), delta("stop")), stream=True)
    assert reply.text == "2+2=4"


def test_all_choices_are_joined():
    choices = [{"message": {"content": "a"}}, {"message": {"content": "b"}}]
    reply, _ = talk(json_answer({"choices": choices}))
    assert reply.text == "ab"


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_reasoning_that_comes_apart_is_kept_apart(field: str):
    reply, _ = talk(json_answer(message(content="4", **{field: "2 and 2"})))
    assert (reply.reasoning, reply.text) == ("2 and 2", "4")
    pieces = [delta(**{field: "2 and"}), delta(**{field: " 2"}), delta(content="4"), delta("stop")]
    reply, _ = talk(sse_answer(*pieces, DONE), stream=True)
    assert (reply.reasoning, reply.text) == ("2 and 2", "4")
    assert len(reply.timing.gaps_us) == 3


def test_reasoning_sent_under_both_names_is_taken_once():
    reply, _ = talk(json_answer(message(content="4", reasoning_content="r", reasoning="r")))
    assert reply.reasoning == "r"


def test_think_tags_inside_the_text_stay_there():
    reply, _ = talk(json_answer(message(content="<think>2 and 2</think>4")))
    assert (reply.reasoning, reply.text) == ("", "<think>2 and 2</think>4")


def test_zero_output_tokens_beside_a_text_are_unknown():
    usage = {"prompt_tokens": 0, "completion_tokens": 0}
    reply, _ = talk(json_answer({**message(content="4"), "usage": usage}))
    assert (reply.prompt_tokens, reply.output_tokens, reply.token_source) == (None, None, None)
    usage = {"prompt_tokens": 3, "completion_tokens": 0}
    reply, _ = talk(json_answer({**message(content=""), "usage": usage}))
    assert (reply.prompt_tokens, reply.output_tokens, reply.token_source) == (3, 0, "usage")


def test_running_usage_in_every_event_ends_with_the_last():
    pieces = [
        event({"choices": [{"delta": {"content": "a"}}], "usage": {"completion_tokens": 1}}),
        event({"choices": [{"delta": {"content": "b"}}], "usage": {"completion_tokens": 2}}),
        delta("stop"),
    ]
    reply, _ = talk(sse_answer(*pieces), stream=True)
    assert (reply.text, reply.output_tokens) == ("ab", 2)


def test_logprobs_of_a_stream_have_the_shape_of_a_whole_reply():
    def piece(word: str) -> bytes:
        logprobs = {"content": [{"token": word, "logprob": -0.5}], "refusal": None}
        return event({"choices": [{"delta": {"content": word}, "logprobs": logprobs}]})

    reply, _ = talk(sse_answer(piece("a"), piece("b"), delta("stop")), stream=True)
    assert [entry["token"] for entry in reply.logprobs["content"]] == ["a", "b"]


def test_gaps_run_from_sending_to_content_and_from_content_to_content():
    pieces = [
        delta(role="assistant", content=""),
        delta(content="a"),
        0.03,
        delta(content=""),
        delta(content="b"),
        0.06,
        event({"choices": [], "usage": {"completion_tokens": 2}}),
        delta("stop"),
        DONE,
    ]
    reply, _ = talk(sse_answer(*pieces), stream=True)
    timing = reply.timing
    assert len(timing.gaps_us) == 2
    assert timing.gaps_us[1] >= 25_000
    assert timing.done_ns - timing.sent_ns - sum(timing.gaps_us) * 1000 >= 50_000_000


def test_completions_stream_is_read_like_a_chat():
    def piece(text: str, finish: str | None = None) -> bytes:
        return event({"choices": [{"index": 0, "text": text, "finish_reason": finish}]})

    usage = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}})
    reply, server = talk(
        sse_answer(piece("a"), piece("b"), piece("", "stop"), usage, DONE),
        backend="openai_completions",
        stream=True,
    )
    assert server.received[0].body["stream_options"] == {"include_usage": True}
    assert (reply.text, reply.finish, reply.output_tokens) == ("ab", "stop", 2)
    assert len(reply.timing.gaps_us) == 2


def test_a_stream_request_answered_in_one_piece_is_an_answer_without_gaps():
    reply, _ = talk(json_answer(message(content="4")), stream=True)
    assert (reply.text, reply.timing.gaps_us) == ("4", ())


def test_events_labelled_as_plain_text_are_events():
    answer = sse_answer(delta(content="4"), DONE, headers={"Content-Type": "text/plain"})
    reply, _ = talk(answer, stream=True)
    assert reply.text == "4"


def test_what_follows_done_is_not_read():
    reply, _ = talk(sse_answer(delta(content="4"), DONE, delta(content="5"), b"x"), stream=True)
    assert reply.text == "4"


def calls(*pieces: dict[str, Any]) -> bytes:
    return delta(tool_calls=list(pieces))


def test_tool_calls_of_a_whole_reply_are_read():
    entry = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}
    reply, _ = talk(json_answer(message("tool_calls", content=None, tool_calls=[entry])))
    assert reply.tool_calls == (ToolCall("add", '{"a":1}', "c1"),)


def test_arguments_sent_as_an_object_become_json_text():
    entry = {"function": {"name": "add", "arguments": {"a": 1}}}
    reply, _ = talk(json_answer(message(tool_calls=[entry])))
    assert reply.tool_calls == (ToolCall("add", '{"a":1}'),)


def test_tool_calls_of_a_stream_are_put_together_by_index():
    pieces = [
        calls({"index": 0, "id": "c1", "function": {"name": "add", "arguments": ""}}),
        calls({"index": 0, "function": {"arguments": '{"a":'}}),
        calls({"index": 1, "id": "c2", "function": {"name": "now"}}),
        calls(
            {"index": 1, "function": {"arguments": "{}"}},
            {"index": 0, "function": {"arguments": "1}"}},
        ),
        delta("tool_calls"),
    ]
    reply, _ = talk(sse_answer(*pieces), stream=True)
    assert reply.tool_calls == (ToolCall("add", '{"a":1}', "c1"), ToolCall("now", "{}", "c2"))
    assert len(reply.timing.gaps_us) == 4


@pytest.mark.parametrize("place", [{}, {"index": 0}])
def test_calls_whose_index_is_missing_or_the_same_are_told_apart_by_id(place: dict[str, int]):
    pieces = [
        calls({**place, "id": "c1", "function": {"name": "add", "arguments": "{"}}),
        calls({**place, "function": {"arguments": "}"}}),
        calls({**place, "id": "c2", "function": {"name": "add", "arguments": "[]"}}),
        delta("tool_calls"),
    ]
    reply, _ = talk(sse_answer(*pieces), stream=True)
    assert reply.tool_calls == (ToolCall("add", "{}", "c1"), ToolCall("add", "[]", "c2"))


def test_an_id_that_changes_with_every_piece_of_one_call_does_not_split_it():
    pieces = [
        calls({"index": 0, "id": "c1", "function": {"name": "add", "arguments": "{"}}),
        calls({"index": 0, "id": "c2", "function": {"arguments": "}"}}),
        delta("tool_calls"),
    ]
    reply, _ = talk(sse_answer(*pieces), stream=True)
    assert reply.tool_calls == (ToolCall("add", "{}", "c1"),)


def test_pieces_of_a_call_may_come_without_name_or_function():
    pieces = [
        calls({"index": 0, "id": "c1", "function": None}),
        calls({"index": 0, "id": "c1", "function": {"name": "add", "arguments": "{}"}}),
        calls({"index": 0, "function": None}),
        delta("tool_calls"),
    ]
    reply, _ = talk(sse_answer(*pieces), stream=True)
    assert reply.tool_calls == (ToolCall("add", "{}", "c1"),)
    assert len(reply.timing.gaps_us) == 1
