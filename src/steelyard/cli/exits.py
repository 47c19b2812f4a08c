"""Which exit code an error means."""

from steelyard.core import ConfigError, DataError, SteelyardError


def exit_code(error: SteelyardError) -> int:
    """2 when the request was wrong, 1 for trouble on the way."""
    return 2 if isinstance(error, ConfigError | DataError) else 1
