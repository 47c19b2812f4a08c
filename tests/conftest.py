"""Shared fixtures: real data, real servers, nothing patched."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import chromium

SHARED = Path(os.environ.get("STEELYARD_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with real data sets and real model outputs; tests that need it skip without it."""
    if not (SHARED / "datasets").is_dir():
        pytest.skip(f"no shared data at {SHARED}; set STEELYARD_SHARED to run this test")
    return SHARED


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.ClientConnection]:
    """A browser of its own for one file of tests; they skip without one."""
    with chromium.browser(tmp_path_factory.mktemp("profile")) as connection:
        yield connection


@pytest.fixture
def tab(wire: chromium.ClientConnection) -> Iterator[chromium.Tab]:
    """A fresh tab in that browser."""
    made = chromium.Tab(wire)
    made.show()
    yield made
    made.close()
