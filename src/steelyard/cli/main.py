"""The programs ``steelyard`` and ``ais_bench``: choosing a command, turning errors into exit codes.

Exit codes: 0 done; 1 done but incomplete (a task failed, or more than 1 % of its requests did);
2 the request was wrong and nothing was sent; 130 interrupted.
"""

import sys
from collections.abc import Sequence
from importlib import import_module

from steelyard import __version__

COMMANDS = {
    "run": "ask models the questions of data sets, mark the answers, report (ais_bench)",
    "demo": "a complete run against the simulated endpoint with eight bundled questions",
    "sim": "start the simulated endpoint: a stand-in service for trying things out",
}
"""Command name → one line of help; the module of the same name in this room holds it."""

EXIT_CODES = (
    "exit codes: 0 done; 1 done but incomplete (a task failed, or more than 1 % of its requests "
    "did);\n            2 the request was wrong, nothing was sent; 130 interrupted"
)


def usage() -> str:
    """The text of ``steelyard --help``."""
    rows = "\n".join(f"  {name:<8}{text}" for name, text in COMMANDS.items())
    return (
        "usage: steelyard COMMAND [options]\n\n"
        "Weighs a large language model: how right, how fast, and how sure we are.\n\n"
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
    from steelyard.core import ConfigError, DataError, SteelyardError

    command = import_module(f"steelyard.cli.{name}")
    try:
        code: int = command.main(arguments)
    except (ConfigError, DataError) as error:
        if "--debug" in arguments:
            raise
        print(f"steelyard: {error}", file=sys.stderr)
        return 2
    except SteelyardError as error:
        if "--debug" in arguments:
            raise
        print(f"steelyard: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsteelyard: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (``| head``): nothing is wrong with the run's files.
        sys.stderr.close()
        return 141
    return code


if __name__ == "__main__":
    sys.exit(main())
