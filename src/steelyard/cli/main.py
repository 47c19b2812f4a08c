"""The programs ``steelyard`` and ``ais_bench``: choosing a command, turning errors into exit codes.

Exit codes: 0 done; 1 done but incomplete (a task failed, or more than 1 % of its requests did);
2 the request was wrong and nothing was sent; 130 interrupted.
"""

import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from types import FrameType

from steelyard import __version__

COMMANDS = {
    "run": "ask models the questions of data sets, mark the answers, report (ais_bench)",
    "sweep": "load tests at rising load, and the highest load that meets the objectives",
    "calibrate": "how far a judge can be trusted, against labels by people",
    "gen-config": "write a config file that asks a model a suite and has its answers judged",
    "demo": "a complete run against the simulated endpoint with eight bundled questions",
    "sim": "start the simulated endpoint: a stand-in service for trying things out",
}
"""Command name → one line of help; the module of that name (``-`` is ``_``) in this room holds it.
"""

EXIT_CODES = (
    "exit codes: 0 done; 1 done but incomplete (a task failed, or more than 1 % of its requests "
    "did);\n            2 the request was wrong, nothing was sent; 130 interrupted"
)


def usage() -> str:
    """The text of ``steelyard --help``."""
    rows = "\n".join(f"  {name:<12}{text}" for name, text in COMMANDS.items())
    return (
        "usage: steelyard COMMAND [options]\n\n"
        "Weighs a large language model: how right it is, and how sure we are of that.\n\n"
        f"commands:\n{rows}\n\n"
        "steelyard COMMAND --help shows the options of a command; --version the version.\n"
        f"{EXIT_CODES}"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of ``steelyard``."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if given else 2
    if given[0] in ("-V", "--version"):
        print(f"steelyard {__version__}")
        return 0
    name, *rest = given
    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else " See steelyard --help."
        print(f"steelyard: there is no command {name!r}.{hint}", file=sys.stderr)
        return 2
    return _call(name, rest)


def ais_bench() -> int:
    """Entry point of ``ais_bench``: the same as ``steelyard run``."""
    return _call("run", sys.argv[1:])


def _call(name: str, arguments: list[str]) -> int:
    _heed_sigterm()
    try:
        return _answered(name, arguments)
    except KeyboardInterrupt:
        print("\nsteelyard: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (``| head``): nothing is wrong with the run's files.
        return 141
    finally:
        _drop_what_cannot_be_written()


def _answered(name: str, arguments: list[str]) -> int:
    from steelyard.cli.exits import exit_code
    from steelyard.core import SteelyardError

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that knows few letters
    try:
        code: int = import_module(f"steelyard.cli.{name.replace('-', '_')}").main(arguments)
    except SteelyardError as error:
        if "--debug" in arguments:
            raise
        print(f"steelyard: {error}", file=sys.stderr)
        return exit_code(error)
    return code


def _heed_sigterm() -> None:
    """SIGTERM does what Ctrl-C does, whoever handles that at the moment."""

    def interrupt(_number: int, frame: FrameType | None) -> None:
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            handler(signal.SIGINT, frame)

    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell's background job: Ctrl-C is still not for us, but its handler has to be there.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, interrupt)


def _drop_what_cannot_be_written() -> None:
    """Keep Python from complaining at its end about output that nobody can take."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


if __name__ == "__main__":
    sys.exit(main())
