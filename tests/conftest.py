"""Shared fixtures: real data, real servers, nothing patched."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("STEELYARD_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real data sets and real model outputs; tests that need it skip without it."""
    if not (SHARED / "datasets").is_dir():
        pytest.skip(f"no shared data at {SHARED}; set STEELYARD_SHARED to run this test")
    return SHARED
