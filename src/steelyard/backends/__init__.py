"""One file per way to reach a model: wire format in, reply out.

Rule: a backend turns one ``Request`` into one ``Reply`` and knows no retries, no concurrency and
no marking. Every module here without a leading underscore is a backend, named by
``ModelSpec.backend``; a dotted name is a user's own module. Each has ``Options`` (a msgspec
struct) and ``connect(spec) -> Backend``; one that computes on this machine also has
``devices(spec) -> int`` and gets a process of its own. Adding one is adding its file.

One whose backends can say how likely a text is (``Request.candidates`` in, ``Reply.likelihoods``
out) also has ``scoring_obstacle(options) -> str`` (``core.CandidateModule``): empty, or what in the
options stands in the way and what to do about it. Without the function tasks of likelihoods are
refused before anything is sent.

One that knows pictures says so: ``TAKES_PICTURES``, ``DRAWS`` (``core.PictureModule``).
"""

from steelyard.backends._opening import (
    backend_options,
    check,
    check_candidates,
    check_pictures,
    devices,
    open_backend,
)
from steelyard.backends._options import read_options
from steelyard.backends._pictures import file_inside, read_picture

__all__ = [
    "backend_options",
    "check",
    "check_candidates",
    "check_pictures",
    "devices",
    "file_inside",
    "open_backend",
    "read_options",
    "read_picture",
]
