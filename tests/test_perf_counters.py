"""A serving engine's Prometheus counters.

- The text format is read: labels, escapes, exponents, time stamps; what is none is left out.
- No text breaks the reading, and what is written is read back.
- Figures come from differences of two readings; counters that are not there give no figure.
- A counter that fell was reset: its difference is unknown.
"""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.perf.counters import EngineFigures, engine_figures, samples

BEFORE = """\
# HELP vllm:spec_decode_num_drafts_total Number of spec decoding drafts.
# TYPE vllm:spec_decode_num_drafts_total counter
vllm:spec_decode_num_drafts_total{engine="0",model_name="m"} 100.0
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="m"} 300.0
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="m"} 150.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",position="0"} 80.0
vllm:prefix_cache_queries_total{engine="0"} 1000.0
vllm:prefix_cache_hits_total{engine="0"} 900.0
vllm:num_preemptions_total{engine="0"} 2.0
"""
AFTER = """\
vllm:spec_decode_num_drafts_total{model_name="m",engine="0"} 200.0
vllm:spec_decode_num_drafts_total{model_name="m",engine="1"} 100.0
vllm:spec_decode_num_draft_tokens_total{engine="0",model_name="m"} 600.0
vllm:spec_decode_num_draft_tokens_total{engine="1",model_name="m"} 3e+02
vllm:spec_decode_num_accepted_tokens_total{engine="0",model_name="m"} 350.0
vllm:spec_decode_num_accepted_tokens_total{engine="1",model_name="m"} 100.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="0",position="0"} 180.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="1",position="0"} 60.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="1",position="2"} 20.0
vllm:spec_decode_num_accepted_tokens_per_pos_total{engine="1",position="10"} 10.0
vllm:prefix_cache_queries_total{engine="0"} 3000.0
vllm:prefix_cache_hits_total{engine="0"} 1400.0
vllm:num_preemptions_total{engine="0"} 5.0
"""


def test_figures_come_from_the_differences_of_two_readings() -> None:
    found = engine_figures(BEFORE, AFTER)
    speculation = found.speculation
    assert speculation is not None
    assert speculation.num_drafts == 200
    assert speculation.draft_tokens == 600
    assert speculation.accepted_tokens == 300
    assert speculation.acceptance_rate == pytest.approx(50)
    assert speculation.acceptance_length == pytest.approx(2.5)
    assert dict(speculation.per_position_acceptance_rates) == {"0": 0.8, "2": 0.1, "10": 0.05}
    assert list(speculation.per_position_acceptance_rates) == ["0", "2", "10"]
    assert found.prefix_cache_hit_rate == pytest.approx(25)
    assert found.preemptions == 3


def test_counters_that_are_not_there_give_no_figure() -> None:
    assert engine_figures("", "up 1\n") == EngineFigures()


def test_counters_that_did_not_move_give_no_rate() -> None:
    found = engine_figures(AFTER, AFTER)
    assert found.prefix_cache_hit_rate is None
    assert found.preemptions == 0
    assert found.speculation is not None
    assert found.speculation.acceptance_rate is None
    assert found.speculation.acceptance_length is None
    assert dict(found.speculation.per_position_acceptance_rates) == {}


def test_a_counter_that_fell_was_reset_and_is_unknown() -> None:
    assert engine_figures(AFTER, BEFORE).preemptions is None
    assert engine_figures(AFTER, BEFORE).speculation is None


@pytest.mark.parametrize(
    ("looked_up", "hits"),
    [
        ("vllm:prefix_cache_queries_total", "vllm:prefix_cache_hits_total"),
        ("vllm:gpu_prefix_cache_queries_total", "vllm:gpu_prefix_cache_hits_total"),
        ("sglang:prompt_tokens_total", "sglang:cached_tokens_total"),
    ],
)
def test_the_prefix_cache_is_read_under_every_name(looked_up: str, hits: str) -> None:
    after = f'{looked_up}{{a="b"}} 80\n{hits}{{source="device"}} 15\n{hits}{{source="host"}} 5\n'
    assert engine_figures("", after).prefix_cache_hit_rate == pytest.approx(25)


@pytest.mark.parametrize(
    ("line", "name", "labels", "value"),
    [
        ("up 1", "up", (), 1),
        ("a:b_total{} 2.5e-3", "a:b_total", (), 0.0025),
        ('x{b="2",a="1",} +Inf', "x", (("a", "1"), ("b", "2")), math.inf),
        ('x { a = "1" } 3 1700000000000', "x", (("a", "1"),), 3),
        (r'x{a="q\"\\\n}, b=\"c"} -1', "x", (("a", 'q"\\\n}, b="c'),), -1),
        ("  up\t7  ", "up", (), 7),
    ],
)
def test_samples_are_read(
    line: str, name: str, labels: tuple[tuple[str, str], ...], value: float
) -> None:
    assert samples(line) == [(name, labels, value)]


def test_not_a_number_is_a_value() -> None:
    (found,) = samples("x NaN")
    assert math.isnan(found.value)
    assert engine_figures("", "vllm:num_preemptions_total NaN").preemptions is None


@pytest.mark.parametrize(
    "line",
    ["", "# TYPE x counter", "x", "x one", "9x 1", 'x{a="1} 1', "x{a=1} 1", "x 1 2 3", "x 1_000"],
)
def test_lines_that_are_no_samples_are_left_out(line: str) -> None:
    assert [one.name for one in samples(f"up 1\n{line}\ndown 2\n")] == ["up", "down"]


@given(st.text() | st.text(alphabet='ab{}="\\ \n1.e+-,_:#', max_size=60))
def test_no_text_breaks_the_reading(text: str) -> None:
    for one in samples(text):
        assert isinstance(one.value, float)
    engine_figures(text, text)


NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
LABELS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))


@given(
    NAMES,
    st.dictionaries(
        NAMES, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))
    ),
    st.floats(allow_nan=False),
)
def test_what_is_written_is_read_back(name: str, labels: dict[str, str], value: float) -> None:
    escaped = {key: text.replace("\\", r"\\").replace('"', r"\"") for key, text in labels.items()}
    inside = ",".join(f'{key}="{text}"' for key, text in escaped.items())
    assert samples(f"{name}{{{inside}}} {value!r}") == [
        (name, tuple(sorted(labels.items())), value)
    ]


def test_a_long_broken_line_is_given_up_quickly() -> None:
    assert samples("x{" + 'a="1",' * 5000 + "oops} 1") == []
