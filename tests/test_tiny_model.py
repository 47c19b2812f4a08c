"""The tiny model and the word problems that it was taught and is asked.

- The answer of every kind of problem is the one that a person finds.
- The worked steps are right sums of the numbers in the question and end at the answer.
- Nothing of the test split can be met in training, and the packaged rows are what the seed makes.
- The model's folder is complete and small, and its tokenizer keeps both forms of question apart
  from their answers.
- Where torch is installed: the model answers, sometimes right and sometimes wrong.
"""

import json
import math
import re
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from steelyard.core import Sample, Task
from steelyard.tasks import catalogue
from steelyard.tasks.data import Data
from steelyard.tasks.prompting import asker
from tiny_model import formats
from tiny_model.problems import Problem, packaged_rows, problems, solved, split_of
from tiny_model.templates import NAMES, TEMPLATES, THINGS, Template

MODEL = Path(__file__).parents[1] / "tools/tiny_model/model"
DATA_SETS = ("tiny_arithmetic_gen", "tiny_arithmetic_base_gen")

SOLVED_BY_HAND = {
    "Tom has 12 apples. Mei gives Tom 30 more. How many apples does Tom have now?": 42,
    "There are 120 nuts in the box and 35 nuts on the table. How many nuts are there in all?": 155,
    "Tom read 18 pages on Monday and 25 pages on Tuesday. "
    "How many pages did Tom read in the two days?": 43,
    "Tom has 50 pens. Mei has 9 more pens than Tom. How many pens does Mei have?": 59,
    "Tom had 31 eggs and gave 11 of them to Mei. How many eggs does Tom have left?": 20,
    "A shop had 90 balls in the morning and sold 15 of them during the day. "
    "How many balls were left in the evening?": 75,
    "Tom has 70 cards and Mei has 44 cards. How many more cards does Tom have than Mei?": 26,
    "Tom wants to save $100 and has saved $61 so far. How many dollars are missing?": 39,
    "Tom buys 4 bags with 6 plums in each bag. How many plums does Tom buy?": 24,
    "One ticket costs $20. How many dollars does Tom pay for 3 tickets?": 60,
    "There are 5 rows of chairs with 8 chairs in each row. How many chairs are there?": 40,
    "Tom runs 2 miles every day. How many miles does Tom run in 14 days?": 28,
    "Tom has 33 coins. Mei has twice as many. How many coins does Mei have?": 66,
    "Tom shares 45 nuts equally among 9 friends. How many nuts does each friend get?": 5,
    "Tom packs 84 eggs into boxes of 12. How many boxes does Tom fill?": 7,
    "30 children are put into teams of 5. How many teams are there?": 6,
    "Tom has 48 coins. Mei has half as many. How many coins does Mei have?": 24,
    "Tom has 10 pens. Tom buys 7 more and then gives 5 to Mei. "
    "How many pens does Tom have left?": 12,
    "A bus has 20 people on it. At the first stop 8 people get off, and at the second stop "
    "5 people get on. How many people are on the bus now?": 17,
    "Tom picked 10 plums on Monday, 20 on Tuesday and 12 on Wednesday. "
    "How many plums did Tom pick in all?": 42,
    "Tom has $100. Tom buys a book for $15 and a game for $40. "
    "How many dollars does Tom have left?": 45,
    "Tom buys 3 boxes with 10 balls in each box and gives 7 of them to Mei. "
    "How many balls does Tom have left?": 23,
    "Tom has 9 cards and buys 2 packs with 5 cards in each pack. "
    "How many cards does Tom have now?": 19,
    "Tom works 8 hours a day for 5 days and earns $10 an hour. "
    "How many dollars does Tom earn?": 400,
    "Tom pays with $50 for 4 notebooks that cost $3 each. How many dollars does Tom get back?": 38,
    "Tom has 14 nuts and Mei has 16. They put them together and share them "
    "equally among 5 children. How many nuts does each child get?": 6,
    "Tom had 40 cards, lost 4 of them and put the rest into 6 equal piles. "
    "How many cards are in each pile?": 6,
    "There are 11 boys and 9 girls in a class. Every child brings 3 books. "
    "How many books do they bring in all?": 60,
    "A farmer has 25 hens and sells 15 of them. Every hen that is left lays 4 eggs a week. "
    "How many eggs does the farmer get in a week?": 40,
    "Tom puts 24 shells into 6 equal bags and then adds 3 more shells to one bag. "
    "How many shells are in that bag?": 7,
    "3 friends share 36 cookies equally. Tom is one of them and eats 2. "
    "How many cookies does Tom have left?": 10,
    "4 tickets cost $20 together. How many dollars do 7 tickets cost?": 35,
    "Tom has 10 coins. Mei has 5 more than Tom. How many coins do they have together?": 25,
    "Tom has 15 coins. Mei has twice as many. How many coins do they have together?": 45,
}
"""One of each kind."""

EQUATION = re.compile(r"(\d+) ([-+*/]) (\d+) = (\d+)\.")


def matched(template: Template, question: str) -> dict[str, int] | None:
    """The numbers of ``question`` if it is of the kind ``template``."""
    pattern, seen = "", set()
    for literal, slot in re.findall(r"([^{}]*)(?:\{(\w+)\})?", template.text):
        pattern += re.escape(literal)
        if slot:
            word = r"\d+" if slot in template.numbers else r"\w+"
            pattern += f"(?P={slot})" if slot in seen else f"(?P<{slot}>{word})"
            seen.add(slot)
    found = re.fullmatch(pattern, question)
    return {name: int(found[name]) for name in template.numbers} if found else None


def number_after(first: Fraction, sign: str, second: Fraction) -> Fraction:
    if sign in "+-":
        return first + (second if sign == "+" else -second)
    return first * (second if sign == "*" else 1 / second)


def made(name: str) -> tuple[Task, list[Sample]]:
    (entry,) = catalogue.find(name)
    (task,) = entry.make(Data())
    return task, list(task.samples())


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(MODEL / "tokenizer.json"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.text[:40])
def test_every_kind_of_problem_has_the_answer_that_a_person_finds(template: Template) -> None:
    found = {question: matched(template, question) for question in SOLVED_BY_HAND}
    ((question, numbers),) = ((text, known) for text, known in found.items() if known)
    assert solved(template, numbers)[-1].endswith(f" = {SOLVED_BY_HAND[question]}")


@given(seed=st.integers(), split=st.sampled_from(["train", "test"]))
def test_worked_steps_are_right_and_lead_from_the_question_to_the_answer(seed, split) -> None:
    for problem in islice(problems(split, str(seed)), 10):
        steps = EQUATION.findall(problem.worked)
        assert " ".join(f"{a} {sign} {b} = {c}." for a, sign, b, c in steps) == problem.worked
        for first, sign, second, result in steps:
            assert number_after(Fraction(first), sign, Fraction(second)) == Fraction(result)
        for (*_, result), (first, _, second, _) in pairwise(steps):
            assert result in (first, second)
        assert steps[-1][-1] == problem.target
        assert 1 <= int(problem.target) <= 999
        used = {number for first, _, second, _ in steps for number in (first, second)}
        assert set(re.findall(r"\d+", problem.question)) <= used


def test_all_names_things_and_kinds_come_up() -> None:
    asked = " ".join(problem.question for problem in islice(problems("train", "any"), 2000))
    assert all(word in asked for word in (*NAMES, *THINGS))
    rows = [row.question for row in packaged_rows()]
    assert all(any(matched(template, row) for row in rows) for template in TEMPLATES)


@given(seed=st.integers(), split=st.sampled_from(["train", "test"]))
def test_a_kind_of_problem_with_its_numbers_is_in_one_split_only(seed, split) -> None:
    for problem in islice(problems(split, str(seed)), 10):
        ((template, numbers),) = (
            (template, numbers)
            for template in TEMPLATES
            if (numbers := matched(template, problem.question))
        )
        assert split_of(template, numbers) == split


def test_packaged_rows_are_those_of_the_seed_and_none_is_in_a_training_set() -> None:
    made_rows = packaged_rows()
    for name in DATA_SETS:
        _, rows = made(name)
        assert [Problem(row.question, row.worked, row.target) for row in rows] == made_rows
    assert len({row.question for row in made_rows}) == 200
    trained = {problem.question for problem in islice(problems("train", "1"), 20_000)}
    assert trained.isdisjoint(row.question for row in made_rows)


def test_the_prompts_are_those_that_the_model_learnt() -> None:
    for name, prompt in zip(DATA_SETS, (str, formats.plain_prompt), strict=True):
        task, rows = made(name)
        assert [asker(task.prompt)(row)[0].content for row in rows] == [
            prompt(row.question) for row in rows
        ]


def test_the_model_folder_is_complete_and_small() -> None:
    sizes = {path.name: path.stat().st_size for path in MODEL.iterdir()}
    assert set(sizes) == {
        "README.md",
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    }
    assert sum(sizes.values()) < 4_000_000


def test_the_weights_are_half_precision_and_as_many_as_the_card_says() -> None:
    content = (MODEL / "model.safetensors").read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    tensors = [value for name, value in header.items() if name != "__metadata__"]
    assert {tensor["dtype"] for tensor in tensors} == {"BF16"}
    count = sum(math.prod(tensor["shape"]) for tensor in tensors)
    assert len(content) == start + 2 * count
    assert f"{count:,} parameters" in (MODEL / "README.md").read_text(encoding="utf-8")


def test_configuration_and_tokenizer_agree(tokenizer: Tokenizer) -> None:
    config, generation, special = (
        json.loads((MODEL / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("config", "generation_config", "tokenizer_config")
    )
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["vocab_size"] == tokenizer.get_vocab_size()
    assert config["max_position_embeddings"] == special["model_max_length"] >= 512
    for role in ("bos", "eos", "pad"):
        number = tokenizer.token_to_id(special[f"{role}_token"])
        assert number == config[f"{role}_token_id"] == generation[f"{role}_token_id"]
    assert special["chat_template"] == formats.CHAT_TEMPLATE


@given(text=st.text())
def test_the_tokenizer_keeps_any_text(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text).ids
    assert ids[0] == tokenizer.token_to_id(formats.BEGIN)
    if not any(token in text for token in formats.SPECIAL):
        assert tokenizer.decode(ids) == text


def test_a_prompt_and_its_answer_are_the_same_tokens_apart_and_together(
    tokenizer: Tokenizer,
) -> None:
    for row in packaged_rows()[:20]:
        prompt, answer = formats.plain_prompt(row.question), f" {row.answer}{formats.END}"
        apart = (
            tokenizer.encode(prompt).ids + tokenizer.encode(answer, add_special_tokens=False).ids
        )
        assert tokenizer.encode(prompt + answer).ids == apart
        assert tokenizer.encode(row.target).tokens[1:] == list(row.target)


@pytest.mark.slow  # loads torch and a model
@pytest.mark.filterwarnings("ignore")  # theirs
@pytest.mark.parametrize("name", DATA_SETS)
def test_the_model_answers_some_right_and_some_wrong(name: str) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from tiny_model.measure import answerer

    task, rows = made(name)
    ask, answer = asker(task.prompt), answerer(MODEL, chat=task.prompt.style == "chat")
    texts = [answer(ask(row)) for row in rows[:20]]
    assert all(re.search(r"The answer is \d+\.$", text) for text in texts)
    right = [task.scorer(text, row).value for text, row in zip(texts, rows, strict=False)]
    assert 0 < sum(right) < len(right)
