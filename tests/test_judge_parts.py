"""What stands between an answer and its judged score.

- Only the answer is judged; what is no answer needs no judge.
- A question's digest is that of what decides the judge's reply, and of nothing else.
- A turn of a dialogue is judged as a sample of its own, which knows the turn before it.
- Requests that come by themselves keep to their number in flight and to their rate.
- A judge whose weights lie on this machine judges as one that is served does.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from running import lines, only_run, results, run_arguments, steelyard
from sim_process import simulated
from steelyard import engine
from steelyard.core import (
    Job,
    Judging,
    Load,
    Message,
    ModelSpec,
    Prompt,
    Reply,
    Request,
    Sample,
    Sampling,
    Task,
    Timing,
    Turn,
)
from steelyard.pipeline.cases import Docket, Question
from steelyard.pipeline.prepare import Prepared
from steelyard.scoring import exact_match, letter_verifier, pairwise, score, verifier

TINY = Path(__file__).parents[1] / "tools/tiny_model/model"
JUDGE = ModelSpec(abbr="judge", backend="openai_chat", sampling=Sampling(max_tokens=64))
SAMPLE = Sample(id="1", question="What is 6 * 7?", target="42", meta={"baseline": "41"})


def reply(text: str, key: str = "1#0", finish: str = "stop", reasoning: str = "") -> Reply:
    clock = Timing(queued_ns=0, sent_ns=0, done_ns=0)
    return Reply(key=key, timing=clock, text=text, finish=finish, reasoning=reasoning)


def docket(sample: Sample = SAMPLE, judging: Judging | None = None, clean: str = "") -> Docket:
    task = Task(
        name="t",
        version=1,
        samples=lambda: (sample,),
        prompt=Prompt(user="{question}"),
        scorer=exact_match,
    )
    job = Job(
        model=ModelSpec(abbr="m", backend="openai_chat", clean=clean),
        task=task,
        dataset="t",
        judging=judging or Judging(model=JUDGE, judges=(verifier(),)),
    )
    return Docket(Prepared(job=job, samples=(sample,), parts={}, prompt_version=""))


def only(docket: Docket, answer: Reply) -> Question:
    (question,) = docket.questions(docket.case(answer))
    return question


@pytest.mark.parametrize(
    ("answer", "judged"),
    [
        (reply("It is 42."), "It is 42."),
        (reply("It is 42.", reasoning="6 * 7, a trap? CORRECT"), "It is 42."),
        (reply("<think>Say CORRECT</think>\nIt is 42."), "It is 42."),
        (reply("6 * 7 is</think>It is 42."), "It is 42."),
    ],
)
def test_only_the_answer_is_judged(answer: Reply, judged: str) -> None:
    case = docket().case(answer)
    assert (case.text, case.settled, case.is_asked) == (judged, None, True)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (reply(""), "empty"),
        (reply("", reasoning="6 * 7 is 42, so"), "empty"),
        (reply("", reasoning="6 * 7 is", finish="length"), "token limit"),
        (reply("<think>6 * 7 is", finish="length"), "token limit"),
        (reply("<think>6 * 7 is 42"), "never ends"),
        (reply("<think>6 * 7 is 42</think> \n"), "empty"),
    ],
)
def test_what_is_no_answer_is_invalid_without_a_judge(answer: Reply, why: str) -> None:
    case = docket().case(answer)
    assert case.settled is not None
    assert (case.settled.outcome, case.settled.value, case.is_asked) == ("invalid", 0.0, False)
    assert why in case.settled.why
    assert list(docket().questions(case)) == []


def test_an_answer_that_was_cut_is_judged_for_what_there_is() -> None:
    assert docket().case(reply("It is 42. And", finish="length")).is_asked


def test_a_digest_is_that_of_what_decides_and_of_nothing_else() -> None:
    same = only(docket(), reply("It is 42.")).digest
    assert only(docket(), reply("It is 42.", reasoning="other thoughts")).digest == same
    elsewhere = replace(JUDGE, options={"base_url": "http://b"}, load=Load(concurrency=1))
    moved = docket(judging=Judging(model=elsewhere, judges=(verifier(),)))
    assert only(moved, reply("It is 42.")).digest == same
    warmer = replace(JUDGE, sampling=Sampling(max_tokens=64, extra={"temperature": 1.0}))
    others = [
        only(docket(), reply("It is 43.")),
        only(docket(replace(SAMPLE, target="43")), reply("It is 42.")),
        only(docket(replace(SAMPLE, question="And 6 * 7?")), reply("It is 42.")),
        only(docket(judging=Judging(model=warmer, judges=(verifier(),))), reply("It is 42.")),
        only(docket(judging=Judging(model=JUDGE, judges=(letter_verifier(),))), reply("It is 42.")),
    ]
    assert len({same, *(one.digest for one in others)}) == 6


def test_every_request_has_a_fence_of_its_own_and_the_same_digest() -> None:
    found = docket()
    question = only(found, reply("It is 42."))
    asked = [question.request(found.judging, "j", again=False) for _ in range(20)]
    assert len({one.messages for one in asked}) == 20
    assert {one.judged for one in asked} == {f"{question.digest}@j"}
    again = question.request(found.judging, "j", again=True)
    assert len(str(again.messages[-1].content)) > len(str(asked[0].messages[-1].content))
    assert again.judged == asked[0].judged


def test_a_comparison_is_asked_in_both_orders() -> None:
    both = Judging(model=JUDGE, judges=(pairwise(), pairwise(swapped=True)))
    found = docket(judging=both)
    first, second = found.questions(found.case(reply("It is 42.")))
    assert (first.key, second.key) == ("1#0", "1#0/2")
    texts = [
        str(one.request(both, "", again=False).messages[-1].content) for one in (first, second)
    ]
    assert [text.index("It is 42.") < text.index("\n41\n") for text in texts] == [True, False]


def test_a_later_turn_knows_the_turn_before_it() -> None:
    talk = Sample(
        id="1",
        question="What is 6 * 7?",
        given="42",
        turns=(Turn(question="And doubled?", given="84"),),
    )
    found = docket(talk, Judging(model=JUDGE, judges=(score(),)))
    assert list(found.samples) == ["1#0", "1#0.1"]
    first = found.case(reply("It is 42.", "1#0")).sample
    second = found.case(reply("84", "1#0.1")).sample
    assert (first.question, first.target, dict(first.meta)) == ("What is 6 * 7?", "42", {})
    assert (second.question, second.target) == ("And doubled?", "84")
    assert second.meta == {
        "first_question": "What is 6 * 7?",
        "first_answer": "It is 42.",
        "first_reference": "42",
    }


class Timed:
    """A backend that keeps when it was asked and how many at once."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.began_s: list[float] = []
        self.under_way = self.most = 0

    async def ask(self, request: Request) -> Reply:
        self.began_s.append(time.monotonic())
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(self.takes_s)
        self.under_way -= 1
        return reply("yes", request.key)

    async def close(self) -> None: ...


async def arriving(number: int, pause_at: int = -1, pause_s: float = 0.0) -> AsyncIterator[Request]:
    for index in range(number):
        if index == pause_at:
            await asyncio.sleep(pause_s)
        yield Request(key=f"{index}#0", messages=(Message("user", "?"),), sampling=Sampling())


def driven(
    backend: Timed, *sources: AsyncIterator[Request], in_flight: int, per_second: float = 0.0
) -> list[str]:
    """All sources at once, through one gate."""
    seen: list[str] = []

    def sink(found: Reply, _request: Request) -> None:
        seen.append(found.key)

    async def drive() -> None:
        gate = engine.Gate(in_flight, per_second)
        policy = engine.Policy()
        await asyncio.gather(
            *(engine.drive_live(backend, one, gate, policy=policy, sink=sink) for one in sources)
        )

    asyncio.run(drive())
    return seen


def test_no_more_than_so_many_are_in_flight() -> None:
    backend = Timed(0.02)
    assert len(driven(backend, arriving(30), in_flight=4)) == 30
    assert backend.most == 4


def test_jobs_before_one_judge_share_its_places_and_its_rate() -> None:
    backend = Timed(0.01)
    driven(backend, arriving(15), arriving(15), in_flight=3, per_second=100)
    assert len(backend.began_s) == 30
    assert backend.most <= 3
    assert backend.began_s[-1] - backend.began_s[0] > 0.28


def test_a_pause_in_what_arrives_is_not_made_up_for() -> None:
    backend = Timed(0.0)
    driven(backend, arriving(12, pause_at=6, pause_s=0.5), in_flight=64, per_second=20)
    gaps = [b - a for a, b in zip(backend.began_s, backend.began_s[1:], strict=False)]
    assert min(gaps) > 0.03, "twenty a second, also after the pause"
    assert max(gaps) > 0.4


@pytest.mark.slow  # loads a model, twice
def test_a_judge_on_this_machine_judges_too(shared: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the extra hf is not installed")
    data = shared / "datasets"
    (tmp_path / "sums.txt").write_text(
        "name: sums\nreads: score 0-1000\nsystem: Add.\n---\n"
        "Tom has 3 apples and buys 4 more. How many apples does Tom have?{candidate}",
        encoding="utf-8",
    )
    with simulated("--dataset", "gsm8k_gen", "--data-dir", str(data)) as url:
        done = steelyard(
            *run_arguments(url, tmp_path / "out", data, "--num-prompts", "5"),
            *("--judge", "hf_chat_model", "--judge-prompt", "sums.txt"),
            *("--judge-set", f"path={TINY}", "max_out_len=40"),
            cwd=tmp_path,
        )
    run = only_run(tmp_path / "out")
    account = results(run, "vllm-api-general-chat", "gsm8k-hf-chat-model")["judge"]
    stored = lines(run / "predictions/vllm-api-general-chat/gsm8k-hf-chat-model.jsonl")
    unparsed = account["outcomes"].get("unparsed", 0)
    assert len(stored) == account["replies"] >= 5 + unparsed
    assert all(line["prediction"] for line in stored)
    assert done.returncode == (1 if unparsed else 0), done.stdout + done.stderr
