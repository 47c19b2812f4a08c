"""Likelihoods from services that give the log-probabilities of their prompts.

- Every candidate is a request of its own, never streamed; one that fails fails them all.
- The candidate's own tokens are those that spell it at the end; else only the whole has figures.
- A model that cannot do it is refused while planning.
"""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from dialect_server import Answer, Server, connected, json_answer, message, serving
from steelyard import backends
from steelyard.backends._likelihoods import Token, likelihood
from steelyard.core import Candidate, ConfigError, Likelihood, Message, ModelSpec, Request, Sampling
from steelyard.core import Reply as CoreReply

ASKED = Request(
    key="0001#0",
    messages=(Message("user", "Two is"),),
    sampling=Sampling(max_tokens=512, extra={"temperature": 0.0}),
    candidates=(Candidate(text=" even"), Candidate(text=" odd", lead=" not")),
)


def entries(*tokens: tuple[str, float, int]) -> list[Any]:
    """``prompt_logprobs`` as vLLM writes it; the first token has no figure."""
    found = [
        {str(number): {"logprob": logprob, "rank": rank, "decoded_token": text}}
        for number, (text, logprob, rank) in enumerate(tokens)
    ]
    return [None, *found]


EVEN = entries((" is", -1.5, 2), (" even", -0.5, 1))
ODD = entries((" is", -1.5, 2), (" not", -1.0, 3), (" odd", -4.0, 9))


def completion(logprobs: Any) -> Answer:
    choice = {"text": "!", "finish_reason": "length", "prompt_logprobs": logprobs}
    usage = {"prompt_tokens": 3, "completion_tokens": 1}
    return json_answer({"model": "m", "choices": [choice], "usage": usage})


def chat(logprobs: Any) -> Answer:
    return json_answer({**message(content="!"), "prompt_logprobs": logprobs})


def scored(
    *answers: Answer, backend: str, request: Request = ASKED, **options: Any
) -> tuple[CoreReply, Server]:
    """Ask once; the server plays ``answers`` one after another."""

    async def scenario() -> tuple[CoreReply, Server]:
        async with (
            serving(*answers) as server,
            connected(server.url, backend=backend, **options) as model,
        ):
            return await model.ask(request), server

    return asyncio.run(scenario())


def test_a_completions_service_is_asked_once_for_every_candidate():
    reply, server = scored(completion(EVEN), completion(ODD), backend="openai_completions")
    assert [one.body["prompt"] for one in server.received] == ["Two is even", "Two is not odd"]
    assert server.received[0].body == {
        "prompt": "Two is even",
        "prompt_logprobs": 0,
        "stream": False,
        "temperature": 0.0,
        "max_tokens": 1,
        "model": "m",
    }
    assert reply.failure is None
    assert reply.likelihoods == (
        Likelihood(total=-0.5, tokens=1, whole_total=-2.0, whole_tokens=2, greedy=True),
        Likelihood(total=-4.0, tokens=1, whole_total=-6.5, whole_tokens=3, greedy=False),
    )
    assert (reply.text, reply.finish) == ("", "")
    assert (reply.prompt_tokens, reply.output_tokens, reply.token_source) == (6, 2, "usage")
    timing = reply.timing
    assert timing.queued_ns <= timing.sent_ns <= (timing.first_byte_ns or 0) <= timing.done_ns


def test_in_chat_the_candidate_is_the_open_last_turn():
    reply, server = scored(chat(EVEN), chat(ODD), backend="openai_chat")
    assert server.received[1].body == {
        "messages": [
            {"role": "user", "content": "Two is"},
            {"role": "assistant", "content": "not odd"},
        ],
        "add_generation_prompt": False,
        "continue_final_message": True,
        "prompt_logprobs": 0,
        "stream": False,
        "temperature": 0.0,
        "max_tokens": 1,
        "model": "m",
    }
    assert [one.total for one in reply.likelihoods] == [-0.5, -4.0]


def test_several_turns_keep_their_order_and_blanks():
    turns = (Message("user", "a"), Message("assistant", "b"), Message("user", "c"))
    asked = replace(ASKED, messages=turns)
    _, server = scored(completion(EVEN), backend="openai_completions", request=asked)
    assert server.received[0].body["prompt"] == "a\nb\nc even"


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("backend", ["openai_chat", "openai_completions"])
def test_one_failed_candidate_fails_them_all(backend: str, position: int):
    good = {"openai_chat": chat, "openai_completions": completion}[backend](EVEN)
    bad = json_answer({"error": {"message": "out of memory"}}, status=500, reason="Oops")
    reply, server = scored(*[good] * position, bad, backend=backend)
    assert reply.likelihoods == ()
    assert reply.failure is not None
    assert (reply.failure.kind, reply.failure.status) == ("status", 500)
    assert reply.failure.detail.startswith(f"option {position + 1} of 2: HTTP 500")
    assert "out of memory" in reply.failure.detail
    assert len(server.received) == position + 1


@pytest.mark.parametrize("backend", ["openai_chat", "openai_completions"])
@pytest.mark.parametrize(
    ("logprobs", "words"),
    [
        (None, "gave no prompt_logprobs"),
        ([], "no log-probability"),
        ([None], "no log-probability"),
        ([None, {}], "no log-probability"),
        ([None, {"7": {"rank": 1}}], "not the JSON that was expected"),
        ([None, {"7": {"logprob": None}}], "not the JSON that was expected"),
        ([None, {"7": {"logprob": "-1"}}], "not the JSON that was expected"),
        ({"7": -1}, "not the JSON that was expected"),
    ],
)
def test_an_answer_without_figures_is_a_failure(backend: str, logprobs: Any, words: str):
    answer = {"openai_chat": chat, "openai_completions": completion}[backend](logprobs)
    reply, _ = scored(answer, backend=backend)
    assert reply.likelihoods == ()
    assert reply.failure is not None
    assert reply.failure.kind == "protocol"
    assert words in reply.failure.detail


@pytest.mark.parametrize("backend", ["openai_chat", "openai_completions"])
def test_an_answer_without_a_choice_is_a_failure(backend: str):
    reply, _ = scored(json_answer({"choices": []}), backend=backend)
    assert reply.failure is not None


@pytest.mark.parametrize("backend", ["openai_chat", "openai_completions"])
def test_a_stream_instead_is_a_failure(backend: str):
    delta = b'data: {"choices": [{"delta": {"content": "x"}, "text": "x"}]}\n\ndata: [DONE]\n\n'
    stream = Answer((delta,), headers={"Content-Type": "text/event-stream"})
    reply, _ = scored(stream, backend=backend)
    assert reply.failure is not None
    assert "streamed its answer" in reply.failure.detail


def figures(*tokens: str | None, text: str) -> int:
    """How many of ``tokens`` are told to be ``text``."""
    given = [{"1": Token(-1.0, 1, token)} for token in tokens]
    found = likelihood([None, *given], text)
    assert (found.whole_tokens, found.whole_total) == (len(tokens), -float(len(tokens)))
    assert found.total == -float(found.tokens)
    return found.tokens


def test_own_tokens_are_those_that_spell_the_candidate():
    assert figures("Answer", ":", " A", text=" A") == 1
    assert figures("Answer", ":", " new", " york", text=" new york") == 2
    assert figures("Answer", ":", "new", "york", text=" new york") == 2  # texts without blanks
    assert figures(":", " ", "A", text=" A") == 2  # a blank that is a token of its own
    assert figures(":", " ", "A", text="A") == 1
    assert figures(":", " ", " A", text=" A") == 1
    assert figures("答案", ":", " ", "天", "地", text=" 天地") == 3


def test_tokens_that_cannot_be_told_apart_leave_only_the_whole():
    assert figures("Answer", ":A", text=" A") == 0  # a token that reaches over the border
    assert figures("Answer", None, text=" A") == 0
    assert figures(None, " A", text=" A") == 1
    assert figures("答案", ":", "\ufffd", "\ufffd", text="天") == 0
    assert figures(" A", "<|end|>", text=" A") == 0
    assert figures("A", text="AA") == 0
    assert figures("A", text=" ") == 0


def test_greedy_needs_the_ranks():
    def greedy(*ranks: int | None) -> bool | None:
        given = [{"1": Token(-1.0, rank, "a")} for rank in ranks]
        return likelihood([None, *given], "a" * 2).greedy

    assert greedy(5, 1, 1) is True
    assert greedy(1, 2, 1) is False
    assert greedy(1, 1, None) is None


def test_the_token_of_the_prompt_is_the_first_of_its_entry():
    given = [None, {"5": Token(-3.0, 4, " A"), "9": Token(-0.1, 1, " B")}]
    assert likelihood(given, " A").total == -3.0


def model(backend: str, **options: Any) -> ModelSpec:
    return ModelSpec(abbr="m", backend=backend, options={"base_url": "http://h", **options})


@pytest.mark.parametrize("backend", ["openai_chat", "openai_completions"])
def test_services_that_answer_whole_can_be_planned(backend: str):
    backends.check_candidates(model(backend), "piqa_lm_eval")
    with pytest.raises(ConfigError, match=r"piqa_lm_eval with model m: .*not streamed.*stream=Fa"):
        backends.check_candidates(model(backend, stream=True), "piqa_lm_eval")


@pytest.mark.parametrize("backend", ["tgi", "triton", "mindie"])
def test_other_services_are_refused_with_what_to_do(backend: str):
    with pytest.raises(ConfigError, match=f"backend {backend} of model m cannot tell. Use vLLM"):
        backends.check_candidates(model(backend), "piqa_lm_eval")
