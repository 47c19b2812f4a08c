"""What is promised of every data set in the catalogue, checked on the real data.

Where the data may not be copied, it is checked on made-up rows in its layout.

- Every promised name exists and makes tasks with the promised names and numbers of rows.
- A right answer gets full marks and a wrong one none, for every row, under every marking rule.
- Ids are unique, and no prompt shows the answer that it asks for.
- Load data sets have no right answers at all, and every row of theirs can be asked.

A data set added to the folder is tested here without another line, except its names and counts.
"""

from collections import Counter
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

import made_up
import sandboxes
import small_tokenizer
from steelyard.config.suite import SUITE
from steelyard.core import (
    DataError,
    LikelihoodScorer,
    MissingData,
    Sample,
    Sampling,
    Scorer,
    Task,
)
from steelyard.scoring import is_sandboxed
from steelyard.tasks import catalogue
from steelyard.tasks.asking import requests
from steelyard.tasks.data import Data
from steelyard.tasks.groups import GROUPS
from steelyard.tasks.merge import merged
from steelyard.tasks.prompting import asker, gold_text, wrong_text

ROWS = {
    "gsm8k": ("gsm8k", 1, 1319),
    "demo_gsm8k": ("demo_gsm8k", 1, 8),
    "aime2024": ("aime2024", 1, 30),
    "aime2025": ("aime2025", 1, 30),
    "math": ("math_prm800k_500", 1, 500),
    "mmlu": ("lukaemon_mmlu_abstract_algebra", 57, 14042),
    "mmlu_pro": ("mmlu_pro_computer_science", 14, 12032),
    "gpqa": ("GPQA_diamond", 1, 8),
    "hle": ("hle", 1, 6),
    "aa_lcr": ("aa_lcr", 1, 4),
    "ceval": ("ceval-law", 52, 1346),
    "cmmlu": ("cmmlu-college_law", 67, 11582),
    "ARC-c": ("ARC-c", 1, 1165),
    "ARC-e": ("ARC-e", 1, 2365),
    "arc_challenge_lm_eval": ("arc_challenge_lm_eval", 1, 1172),
    "arc_easy_lm_eval": ("arc_easy_lm_eval", 1, 2376),
    "hellaswag": ("hellaswag", 1, 1000),
    "hellaswag_lm_eval": ("hellaswag_lm_eval", 1, 1000),
    "piqa": ("piqa", 1, 1838),
    "piqa_lm_eval": ("piqa_lm_eval", 1, 1838),
    "siqa": ("siqa", 1, 1954),
    "winogrande": ("winogrande", 1, 1267),
    "winogrande_lm_eval": ("winogrande_lm_eval", 1, 1267),
    "BoolQ": ("BoolQ", 1, 3270),
    "boolq_lm_eval": ("boolq_lm_eval", 1, 3270),
    "ifeval": ("ifeval", 1, 541),
    "humaneval": ("openai_humaneval", 1, 164),
    "mbpp": ("mbpp_passk", 1, 500),
    "sanitized_mbpp": ("sanitized_mbpp_passk", 1, 257),
    "livecodebench_v4_v5": ("lcb_code_generation", 1, 4),
    "livecodebench_v6": ("lcb_code_generation_v6", 1, 2),
    "livecodebench_v4_v5_v6": ("lcb_code_generation_v4_v5_v6", 1, 6),
    "livecodebench_guide": ("lcb_code_generation", 1, 2),
    "tiny_arithmetic": ("tiny_arithmetic", 1, 200),
    "tiny_arithmetic_base": ("tiny_arithmetic_base", 1, 200),
}
"""One of the task names, the number of tasks and of rows in all (GPQA, HLE, AA-LCR, LiveCodeBench:
made-up)."""

NAMES = {
    "gsm8k": [
        "gsm8k_gen",
        "gsm8k_gen_4_shot_cot_str",
        "gsm8k_gen_4_shot_cot_chat_prompt",
        "gsm8k_gen_0_shot_cot_str",
        "gsm8k_gen_0_shot_cot_str_perf",
        "gsm8k_gen_0_shot_cot_chat_prompt",
        "gsm8k_gen_0_shot_noncot_chat_prompt",
    ],
    "demo_gsm8k": [
        "demo_gsm8k_gen",
        "demo_gsm8k_gen_4_shot_cot_chat_prompt",
        "demo_gsm8k_gen_0_shot_cot_str_perf",
    ],
    "aime2024": ["aime2024_gen", "aime2024_gen_0_shot_str", "aime2024_gen_0_shot_chat_prompt"],
    "aime2025": [
        "aime2025_gen",
        "aime2025_gen_0_shot_chat_prompt",
        "aime2025_gen_0_shot_llmjudge",
        "aime2025_judge_gen",
    ],
    "math": [
        "math500_gen",
        "math500_gen_0_shot_cot_chat_prompt",
        "math_prm800k_500_0shot_cot_gen",
        "math_prm800k_500_5shot_cot_gen",
    ],
    "mmlu": [
        "mmlu_gen",
        "mmlu_gen_5_shot_str",
        "mmlu_gen_5_shot_chat_prompt",
        "mmlu_gen_0_shot_cot_chat_prompt",
        "mmlu_ppl_0_shot_str",
    ],
    "mmlu_pro": [
        "mmlu_pro_gen",
        "mmlu_pro_gen_0_shot_str",
        "mmlu_pro_gen_5_shot_str",
        "mmlu_pro_judge_gen",
    ],
    "gpqa": [
        "gpqa_gen",
        "gpqa_gen_0_shot_str",
        "gpqa_gen_0_shot_cot_chat_prompt",
        "gpqa_judge_gen",
    ],
    "hle": ["hle_llmjudge", "hle_judge_gen"],
    "aa_lcr": ["aa_lcr_llmjudge"],
    "ceval": [
        "ceval_gen",
        "ceval_gen_5_shot_str",
        "ceval_gen_0_shot_str",
        "ceval_gen_0_shot_str_perf",
        "ceval_gen_0_shot_cot_chat_prompt",
        "ceval_gen_0_shot_noncot_chat_prompt",
        "ceval_ppl_0_shot_str",
    ],
    "cmmlu": [
        "cmmlu_gen",
        "cmmlu_gen_0_shot_cot_chat_prompt",
        "cmmlu_gen_5_shot_cot_chat_prompt",
        "cmmlu_ppl_0_shot_cot_chat_prompt",
    ],
    "ARC-c": [
        "ARC_c_gen_0_shot_chat_prompt",
        "ARC_c_gen_25_shot_chat_prompt",
        "ARC_c_ppl_0_shot_str",
    ],
    "ARC-e": [
        "ARC_e_gen_0_shot_chat_prompt",
        "ARC_e_gen_25_shot_chat_prompt",
        "ARC_e_ppl_0_shot_str",
    ],
    "arc_challenge_lm_eval": ["arc_challenge_lm_eval"],
    "arc_easy_lm_eval": ["arc_easy_lm_eval"],
    "hellaswag": [
        "hellaswag_gen_0_shot_chat_prompt",
        "hellaswag_gen_10_shot_chat_prompt",
        "hellaswag_ppl_0_shot_chat_prompt",
    ],
    "hellaswag_lm_eval": ["hellaswag_lm_eval"],
    "piqa": ["piqa_gen_0_shot_chat_prompt", "piqa_gen_0_shot_str", "piqa_ppl_0_shot_str"],
    "piqa_lm_eval": ["piqa_lm_eval"],
    "siqa": ["siqa_gen", "siqa_gen_0_shot_chat", "siqa_ppl_0_shot_chat"],
    "winogrande": ["winogrande_gen_0_shot_chat_prompt", "winogrande_gen_5_shot_chat_prompt"],
    "winogrande_lm_eval": ["winogrande_lm_eval"],
    "BoolQ": [
        "SuperGLUE_BoolQ_gen",
        "SuperGLUE_BoolQ_gen_0_shot_str",
        "SuperGLUE_BoolQ_gen_0_shot_str_perf",
        "SuperGLUE_BoolQ_gen_0_shot_cot_str",
        "SuperGLUE_BoolQ_gen_0_shot_noncot_str",
        "SuperGLUE_BoolQ_gen_5_shot_str",
    ],
    "boolq_lm_eval": ["boolq_lm_eval"],
    "ifeval": ["ifeval_gen", "ifeval_0_shot_gen_str"],
    "humaneval": ["humaneval_gen_0_shot", "humaneval_gen_0_shot_perf"],
    "mbpp": ["mbpp_passk_gen_3_shot_chat_prompt"],
    "sanitized_mbpp": ["sanitized_mbpp_passk_gen_3_shot_chat_prompt"],
    "livecodebench_v4_v5": [
        "livecodebench_code_generate_lite_gen_0_shot_chat",
        "livecodebench_code_generate_lite_gen_0_shot_chat_v4_v5",
    ],
    "livecodebench_v6": ["livecodebench_code_generate_lite_gen_0_shot_chat_v6"],
    "livecodebench_v4_v5_v6": ["livecodebench_code_generate_lite_gen_0_shot_chat_v4_v5_v6"],
    "livecodebench_guide": ["livecodebench_v6_gen"],
    "tiny_arithmetic": ["tiny_arithmetic_gen"],
    "tiny_arithmetic_base": ["tiny_arithmetic_base_gen"],
}
ALIASES = {
    "gsm8k_gen": "gsm8k_gen_4_shot_cot_str",
    "demo_gsm8k_gen": "demo_gsm8k_gen_4_shot_cot_chat_prompt",
    "aime2024_gen": "aime2024_gen_0_shot_str",
    "aime2025_gen": "aime2025_gen_0_shot_chat_prompt",
    "math500_gen": "math500_gen_0_shot_cot_chat_prompt",
    "mmlu_gen": "mmlu_gen_5_shot_str",
    "mmlu_pro_gen": "mmlu_pro_gen_0_shot_str",
    "gpqa_gen": "gpqa_gen_0_shot_str",
    "ceval_gen": "ceval_gen_5_shot_str",
    "cmmlu_gen": "cmmlu_gen_0_shot_cot_chat_prompt",
    "ifeval_gen": "ifeval_0_shot_gen_str",
    "livecodebench_code_generate_lite_gen_0_shot_chat_v4_v5": (
        "livecodebench_code_generate_lite_gen_0_shot_chat"
    ),
    "siqa_gen": "siqa_gen_0_shot_chat",
    "SuperGLUE_BoolQ_gen": "SuperGLUE_BoolQ_gen_0_shot_str",
}

LOAD_NAMES = [
    "azure_trace_gen",
    "mooncake_trace_gen",
    "mtbench_gen",
    "sharegpt_gen",
    "synthetic_gen",
    "synthetic_gen_string",
    "synthetic_gen_tokenid",
]
"""For measuring speed: nothing in them can be marked."""

SUBJECTIVE_NAMES = [
    "alpaca_eval_judge_gen",
    "arena_hard_judge_gen",
    "gedit_gen_0_shot_llmjudge",
    "mtbench_judge_gen",
    "mtbench_pairwise_judge_gen",
]
"""A judge rates or compares their answers; nothing in them is right (test_subjective_run,
test_picture_run)."""

EVERY_NAME = [name for names in NAMES.values() for name in names]
OWN_NAMES = [name for name in EVERY_NAME if name not in ALIASES]
LIKELIHOOD_NAMES = [name for name in OWN_NAMES if "_ppl_" in name or name.endswith("_lm_eval")]
ASKING_NAMES = [name for name in OWN_NAMES if name not in LIKELIHOOD_NAMES]
UNWRITABLE_NAMES = [
    "ifeval_0_shot_gen_str",
    *(name for name in OWN_NAMES if name.startswith("livecodebench")),
]
"""No template writes a right answer to these: it has to follow instructions, or be a program."""
GOLD_NAMES = [name for name in ASKING_NAMES if name not in UNWRITABLE_NAMES]

SLOW_EVERY = 25
"""A rule that is not live marks all rows where it is the default; else every 25th. Programs are
run for every 25th too: test_code_rules runs all of them."""


@cache
def tasks(shared: Path, name: str) -> tuple[Task, ...]:
    (entry,) = catalogue.find(name)
    return entry.make(Data((shared / "datasets", made_up.folder())))


@cache
def sampled(shared: Path, name: str) -> list[tuple[Task, list[Sample]]]:
    return [(task, list(task.samples())) for task in tasks(shared, name)]


def text_rules(task: Task) -> list[Scorer]:
    """The task's own rule and those beside it; all of them mark texts."""
    rules = (task.scorer, *task.variants.values())
    found = [rule for rule in rules if not isinstance(rule, LikelihoodScorer)]
    assert len(found) == len(rules)
    return found


def unreachable(scorer: Scorer, sample: Sample) -> bool:
    """AISBench's 5-shot rule for MMLU-Pro gives no marks at all for some options."""
    return (
        scorer.id == "mmlu_pro_5_shot@1"
        and ". " in sample.choices["ABCDEFGHIJ".index(str(sample.target))]
    )


def test_the_catalogue_has_every_promised_name_and_no_other() -> None:
    assert sorted(catalogue.names()) == sorted(EVERY_NAME + LOAD_NAMES + SUBJECTIVE_NAMES)


@pytest.mark.parametrize("alias", ALIASES)
def test_a_short_name_is_the_promised_data_set(shared: Path, alias: str) -> None:
    for short, long in zip(tasks(shared, alias), tasks(shared, ALIASES[alias]), strict=True):
        assert (short.name, short.prompt, short.scorer.id, short.variants) == (
            long.name,
            long.prompt,
            long.scorer.id,
            long.variants,
        )


@pytest.mark.parametrize("name", OWN_NAMES)
def test_a_name_makes_the_promised_tasks_with_all_rows(shared: Path, name: str) -> None:
    family = next(family for family, names in NAMES.items() if name in names)
    abbr, task_count, row_count = ROWS[family]
    made = sampled(shared, name)
    assert abbr in [task.name for task, _ in made]
    assert (len(made), sum(len(rows) for _, rows in made)) == (task_count, row_count)


@pytest.mark.parametrize("name", UNWRITABLE_NAMES)
def test_where_no_template_writes_a_right_answer_it_says_so(shared: Path, name: str) -> None:
    for task, rows in sampled(shared, name):
        with pytest.raises(DataError, match="cannot be written down"):
            gold_text(task, rows[0])


@pytest.mark.parametrize("name", GOLD_NAMES)
def test_the_gold_answer_gets_full_marks_and_a_wrong_one_none(shared: Path, name: str) -> None:
    for task, rows in sampled(shared, name):
        for scorer in text_rules(task):
            all_rows = scorer.live or (scorer is task.scorer and not is_sandboxed(scorer))
            if is_sandboxed(scorer):
                sandboxes.needed()
            for row in rows if all_rows else rows[::SLOW_EVERY]:
                right = scorer(gold_text(task, row), row)
                wrong = scorer(wrong_text(task, row), row)
                expected = 0.0 if unreachable(scorer, row) else 1.0
                assert (right.value, wrong.value) == (expected, 0.0), (scorer.id, row, right, wrong)


@pytest.mark.parametrize("name", LOAD_NAMES)
def test_a_load_data_set_has_no_right_answers(shared: Path, tmp_path: Path, name: str) -> None:
    (entry,) = catalogue.find(name)
    tokenizer = small_tokenizer.put("byte_level", tmp_path)
    (task,) = entry.make(Data((shared / "datasets",), tokenizer=tokenizer))
    rows = list(islice(task.samples(), 20))
    assert [row.target for row in rows] == [None] * 20
    assert len({row.id for row in rows}) == 20
    asked = list(requests(task, rows, sampling=Sampling()))
    assert [one.messages[-1].content for one in asked] == [row.question for row in rows]
    with pytest.raises(DataError, match="no right answer"):
        gold_text(task, rows[0])


@pytest.mark.parametrize("name", OWN_NAMES)
def test_ids_are_unique_and_usable_in_keys(shared: Path, name: str) -> None:
    for _, rows in sampled(shared, name):
        assert max(Counter(row.id for row in rows).values()) == 1
        assert not any("#" in row.id for row in rows)


@pytest.mark.parametrize("name", ASKING_NAMES)
def test_a_prompt_holds_the_question_and_every_option_and_nothing_unfilled(
    shared: Path, name: str
) -> None:
    for task, rows in sampled(shared, name):
        ask = asker(task.prompt)
        for row in rows[:5]:
            text = str(ask(row)[-1].content)
            assert all(part in text for part in (str(row.question), *row.choices))
            unfilled = text.replace(str(row.question), "")
            assert not any(
                f"{{{field}}}" in unfilled for field in ("subject", "category", "question")
            )


@pytest.mark.parametrize(
    ("name", "shots"),
    [
        ("gsm8k_gen_4_shot_cot_str", 4),
        ("gsm8k_gen_4_shot_cot_chat_prompt", 4),
        ("demo_gsm8k_gen", 4),
        ("math_prm800k_500_5shot_cot_gen", 5),
        ("mmlu_gen_5_shot_str", 5),
        ("mmlu_gen_5_shot_chat_prompt", 5),
        ("ceval_gen_5_shot_str", 5),
        ("cmmlu_gen_5_shot_cot_chat_prompt", 5),
        ("mmlu_ppl_0_shot_str", 5),
        ("ceval_ppl_0_shot_str", 5),
        ("ARC_c_gen_25_shot_chat_prompt", 25),
        ("SuperGLUE_BoolQ_gen_5_shot_str", 5),
        ("mbpp_passk_gen_3_shot_chat_prompt", 3),
        ("sanitized_mbpp_passk_gen_3_shot_chat_prompt", 3),
        ("humaneval_gen_0_shot", 0),
        ("mmlu_gen_0_shot_cot_chat_prompt", 0),
        ("gsm8k_gen_0_shot_cot_str", 0),
    ],
)
def test_a_task_shows_as_many_examples_as_its_name_says(
    shared: Path, name: str, shots: int
) -> None:
    for task in tasks(shared, name):
        shown = task.shots()
        assert len(shown) == shots
        assert all(shot.target for shot in shown)


def test_the_demo_needs_no_data_folder() -> None:
    (entry,) = catalogue.find("demo_gsm8k_gen")
    (task,) = entry.make(Data())
    asked = list(requests(task, task.samples(), sampling=Sampling()))
    assert len(asked) == 8
    roles = [message.role for message in asked[0].messages]
    assert roles == ["user", "assistant"] * 4 + ["user"]


def test_a_four_shot_prompt_reads_like_this(shared: Path) -> None:
    ((task, rows),) = sampled(shared, "gsm8k_gen_4_shot_cot_str")
    (message,) = asker(task.prompt, task.shots()[:1])(rows[1])
    assert message.content == (
        "Question: Natalia sold clips to 48 of her friends in April, and then she sold half as "
        "many clips in May. How many clips did Natalia sell altogether in April and May?\n"
        "Let's think step by step.\n"
        "Answer: Natalia sold 48/2 = 24 clips in May.\n"
        "Natalia sold 48+24 = 72 clips altogether in April and May.\n"
        "The answer is 72.\n"
        "\n"
        "Question: A robe takes 2 bolts of blue fiber and half that much white fiber.  How many "
        "bolts in total does it take?\n"
        "Let's think step by step.\n"
        "Answer:"
    )


def test_a_five_shot_exam_reads_like_this(shared: Path) -> None:
    task, rows = sampled(shared, "ceval_gen_5_shot_str")[0]
    (message,) = asker(task.prompt, task.shots()[:1])(rows[0])
    assert message.content == (
        "以下是中国计算机网络考试的单项选择题，请选出正确答案。\n"
        "\n"
        "下列设备属于资源子网的是____。\n"
        "A. 计算机软件\n"
        "B. 网桥\n"
        "C. 交换机\n"
        "D. 路由器\n"
        "答案: A\n"
        "\n"
        "使用位填充方法，以01111110为位首flag，数据为011011111111111111110010，求问传送时要添加几个0____\n"
        "A. 1\n"
        "B. 2\n"
        "C. 3\n"
        "D. 4\n"
        "答案: "
    )


def test_leading_zeros_of_an_answer_sheet_do_not_count(shared: Path) -> None:
    ((task, rows),) = sampled(shared, "aime2024_gen_0_shot_str")
    row = next(row for row in rows if row.target == "25")
    assert text_rules(task)[0]("\\boxed{25}", row).value == 1.0


def test_five_shot_mmlu_pro_says_that_the_validation_split_is_missing(shared: Path) -> None:
    task = tasks(shared, "mmlu_pro_gen_5_shot_str")[0]
    with pytest.raises(MissingData, match=r"validation-00000-of-00001\.parquet was not found"):
        requests(task, task.samples(), sampling=Sampling())


def test_five_shot_mmlu_pro_shows_the_examples_of_its_category(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [
        {
            "question_id": number,
            "question": f"{category}?",
            "options": ["yes", "no", "N/A"],
            "answer": "B",
            "cot_content": "A: Let's think step by step. No. The answer is (B).",
            "category": category,
        }
        for number, category in enumerate(("law", "math"))
    ]
    (tmp_path / "mmlu_pro").mkdir()
    for split in ("test", "validation"):
        path = tmp_path / f"mmlu_pro/{split}-00000-of-00001.parquet"
        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    (entry,) = catalogue.find("mmlu_pro_gen_5_shot_str")
    made = {task.name: task for task in entry.make(Data((tmp_path,)))}
    law = made["mmlu_pro_law"]
    (shot,) = law.shots()
    assert (shot.question, shot.choices) == ("law?", ("yes", "no"))
    (message,) = asker(law.prompt, [shot])(next(iter(law.samples())))
    assert str(message.content).endswith(
        "\nQuestion:\nlaw?\nOptions:\nA. yes\nB. no\n"
        "Answer: Let's think step by step. No. The answer is (B).\n"
        "\n"
        "Question:\nlaw?\nOptions:\nA. yes\nB. no\nAnswer: Let's think step by step."
    )


@pytest.mark.parametrize(
    ("name", "merged_name", "row_count"),
    [
        ("mmlu_gen", "mmludataset", 14042),
        ("mmlu_pro_gen", "mmluprodataset", 12032),
        ("ceval_gen", "cevaldataset", 1346),
        ("cmmlu_gen", "cmmludataset", 11582),
    ],
)
def test_sub_data_sets_can_run_as_one(
    shared: Path, name: str, merged_name: str, row_count: int
) -> None:
    whole = merged(tasks(shared, name))
    rows = list(whole.samples())
    assert whole.name == merged_name
    assert len({row.id for row in rows}) == row_count


def test_groups_name_only_existing_tasks_and_weigh_by_their_questions(shared: Path) -> None:
    count = {
        task.name: len(rows)
        for name in ("mmlu_gen", "mmlu_pro_gen", "ceval_gen", "cmmlu_gen")
        for task, rows in sampled(shared, ALIASES[name])
    }
    for group in GROUPS:
        if group.partial:
            continue
        assert set(group.members) <= set(count)
        if group.weights is not None:
            assert group.weights == {member: count[member] for member in group.members}


def test_the_core_average_is_that_of_the_generated_suite() -> None:
    (core,) = (group for group in GROUPS if group.partial)
    assert set(core.members) == {ref.abbr or name for name, ref in SUITE.items()}
    assert len(core.members) == 6


def test_groups_have_the_promised_names_and_sizes() -> None:
    assert {group.name: len(group.members) for group in GROUPS if not group.partial} == {
        "mmlu-humanities": 13,
        "mmlu-stem": 19,
        "mmlu-social-science": 12,
        "mmlu-other": 13,
        "mmlu": 57,
        "mmlu-weighted": 57,
        "ceval-stem": 20,
        "ceval-social-science": 10,
        "ceval-humanities": 11,
        "ceval-other": 11,
        "ceval-hard": 8,
        "ceval": 52,
        "ceval-weighted": 52,
        "cmmlu-humanities": 13,
        "cmmlu-stem": 17,
        "cmmlu-social-science": 22,
        "cmmlu-other": 15,
        "cmmlu-china-specific": 15,
        "cmmlu": 67,
        "cmmlu-weighted": 67,
        "mmlu_pro": 14,
        "mmlu_pro-weighted": 14,
    }
