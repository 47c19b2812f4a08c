"""Inside the sandbox: takes the limits upon itself, runs one program, reports how it ended.

This file's text is what ``python -c`` is given there; it imports nothing of Steelyard. Its
arguments are two open files: the job (JSON, see ``programs.Program`` and ``Limits``) and the
report. The report's first line is ``ready``; at most one more follows, JSON with the job's
``token``: a line without it was not written here.
"""

import json
import os
import resource
import sys
from types import CodeType, ModuleType
from typing import Any

_SHOWN = 300
_STARRED = (
    *("string", "re", "datetime", "collections", "heapq", "bisect", "copy"),
    *("math", "random", "statistics", "itertools", "functools", "operator", "io"),
    *("sys", "json", "builtins", "typing"),
)
"""The modules whose names LiveCodeBench gives to every program, in its order."""
_RECURSION = 50_000


def main() -> None:
    """Run the job; does not return unless the program is the main program."""
    import site

    job_file, report_file = int(sys.argv[1]), int(sys.argv[2])
    with os.fdopen(job_file, "rb") as file:
        job = json.load(file)
    token, how = job.pop("token"), job["how"]
    sys.argv[:] = ["answer.py"]
    site.setquit()  # without site, there is no exit()
    os.set_inheritable(report_file, False)  # noqa: FBT003
    _limit(job["limits"])
    module = ModuleType("__main__" if how == "stdin" else "answer")
    sys.modules[module.__name__] = module
    if job["contest"]:
        _furnish(module)
    os.write(report_file, b"ready\n")
    found = json.dumps({"token": token, **_run(job, module)}).encode()
    while found:
        found = found[os.write(report_file, found) :]
    if how != "stdin":
        os._exit(0)


def _limit(limits: dict[str, int]) -> None:
    for name, wanted in limits.items():
        what = getattr(resource, name)
        _, hard = resource.getrlimit(what)
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        # Of processor time the first limit sends SIGXCPU, by which it is known; the second kills.
        grace = 1 if name == "RLIMIT_CPU" and hard == resource.RLIM_INFINITY else 0
        resource.setrlimit(what, (most, most + grace))


def _furnish(module: ModuleType) -> None:
    for name in _STARRED:
        exec(f"from {name} import *", module.__dict__)
    for name in _STARRED:
        exec(f"import {name}", module.__dict__)
    sys.setrecursionlimit(_RECURSION)


def _run(job: dict[str, Any], module: ModuleType) -> dict[str, Any]:
    """How the program ended, in the words of ``programs.Ended``."""
    try:
        code = compile(job["code"], "<answer>", "exec", dont_inherit=True)
    except BaseException as error:  # noqa: BLE001 - it is the answer's, whatever it is
        return {"kind": "syntax", "what": _words(error)}
    number = 0
    value = None
    try:
        _execute(code, module)
        for number, test in enumerate(job["tests"], 1):
            _execute(compile(test, f"<test {number}>", "exec", dont_inherit=True), module)
        if job["how"] == "call":
            value = _called(job, module)
    except SystemExit as error:
        kind = "done" if job["how"] == "stdin" else "exited"
        return {"kind": kind, "what": _words(error), "test": number}
    except BaseException as error:  # noqa: BLE001
        return {"kind": "raised", "what": _words(error), "test": number}
    return {"kind": "done", "value": value}


def _execute(code: CodeType, module: ModuleType) -> None:
    exec(code, module.__dict__)


def _called(job: dict[str, Any], module: ModuleType) -> object:
    home = module.Solution() if "class Solution" in job["code"] else module
    value = getattr(home, job["entry"])(*map(json.loads, job["arguments"]))
    json.dumps(value, allow_nan=False)  # what JSON cannot say is an error of the answer
    return value


def _words(error: BaseException) -> str:
    name = type(error).__name__
    try:
        text = " ".join(str(error).split())[:_SHOWN]
    except BaseException:  # noqa: BLE001
        text = ""
    return f"{name}: {text}" if text else name


if __name__ == "__main__":
    main()
