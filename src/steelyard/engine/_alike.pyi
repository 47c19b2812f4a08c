def alike(raw: bytes, at: int, before: bytes, after: bytes) -> tuple[list[bytes], list[int]]:
    """Texts between ``before`` and ``after`` in the events from ``at``, and their ends.

    Up to the first event that is not a chunk of one line of data made so around some text. An end
    is the offset behind the event's empty line. ``ValueError``: ``at`` lies outside of ``raw``.
    """
