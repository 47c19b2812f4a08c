r"""Mathematical answers.

- The text rules (box, NFA, strip, equivalence) do what ``spec`` says, step by step.
- math-verify compares by meaning, in a process that a hanging comparison cannot outlive.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.core import Sample
from steelyard.scoring import check, math_v2, math_verify, math_verify_fixed
from steelyard.scoring.extract import boxed
from steelyard.scoring.math_check import Worker
from steelyard.scoring.mathtext import (
    equivalent,
    equivalent_v1,
    final_answer,
    normalised,
    stripped,
    stripped_v1,
)

LATEX = st.text(alphabet="123./{}()$ \\fracsqtexboduinj=,\n", max_size=40)


def sample(target: str) -> Sample:
    return Sample(id="1", question="?", target=target)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        (r"so \boxed{\frac{1}{2}}.", r"\frac{1}{2}"),
        (r"\boxed{1} or \boxed{2}", "2"),
        (r"\boxed{}", ""),
        (r"\boxed{1", ""),
        (r"\boxed 1", ""),
        (r"\fbox{1}", ""),
        (r"\boxed{1} then \boxed", ""),
        ("1", ""),
    ],
)
def test_the_last_box_is_read_to_its_matching_brace(text: str, content: str) -> None:
    assert boxed(text) == content


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"First. So $\boxed{ 5 }$. The answer is 6", " 5 "),
        (r"\boxed{{5}}", "5"),
        (r"\boxed{{1}+{2}}", "1}+{2"),
        ("It is 3. The answer is $x = 4$. Good", "x=4"),
        ("It is 3. The Final Answer: 4 cm. Good", "TheFinalAnswer:4"),
        (r"\boxed{}. My final answer is 7", "7"),
        ("10 dollars. That is all", "10"),
        ("", ""),
    ],
)
def test_a_final_answer_is_box_statement_or_first_sentence(text: str, answer: str) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("answer", "normal"),
    [
        ("an apple and a pear", "appleandpear"),
        ("5 square inches", "5"),
        (r"\$1,000", "1000"),
        ("1,2", "12"),
        ("1,a", "1,a"),
        (r"90^\circ", "90"),
        (r"\text{(B)}", "B"),
        (r"\text{cats}", "cats"),
        (r"x \text{and} y", "x,y"),
        (r"\textbf{3}", "3"),
        (r"\overline{ab} + \overline{c}", "ab+c"),
        (r"\boxed{a{b}} c", "a{b}c"),
        (r"\boxed{3", r"\boxed{3"),
        ("the final answer is 7", "7"),
        ("answe is: 8", "8"),
        ("$2$ or $3$", "3"),
        ("rac12", r"\frac{1}{2}"),
        (r"\frac34", r"\frac{3}{4}"),
        ("sqrt2", "sqrt{2}"),
        (r"x \le 4", "x<4"),
        ("5 pounds\nand 3 cm", "5and3"),
    ],
)
def test_normalising_an_answer(answer: str, normal: str) -> None:
    assert normalised(answer) == normal


@pytest.mark.parametrize(
    ("answer", "plain"),
    [
        (" 5. ", "5"),
        (r"\dfrac{1}{2}", r"\frac{1}{2}"),
        (r"\frac12", r"\frac{1}{2}"),
        (r"\frac1{72}", r"\frac{1}{72}"),
        (r"\frac1", r"\frac1"),
        ("3/4", r"\frac{3}{4}"),
        ("-3/4", r"\frac{-3}{4}"),
        ("03/4", "03/4"),
        ("1/2/3", "1/2/3"),
        (r"\left( 1, 2 \right)", "(1,2)"),
        (r"5 \text{ cm}", "5"),
        (r"\text{east}", "{east}"),
        (r"\$5\%", "5"),
        (r"90^{\circ}", "90"),
        (".5", "0.5"),
        ("12.000", "12"),
        ("12.000x", "12x"),
        ("5.000.0", "5"),
        ("k = 5", "5"),
        ("long=5", "long=5"),
        (r"\sqrt3", r"\sqrt{3}"),
        ("infinity", r"\infty"),
        ("inf", r"\infty"),
        ("2j", "2i"),
        ("2ij", "2ij"),
        (r"x\in[1,2]", "[1,2]"),
        (r"\mbox{a}4", "4"),
        ("", ""),
    ],
)
def test_stripping_by_rule_v2(answer: str, plain: str) -> None:
    assert stripped(answer) == plain


@pytest.mark.parametrize(
    ("answer", "plain"),
    [
        ("5.", "5."),
        (r"5\text{ cm}", "5"),
        (r"\text{ a}\text{ b}", None),
        ("0.5", r"\frac{1}{2}"),
        (".5", r"\frac{1}{2}"),
        (r"\sqrt3 + \sqrt{5}", r"\sqrt{3}+\sqrt{5}"),
        (r"\sqrt", None),
        (r"10\%", "10"),
        ("", ""),
    ],
)
def test_stripping_by_rule_v1(answer: str, plain: str | None) -> None:
    assert stripped_v1(answer) == plain


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"\frac12", "1/2", True),
        ("10 cm", "10", True),
        (r"10\text{ cm}", "10", True),
        ("0.5", r"\frac{1}{2}", False),
        ("x", "y", False),
        (None, None, True),
        (None, "x", False),
    ],
)
def test_equivalence_v2(one: str | None, other: str | None, same: bool) -> None:
    assert equivalent(one, other) is same
    assert equivalent(other, one) is same


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0.5", r"\frac{1}{2}", True),
        (r"\sqrt", "sqrt", False),
        (r"\sqrt", r"\sqrt", True),
        (None, None, True),
        ("x", None, False),
    ],
)
def test_equivalence_v1(one: str | None, other: str | None, same: bool) -> None:
    assert equivalent_v1(one, other) is same


@given(LATEX)
def test_every_answer_equals_itself(latex: str) -> None:
    assert equivalent(latex, latex)
    assert equivalent_v1(latex, latex)


@pytest.mark.parametrize("piece", [r"\text{(", r"\boxed{", r"\overline{", "1", r"\text{ and } "])
def test_a_repetitive_answer_of_100_kb_is_compared_at_once(piece: str) -> None:
    begun_s = time.process_time()
    math_v2(piece * (100_000 // len(piece)), sample("18"))
    assert time.process_time() - begun_s < 3


def test_math_v2_reads_then_compares() -> None:
    assert math_v2(r"Thus $\boxed{\dfrac{3}{4}}$.", sample("3/4")).value == 1
    assert math_v2("The answer is 12 dollars", sample("12")).value == 1
    assert math_v2(r"\boxed{7}", sample("8")).answer == "7"
    assert math_v2("", sample("8")).answer is None


def test_the_gold_solutions_of_math_500_get_full_marks_by_the_text_rule(shared: Path) -> None:
    for row in math500(shared):
        target = boxed(row["solution"])
        assert math_v2(row["solution"], sample(target)).value == 1


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    pytest.importorskip("math_verify")
    one = Worker()
    yield one
    one.close()


@pytest.mark.parametrize(
    ("text", "gold", "strict", "lenient"),
    [
        (r"so $x = \boxed{\frac{1}{2}}$", "0.5", 1, 1),
        (r"\boxed{1}? No: counting again gives $x = \boxed{2}$", "2", 1, 1),
        (r"\boxed{1} and \boxed{2}", r"\{1, 2\}", 1, 1),
        (r"so $x = \boxed{5}$ apples", "5", 1, 1),
        (r"\boxed{(1, 2)}", r"\left( 1, 2 \right)", 1, 1),
        (r"\boxed{2\sqrt{3}}", r"\sqrt{12}", 1, 1),
        (r"\boxed{\text{east}}", r"\text{east}", 1, 1),
        (r"\boxed{\$36}", r"\$36", 1, 1),
        (r"The final answer is $\frac{3}{4}$", r"so \boxed{\frac{3}{4}}", 1, 1),
        (r"$\frac{3}{4}$", r"\frac{3}{4}", 0, 1),
        (r"答案是 $\boxed{5}$。", "5", 1, 1),
        (r"\boxed{6}", "5", 0, 0),
        (r"\boxed{\frac43}", r"\frac{4}{3}", 0, 1),
        ("The answer is 5.", "5", 0, 1),
        (r"\frac{3}{4}", r"\frac{3}{4}", 0, 1),
        ("", "5", 0, 0),
    ],
)
def test_math_verify_compares_by_meaning(worker, text, gold, strict, lenient) -> None:
    assert worker.compare(text, gold, lenient=False).value == strict
    assert worker.compare(text, gold, lenient=True).value == lenient


def test_a_bare_gold_answer_is_read_as_maths_not_as_its_last_number(worker: Worker) -> None:
    assert worker.compare(r"\boxed{4}", r"\frac{3}{4}", lenient=False).value == 0
    assert worker.compare(r"\boxed{0.75}", r"\frac{3}{4}", lenient=False).value == 1


def test_an_answer_without_maths_is_unparsed(worker: Worker) -> None:
    assert worker.compare("I cannot tell", "5", lenient=False).answer is None
    assert worker.compare("I cannot tell", "5", lenient=True).answer is None
    assert worker.compare(r"\boxed{0.50}", "1/2", lenient=False).answer == "0.50"


def test_a_gold_answer_that_cannot_be_read_is_said_to_be_so(worker: Worker) -> None:
    verdict = worker.compare(r"\boxed{5}", "", lenient=False)
    assert verdict.value == 0
    assert "gold" in verdict.why


def test_a_comparison_that_hangs_is_wrong_and_the_next_one_works() -> None:
    pytest.importorskip("math_verify")
    impatient = Worker(limit_s=1.0)
    try:
        verdict = impatient.compare(r"\boxed{9^{9^{9^{9}}}}", "1", lenient=False)
        assert (verdict.value, verdict.answer) == (0.0, "")
        assert "longer than 1 s" in verdict.why
        assert impatient.compare(r"\boxed{1}", "1", lenient=False).value == 1
    finally:
        impatient.close()


def test_a_process_that_died_in_between_is_replaced(worker: Worker) -> None:
    assert worker.compare(r"\boxed{1}", "1", lenient=False).value == 1
    assert worker._link is not None
    worker._link.process.kill()
    worker._link.process.wait()
    assert worker.compare(r"\boxed{1}", "1", lenient=False).value == 1


def test_closing_a_worker_that_never_started_does_nothing() -> None:
    Worker().close()


def test_the_process_ends_with_the_interpreter_without_a_word() -> None:
    pytest.importorskip("math_verify")
    program = (
        "from steelyard.core import Sample; from steelyard.scoring import math_verify; "
        r"print(math_verify('\\boxed{2}', Sample(id='1', question='?', target='2')).value)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("1.0\n", "")


def test_math_verify_is_not_for_live_marking_and_can_be_checked_beforehand() -> None:
    pytest.importorskip("math_verify")
    assert not math_verify.live
    assert not math_verify_fixed.live
    check(math_verify)


def test_a_missing_package_is_told_with_its_install_line() -> None:
    program = (
        "import importlib.util, sys; sys.modules['math_verify'] = None; "
        "from steelyard.scoring import check, math_verify; check(math_verify)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert "pip install 'steelyard[math]'" in done.stderr


def test_a_broken_installation_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "math_verify.py").write_text("import no_such_parser", encoding="utf-8")
    program = (
        "from steelyard.scoring.math_check import Worker; Worker().compare('1', '1', lenient=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
        },
    )
    assert "ConfigError: math-verify could not be started" in done.stderr
    assert "no_such_parser" in done.stderr


def test_the_500_gold_answers_get_full_marks_in_seconds(worker: Worker, shared: Path) -> None:
    begun_s = time.monotonic()
    rows = math500(shared)
    careless = [
        row["answer"]
        for row in rows
        if worker.compare(row["solution"], row["answer"], lenient=False).value == 0
    ]
    assert len(careless) == 8
    for row in rows:
        assert worker.compare(row["solution"], row["answer"], lenient=True).value == 1
    assert time.monotonic() - begun_s < 60


def math500(shared: Path) -> list[dict[str, str]]:
    path = shared / "datasets" / "math" / "test_prm800k_500.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
