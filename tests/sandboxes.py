"""Whether tests can have the real sandbox."""

import pytest

from steelyard import sandbox
from steelyard.core import ConfigError


def needed() -> None:
    """Skip, with the reason, where there is no sandbox."""
    try:
        sandbox.require()
    except ConfigError as error:
        pytest.skip(str(error))
