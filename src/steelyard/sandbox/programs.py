"""What is run in the sandbox, how far it may go, and what became of it."""

from typing import Literal, TypeAlias

import msgspec

from steelyard.core import Json

End: TypeAlias = Literal[
    "done",  # came to its end: all tests passed, the function returned, the program ended
    "syntax",  # the answer is no Python
    "raised",  # an exception that nothing caught
    "exited",  # the program ended the interpreter before the tests were through
    "timeout",  # the wall limit, or the processor limit that follows from it
    "output",  # it wrote more than may be written
    "killed",  # by a signal: a crash of the interpreter
]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """How far one program may go."""

    wall_s: float
    """From the moment its interpreter is ready. Processor time is limited to a second more."""
    memory_bytes: int = 2 << 30
    """Address space."""
    output_bytes: int = 16 << 20
    """Both output streams and what the function returned, together."""
    file_bytes: int = 32 << 20
    """The largest file, and the size of ``/tmp``, where alone it may write."""
    open_files: int = 64
    processes: int = 64
    """Threads, where the kernel counts them; further processes are refused altogether."""


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """Python code, and what is done with it."""

    code: str
    how: Literal["tests", "call", "stdin"]
    """``tests``: run it, then each of ``tests``. ``call``: run it, then call ``entry``, of the
    class ``Solution`` if it has one. ``stdin``: run it as the main program."""
    tests: tuple[str, ...] = ()
    entry: str = ""
    arguments: tuple[str, ...] = ()
    """JSON, one text for each."""
    stdin: str = ""
    contest: bool = False
    """The names that contest programs take for granted (``List``, ``math``...) are there."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a program."""

    kind: End
    what: str = ""
    """The exception, the signal, the exit status."""
    test: int = 0
    """Of ``tests``: at which one it ended, from 1; 0: before them."""
    value: Json = None
    """Of ``call``: what the function returned."""
    output: bytes = b""
    """What it wrote to standard output."""
