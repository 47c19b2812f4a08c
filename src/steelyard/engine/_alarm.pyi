def create() -> int:
    """The descriptor of a new timer, not yet set. ``OSError`` when the system gives none."""

def set(descriptor: int, due_ns: int) -> None:
    """Have the descriptor become readable at ``due_ns`` (monotonic); at once when that is over."""
