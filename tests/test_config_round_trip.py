"""A model in the old style means what it meant in ours.

Config files import presets as old-style dicts, change a field and run; whatever they leave alone
has to come back unchanged.
"""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.config import find_models, places
from steelyard.config.settings import checked
from steelyard.config.translate import old_style, translated
from steelyard.core import ConfigError, Load, ModelSpec, Sampling

NAMES = st.from_regex(r"[a-z][a-z0-9_-]{0,11}", fullmatch=True)
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5)
SPECS = st.builds(
    ModelSpec,
    abbr=NAMES,
    backend=st.sampled_from(["openai_chat", "openai_completions"]),
    options=st.fixed_dictionaries(
        {
            "base_url": st.sampled_from(
                ["http://localhost:8080", "https://x/y/", "http://[::1]:9", "https://h:1"]
            ),
            "model": NAMES,
            "stream": st.booleans(),
        },
        optional={"ca_file": NAMES, "verify_tls": st.booleans(), "api_key_env": NAMES},
    ),
    sampling=st.builds(
        Sampling,
        max_tokens=st.none() | st.integers(1, 9999),
        extra=st.dictionaries(st.sampled_from(["top_p", "seed", "stop"]), VALUES),
    ),
    clean=st.sampled_from(["", "keep", "strip_reasoning", "strip_reasoning_raw"]),
    load=st.builds(
        Load,
        concurrency=st.integers(1, 500),
        request_rate=st.sampled_from([0.0, 0.5, 10.0]),
        retries=st.integers(0, 9),
        timeout_s=st.none() | st.floats(0.5, 100),
        senders=st.integers(0, 4),
    ),
    repeats=st.integers(1, 9),
    label=st.sampled_from(["", "Qwen 3"]),
)


NEW = ("openai_image_edits", "picture_folder")
"""Backends that AISBench has no class for."""


@given(SPECS)
def test_a_spec_in_the_old_style_means_the_same_again(one: ModelSpec) -> None:
    assert translated(old_style(one), "here").spec == checked(one, "here").spec


def test_our_presets_in_the_old_style_mean_the_same_again(tmp_path: Path) -> None:
    where = places(None, tmp_path)
    names = [path.stem for path in where.models[-1].glob("[a-z]*.py")]
    found = [spec for one in find_models(names, where) for spec in one.specs]
    specs = [one for one in found if one.backend not in NEW]
    for one in found:
        if one.backend in NEW:
            with pytest.raises(ConfigError, match="has no old-style class"):
                old_style(one)
    assert [translated(old_style(one), "here").spec for one in specs] == specs
    assert len(specs) + len(NEW) == len(names) > 5
