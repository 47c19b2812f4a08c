"""What the results file of a job promises.

- Metric names stand at the top level with their numbers, where scripts look for them.
- What is known is all there: counts, failures by kind, intervals, the rule, what it came from.
- It reads back as it was; anything else is refused with advice.
- The same results give the same bytes.
"""

import json

import pytest

from steelyard.core import DataError, Metric
from steelyard.reports import Detail, Results, read_results, results_json

ACCURACY = Metric(
    name="accuracy", value=56.7, n=1305, n_failed=14, n_unparsed=3, low=54.0, high=59.3
)
RESULTS = Results(
    model="vllm-api-general-chat",
    dataset="gsm8k",
    version="84f965",
    total=1319,
    answered=1305,
    failed=14,
    unparsed=3,
    truncated=2,
    failures={"status 500": 9, "timeout": 5},
    scorer="gsm8k@1",
    metrics=(ACCURACY, Metric(name="pass@5", value=80.0, n=261)),
    variants={"fixed": Metric(name="accuracy", value=57.1, n=1305)},
    aisbench_accuracy=56.1,
    source_digest="ab" * 32,
)
DETAIL = Detail(
    key="0001#0",
    prompt="1 + 1 = ?",
    origin_prediction="答案是 2",
    predictions="2",
    references="2",
    correct=True,
)


def without_answers() -> Results:
    return Results(
        model="m",
        dataset="d",
        version="v",
        total=3,
        answered=0,
        failed=3,
        scorer="s@1",
        metrics=(),
        source_digest="",
    )


def test_metrics_stand_at_the_top_level_with_their_counts_and_interval() -> None:
    found = json.loads(results_json(RESULTS))
    assert list(found)[:2] == ["accuracy", "pass@5"]
    expected = {
        "accuracy": 56.7,
        "pass@5": 80.0,
        "n": 1305,
        "low": 54.0,
        "high": 59.3,
        "total": 1319,
        "answered": 1305,
        "failed": 14,
        "unasked": 0,
        "unparsed": 3,
        "truncated": 2,
        "failures": {"status 500": 9, "timeout": 5},
        "scorer": "gsm8k@1",
        "aisbench_accuracy": 56.1,
        "source_digest": "ab" * 32,
    }
    assert {name: found[name] for name in expected} == expected
    assert found["variants"]["fixed"]["value"] == 57.1
    assert "extract_rate" not in found
    assert "details" not in found


def test_the_file_is_indented_text_that_ends_with_a_newline() -> None:
    text = results_json(RESULTS, [DETAIL]).decode()
    assert text.startswith('{\n  "accuracy": 56.7,\n')
    assert text.endswith("}\n")
    assert "答案是 2" in text


@pytest.mark.parametrize("results", [RESULTS, without_answers()])
def test_results_read_back_as_they_were(results: Results) -> None:
    data = results_json(results)
    assert read_results(data, "gsm8k.json") == results
    assert results_json(read_results(data, "gsm8k.json")) == data


def test_a_job_without_answers_has_no_number_in_place_of_its_score() -> None:
    found = json.loads(results_json(without_answers()))
    assert "accuracy" not in found
    assert (found["n"], found["low"], found["high"]) == (0, None, None)
    assert found["aisbench_accuracy"] is None


def test_details_are_listed_by_index_and_are_no_hindrance_to_reading() -> None:
    unanswered = Detail(
        key="0002#0",
        prompt=[{"role": "user", "content": "?"}],
        origin_prediction="",
        predictions=None,
        references="3",
        correct=None,
    )
    data = results_json(RESULTS, [DETAIL, unanswered])
    details = json.loads(data)["details"]
    assert list(details) == ["type", "0", "1"]
    assert details["type"] == "GEN"
    assert details["0"]["predictions"] == "2"
    assert details["1"]["correct"] is None
    assert read_results(data, "gsm8k.json") == RESULTS


def test_a_metric_that_is_named_like_a_field_does_not_replace_it() -> None:
    odd = Results(
        model="m",
        dataset="d",
        version="v",
        total=1,
        answered=1,
        scorer="s@1",
        metrics=(Metric(name="failed", value=99.0, n=1),),
        source_digest="",
        extract_rate=100.0,
    )
    data = results_json(odd)
    assert json.loads(data)["failed"] == 0
    assert json.loads(data)["extract_rate"] == 100.0
    assert read_results(data, "x.json") == odd


@pytest.mark.parametrize("data", [b"", b'{"accuracy": 56.7}', b"[1]", b'{"model": "\xff"}'])
def test_another_tools_file_is_refused_with_what_to_do(data: bytes) -> None:
    with pytest.raises(DataError, match=r"results/vllm/gsm8k\.json is not .*--mode eval --reuse"):
        read_results(data, "results/vllm/gsm8k.json")
