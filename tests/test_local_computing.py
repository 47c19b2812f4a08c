"""What a model in this process says, against Transformers' own ``generate`` and forward pass.

- Greedy answers are those of ``generate``, whatever stands beside them in the batch, also when
  sequences join and leave, with and without a sliding window, with a repetition penalty.
- Drawn answers depend on seed and request only.
- An answer ends at an end token, at a stop word, or at its limit, and says which.
- A prompt that is too long is cut where it is to be cut, and the reply says by how much.
- Out of memory halves the batch and loses nothing; one sequence that never fits fails alone.
- The likelihood of a candidate is the sum over its own tokens of one plain forward pass, also
  without a prompt, and cut by as few tokens as the model allows.
"""

import asyncio
import random
from collections.abc import Sequence
from functools import wraps
from pathlib import Path
from typing import Any

import pytest

import random_model
from steelyard import backends
from steelyard.core import (
    Candidate,
    ConfigError,
    Json,
    Message,
    ModelSpec,
    Reply,
    Request,
    RunStopped,
    Sampling,
)

torch = pytest.importorskip("torch", reason="the extra hf is not installed")
pytest.importorskip("transformers", reason="the extra hf is not installed")

torch.set_num_threads(1)
WORDS = Path(__file__).read_text(encoding="utf-8").split()


@pytest.fixture(scope="module", params=random_model.KINDS)
def any_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model.put(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return random_model.put("llama", tmp_path_factory.mktemp("llama"))


def texts(number: int, *, longest: int = 60) -> list[str]:
    chance = random.Random(number)
    return [" ".join(chance.choices(WORDS, k=chance.randint(1, longest))) for _ in range(number)]


def spec(folder: Path, options: dict[str, Json], extra: dict[str, Json]) -> ModelSpec:
    plain = {"path": str(folder), "dtype": "float32", "device": "cpu", "max_seq_len": 512}
    return ModelSpec(
        abbr="m",
        backend=str(options.pop("backend", "hf_base_model")),
        options={**plain, **options},
        sampling=Sampling(max_tokens=12, extra=extra),
    )


def asked(prompts: Sequence[str], *, limit: int | None = 12) -> list[Request]:
    return [
        Request(
            key=f"{number}#0",
            messages=(Message("user", prompt),),
            sampling=Sampling(max_tokens=limit),
        )
        for number, prompt in enumerate(prompts)
    ]


def replies(model: ModelSpec, requests: Sequence[Request]) -> tuple[list[Reply], tuple[str, ...]]:
    async def all_at_once() -> tuple[list[Reply], tuple[str, ...]]:
        backend: Any = backends.open_backend(model)
        try:
            found = await asyncio.gather(*map(backend.ask, requests))
        finally:
            await backend.close()
        return list(found), backend.notes()

    return asyncio.run(all_at_once())


def answers(folder: Path, prompts: Sequence[str], **options: Json) -> list[str]:
    extra = options.pop("extra", {})
    found, _ = replies(spec(folder, options, extra), asked(prompts))
    assert all(reply.failure is None for reply in found)
    return [reply.text for reply in found]


def generated(folder: Path, prompts: Sequence[str], **how: Any) -> list[str]:
    """One by one, by the library's own loop."""
    model, tokenizer = random_model.loaded(folder)
    found = []
    for prompt in prompts:
        given = tokenizer(prompt, return_tensors="pt")
        out = model.generate(
            given.input_ids,
            attention_mask=given.attention_mask,
            max_new_tokens=12,
            do_sample=False,
            **how,
        )
        new = out[0, given.input_ids.shape[1] :]
        found.append(
            tokenizer.decode(new, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        )
    return found


@pytest.mark.parametrize("batch_size", [1, 5, 32])
def test_greedy_answers_are_those_of_generate(any_model: Path, batch_size: int) -> None:
    prompts = texts(14)
    assert answers(any_model, prompts, batch_size=batch_size) == generated(any_model, prompts)


def test_a_repetition_penalty_is_that_of_generate(any_model: Path) -> None:
    prompts = texts(12)
    found = answers(any_model, prompts, batch_size=5, extra={"repetition_penalty": 1.4})
    assert found == generated(any_model, prompts, repetition_penalty=1.4)
    assert found != answers(any_model, prompts, batch_size=5)


def test_a_drawn_answer_depends_on_seed_and_request_only(llama: Path) -> None:
    prompts = texts(8)
    drawn = {"do_sample": True, "temperature": 1.5, "top_k": 40, "top_p": 0.9, "min_p": 0.01}
    first = answers(llama, prompts, batch_size=1, extra={**drawn, "seed": 7})
    assert answers(llama, prompts, batch_size=8, extra={**drawn, "seed": 7}) == first
    assert answers(llama, prompts, batch_size=8, extra={**drawn, "seed": 8}) != first
    greedy = answers(llama, prompts, extra={**drawn, "temperature": 0})
    assert greedy == generated(llama, prompts)


def test_an_answer_ends_at_its_limit_or_at_an_end_token(llama: Path) -> None:
    found, _ = replies(spec(llama, {}, {}), asked(texts(12)))
    assert {reply.finish for reply in found} <= {"stop", "length"}
    for reply in found:
        assert reply.output_tokens is not None
        assert (reply.output_tokens == 12) or reply.finish == "stop"
        assert reply.timing.sent_ns <= reply.timing.done_ns


def test_an_answer_ends_before_a_stop_word(llama: Path) -> None:
    prompts = texts(10)
    free = answers(llama, prompts)
    word = free[0][3:6]
    stopped, _ = replies(spec(llama, {"stop_words": [word]}, {}), asked(prompts))
    for whole, reply in zip(free, stopped, strict=True):
        assert reply.text == whole.split(word)[0]
        assert reply.finish == "stop" if word in whole else reply.text == whole


@pytest.mark.parametrize(("mode", "middle"), [("none", False), ("mid", True)])
def test_a_prompt_that_is_too_long_is_cut_and_says_so(llama: Path, mode: str, middle: bool) -> None:
    _, tokenizer = random_model.loaded(llama)
    long, short = texts(1, longest=200)[0] * 2, "a short one"
    found, notes = replies(spec(llama, {"max_seq_len": 64, "mode": mode}, {}), asked([long, short]))
    ids = tokenizer(long)["input_ids"]
    room = 64 - 12
    kept = ids[:26] + ids[-26:] if middle else ids[-room:]
    assert [reply.prompt_cut for reply in found] == [len(ids) - room, 0]
    assert found[0].prompt_tokens == room
    assert notes == ()
    model, _ = random_model.loaded(llama)
    out = model.generate(torch.tensor([kept]), max_new_tokens=12, do_sample=False)
    assert found[0].text == tokenizer.decode(
        out[0, room:], skip_special_tokens=True, clean_up_tokenization_spaces=False
    )


def test_chat_turns_stand_in_the_tokenizers_template(llama: Path) -> None:
    _, tokenizer = random_model.loaded(llama)
    turns = (Message("system", "Be brief."), Message("user", "One?"), Message("user", "Two?"))
    request = Request(key="0#0", messages=turns, sampling=Sampling(max_tokens=12))
    found, _ = replies(spec(llama, {"backend": "hf_chat_model"}, {}), [request])
    text = "<|start|>system: Be brief.\n<|start|>user: One?\nTwo?\n<|start|>assistant: "
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert found[0].prompt_tokens == len(ids)
    assert found[0].text == generated(llama, [text])[0]


def test_out_of_memory_halves_the_batch_and_loses_nothing(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import LlamaForCausalLM

    forward = LlamaForCausalLM.forward

    @wraps(forward)
    def narrow(self: Any, input_ids: Any, **more: Any) -> Any:
        if input_ids.shape[0] > 3 or input_ids.shape[1] > 399:
            raise MemoryError
        return forward(self, input_ids=input_ids, **more)

    prompts = texts(10)
    free = answers(llama, prompts)
    monkeypatch.setattr(LlamaForCausalLM, "forward", narrow)
    too_long = " ".join(["word"] * 400)
    found, notes = replies(spec(llama, {"batch_size": 8}, {}), asked([*prompts, too_long]))
    assert [reply.text for reply in found[:-1]] == free
    failure = found[-1].failure
    assert failure is not None
    assert failure.kind == "model"
    assert "out of memory" in failure.detail
    assert any("out of memory" in note for note in notes)


def test_a_model_that_breaks_stops_the_job_and_nobody_waits_for_ever(
    llama: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import LlamaForCausalLM

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a kernel is missing")

    monkeypatch.setattr(LlamaForCausalLM, "forward", broken)
    with pytest.raises(RunStopped, match="RuntimeError: a kernel is missing"):
        replies(spec(llama, {}, {}), asked(texts(5)))


def own_likelihood(folder: Path, before: str, text: str) -> tuple[float, int, bool]:
    model, tokenizer = random_model.loaded(folder)
    whole, first = tokenizer(before + text)["input_ids"], tokenizer(before)["input_ids"]
    with torch.inference_mode():
        told = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    own = range(len(first), len(whole))
    total = sum(float(told[place - 1, whole[place]]) for place in own)
    greedy = all(int(told[place - 1].argmax()) == whole[place] for place in own)
    return total, len(own), greedy


@pytest.mark.parametrize("batch_size", [1, 7, 64])
def test_likelihoods_are_those_of_one_plain_forward_pass(any_model: Path, batch_size: int) -> None:
    chance = random.Random(5)
    rows = []
    for number, prompt in enumerate(texts(12)):
        own = tuple(
            Candidate(text=" " + " ".join(chance.choices(WORDS, k=chance.randint(1, 9))))
            for _ in range(chance.randint(2, 5))
        )
        rows.append(
            Request(
                key=f"{number}#0",
                messages=(Message("user", prompt),),
                sampling=Sampling(),
                candidates=own,
            )
        )
    found, _ = replies(spec(any_model, {"batch_size": batch_size}, {}), rows)
    for row, reply in zip(rows, found, strict=True):
        assert len(reply.likelihoods) == len(row.candidates)
        before = str(row.messages[0].content)
        for candidate, told in zip(row.candidates, reply.likelihoods, strict=True):
            total, number, greedy = own_likelihood(any_model, before, candidate.text)
            assert told.total == pytest.approx(total, abs=1e-3)
            assert (told.tokens, told.greedy) == (number, greedy)
            whole = before + candidate.text
            _, tokenizer = random_model.loaded(any_model)
            assert told.whole_tokens == len(tokenizer(whole)["input_ids"]) - 1


def test_a_lead_is_read_but_not_scored(llama: Path) -> None:
    candidates = (Candidate(text=" the end", lead=" one"), Candidate(text=" the end", lead=" two"))
    request = Request(
        key="0#0",
        messages=(Message("user", "Which"),),
        sampling=Sampling(),
        candidates=candidates,
    )
    found, _ = replies(spec(llama, {}, {}), [request])
    for candidate, told in zip(candidates, found[0].likelihoods, strict=True):
        total, number, _ = own_likelihood(llama, "Which" + candidate.lead, candidate.text)
        assert told.total == pytest.approx(total, abs=1e-4)
        assert told.tokens == number


def test_candidates_that_are_cut_at_different_places_keep_their_order(llama: Path) -> None:
    """Long ones, cut at different places: they have nothing in common and are sorted by size."""
    chance = random.Random(2)
    long = " ".join(chance.choices(WORDS, k=80))
    own = tuple(
        Candidate(text=" " + " ".join(chance.choices(WORDS, k=number))) for number in (9, 1, 5, 3)
    )
    rows = [
        Request(
            key=f"{number}#0",
            messages=(Message("user", f"{number} {long}"),),
            sampling=Sampling(),
            candidates=own,
        )
        for number in range(3)
    ]
    model, tokenizer = random_model.loaded(llama)
    for batch_size in (1, 64):
        found, _ = replies(spec(llama, {"max_seq_len": 64, "batch_size": batch_size}, {}), rows)
        for row, reply in zip(rows, found, strict=True):
            for candidate, told in zip(own, reply.likelihoods, strict=True):
                whole = tokenizer(str(row.messages[0].content) + candidate.text)["input_ids"][-65:]
                with torch.inference_mode():
                    logits = model(torch.tensor([whole[:-1]])).logits[0].log_softmax(-1)
                places = range(len(whole) - told.tokens, len(whole))
                total = sum(float(logits[place - 1, whole[place]]) for place in places)
                assert told.total == pytest.approx(total, abs=1e-3)


def likelihoods(folder: Path, prompt: str, own: Sequence[Candidate], **options: Json) -> Reply:
    request = Request(
        key="0#0",
        messages=(Message("user", prompt),),
        sampling=Sampling(),
        candidates=tuple(own),
    )
    found, _ = replies(spec(folder, options, {}), [request])
    return found[0]


def test_candidates_that_begin_differently_keep_their_order(llama: Path) -> None:
    leads = ("The long beginning of one sentence", "Another", "Every day it is a bit")
    own = [Candidate(text=" longer", lead=lead) for lead in leads]
    told = likelihoods(llama, "", own).likelihoods
    expected = [own_likelihood(llama, lead, " longer")[0] for lead in leads]
    assert [one.total for one in told] == pytest.approx(expected, abs=1e-3)


def test_candidates_of_one_token_need_no_pass_of_their_own(llama: Path) -> None:
    own = [Candidate(text=" the"), Candidate(text=" of"), Candidate(text=" a")]
    reply = likelihoods(llama, "Which", own)
    for candidate, told in zip(own, reply.likelihoods, strict=True):
        total, number, greedy = own_likelihood(llama, "Which", candidate.text)
        assert (told.tokens, told.greedy) == (number, greedy)
        assert told.total == pytest.approx(total, abs=1e-4)


def test_a_text_too_long_by_its_last_token_is_not_cut(llama: Path) -> None:
    model, tokenizer = random_model.loaded(llama)
    before, text = " ".join(WORDS[:80]), " the end"
    whole = tokenizer(before + text)["input_ids"]
    for longest in (len(whole), len(whole) - 1, len(whole) - 9):
        reply = likelihoods(llama, before, [Candidate(text=text)], max_seq_len=longest)
        kept = whole[-(longest + 1) :]
        with torch.inference_mode():
            told = model(torch.tensor([kept[:-1]])).logits[0].log_softmax(-1)
        number = reply.likelihoods[0].tokens
        total = sum(float(told[-back, kept[-back]]) for back in range(1, number + 1))
        assert reply.prompt_cut == len(whole) - len(kept)
        assert reply.likelihoods[0].total == pytest.approx(total, abs=1e-3)


@pytest.mark.parametrize("prompt", ["", " ", "<|start|>", "One", "<|start|>One"])
def test_a_tokenizers_first_mark_is_there_once(prompt: str, tmp_path: Path) -> None:
    folder = random_model.put("llama", tmp_path, begins=True)
    model, tokenizer = random_model.loaded(folder)
    text = " the end" if prompt.strip() else "the end"
    plain = tokenizer(prompt.removeprefix("<|start|>") + text, add_special_tokens=False)
    whole = [tokenizer.bos_token_id, *plain["input_ids"]]
    assert tokenizer("x")["input_ids"][0] == tokenizer.bos_token_id
    reply = likelihoods(folder, prompt, [Candidate(text=text)])
    with torch.inference_mode():
        told = model(torch.tensor([whole])).logits[0].log_softmax(-1)
    first = len(whole) - reply.likelihoods[0].tokens
    total = sum(float(told[place - 1, whole[place]]) for place in range(first, len(whole)))
    assert reply.likelihoods[0].whole_tokens == len(whole) - 1
    assert reply.likelihoods[0].total == pytest.approx(total, abs=1e-3)
    if prompt.strip():
        bare = tokenizer(prompt.removeprefix("<|start|>"), add_special_tokens=False)["input_ids"]
        found, _ = replies(spec(folder, {}, {}), asked([prompt]))
        assert found[0].prompt_tokens == 1 + len(bare)


def test_a_candidate_without_a_token_of_its_own_fails_and_does_not_win(llama: Path) -> None:
    request = Request(
        key="0#0",
        messages=(Message("user", "Which"),),
        sampling=Sampling(),
        candidates=(Candidate(text=""), Candidate(text=" one")),
    )
    found, _ = replies(spec(llama, {}, {}), [request])
    assert found[0].failure is not None
    assert found[0].likelihoods == ()


@pytest.mark.parametrize(
    ("options", "extra", "says"),
    [
        ({"path": "/no/such/folder"}, {}, "is not a folder"),
        ({"path": ""}, {}, "--model-path"),
        ({"dtype": "float7"}, {}, "float7.*expected one of"),
        ({"tokenizer_path": "/no/such"}, {}, "has no tokenizer"),
        ({"batch_size": 0}, {}, "at least 1"),
        ({"peft_path": "/no/such"}, {}, "peft|adapter"),
        ({}, {"num_beams": 4}, "num_beams is not supported"),
        ({}, {"top_p": 1.5}, "top_p is 1.5"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_loads(
    llama: Path, options: dict[str, Json], extra: dict[str, Json], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        backends.open_backend(spec(llama, options, extra))


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="no weights"):
        backends.open_backend(spec(tmp_path, {}, {}))


def test_damaged_weights_stop_the_job_with_one_sentence(tmp_path: Path) -> None:
    folder = random_model.put("llama", tmp_path)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(RunStopped, match="cannot be loaded"):
        replies(spec(folder, {}, {}), asked(["x"]))
