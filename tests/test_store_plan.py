"""What lets stored answers be continued: digests, and the plan file.

- Equal things have equal digests, whatever order they were put together in; others do not.
- The plan keeps every job that ever ran in a folder; a job's later entry replaces the earlier.
- What changed is named in words, with both values where they can be read.
- Derived files are whole or untouched.
"""

import hashlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard import store
from steelyard.core import DataError, DiskError, Sampling
from steelyard.store import JobEntry, PlanFile

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def entry(dataset: str = "gsm8k", **parts: str) -> JobEntry:
    return JobEntry(model="vllm", dataset=dataset, catalogue=f"{dataset}_gen", parts=parts)


def backwards(value):
    """The same value with every mapping filled in the opposite order."""
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(item) for item in value] if isinstance(value, list) else value


@given(VALUES)
def test_the_order_of_filling_does_not_matter(value) -> None:
    assert store.digest(value) == store.digest(backwards(value))


@given(VALUES, VALUES)
def test_digests_are_equal_just_when_the_json_is(one, other) -> None:
    def canonical(value):
        return msgspec.json.encode(value, order="sorted")

    same = canonical(one) == canonical(other)
    assert (store.digest(one) == store.digest(other)) is same


def test_a_digest_is_sha256_over_sorted_json_without_defaults() -> None:
    sampling = Sampling(max_tokens=512, extra={"top_p": 0.9, "temperature": 0.0})
    for value, text in (
        (sampling, b'{"extra":{"temperature":0.0,"top_p":0.9},"max_tokens":512}'),
        (Sampling(), b"{}"),
        (("数", None), '["数",null]'.encode()),
    ):
        assert store.digest(value) == hashlib.sha256(text).hexdigest()


def test_a_digest_of_files_sees_contents_and_order_but_not_names(tmp_path: Path) -> None:
    for name, text in (("a", "1"), ("b", "2"), ("c", "1"), ("ab", "12"), ("empty", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")

    def of(*names: str) -> str:
        return store.digest_files(tmp_path / name for name in names)

    assert of("a", "b") == of("c", "b")
    assert len({of("a", "b"), of("b", "a"), of("ab", "empty"), of("ab"), of()}) == 5
    with pytest.raises(DataError, match="missing: No such file"):
        of("missing")


def test_a_plan_comes_back_as_it_was_written(tmp_path: Path) -> None:
    plan = PlanFile((entry(prompt="p"), entry("aime", data="数")))
    store.write_plan(tmp_path / "new" / "plan.json", plan)
    assert store.read_plan(tmp_path / "new" / "plan.json") == plan


def test_a_folder_without_a_plan_has_an_empty_one(tmp_path: Path) -> None:
    assert store.read_plan(tmp_path / "plan.json") == PlanFile()


@pytest.mark.parametrize("text", [b"", b"{", b'{"jobs": [{"model": 3}]}', b'"\xff"'])
def test_a_damaged_plan_is_an_error_that_says_what_can_be_done(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(text)
    with pytest.raises(DataError, match=r"plan\.json is not a plan file.*delete it"):
        store.read_plan(path)


def test_a_later_entry_replaces_the_same_job_and_keeps_the_others() -> None:
    plan = PlanFile((entry(prompt="old"), entry("aime")))
    after = store.merged(plan, [entry("mmlu"), entry(prompt="new")])
    assert [job.dataset for job in after.jobs] == ["gsm8k", "aime", "mmlu"]
    assert after.find("vllm", "gsm8k") == entry(prompt="new")
    assert after.find("other", "gsm8k") is None


def test_equal_parts_are_no_change() -> None:
    assert store.changed(entry(a="1", b="2"), entry(b="2", a="1")) == ()


def test_changed_parts_are_named_and_short_values_shown() -> None:
    old = entry(prompt=store.digest(1), model="llama", task="1", data=store.digest(2))
    new = entry(prompt=store.digest(3), model="qwen", task="1", sampling=store.digest(4), top="1")
    assert store.changed(old, new) == (
        "prompt",
        "model (llama, now qwen)",
        "sampling",
        "top (none, now 1)",
        "data",
    )


def test_a_file_is_replaced_as_a_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "results" / "x.json"
    for data in (b"long, long before", b"", b"after"):
        store.write_atomic(path, data)
        assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]


def test_a_refused_replacement_is_a_disk_error_and_cleans_up(tmp_path: Path) -> None:
    (tmp_path / "x.json").mkdir()
    with pytest.raises(DiskError, match=r"x\.json failed: Is a directory; x.json was not changed"):
        store.write_atomic(tmp_path / "x.json", b"data")
    assert [path.name for path in tmp_path.iterdir()] == ["x.json"]
