"""``steelyard sim``: the simulated endpoint as a program, with the answers of data sets."""

import asyncio
import os
import signal
from collections.abc import Sequence
from pathlib import Path

import msgspec

from steelyard import config
from steelyard.cli.options import parse
from steelyard.cli.sim_options import SimCommand
from steelyard.core import Sample, Task
from steelyard.sim import Answer, Answers, SimOptions, choose_right, counts, fault, serve, times
from steelyard.tasks import catalogue
from steelyard.tasks.data import Data, data_roots
from steelyard.tasks.prompting import gold_text, wrong_text

ABOUT = """Starts a stand-in for a model service, for demos, tests and capacity planning. It is not
a model: it knows the answers of the data sets it is given and gives the right one as often as it
is told. It speaks the protocols of OpenAI (chat and text), TGI, Triton and MindIE; every reply
says that it is simulated. GET /sim/stats counts what was asked; Ctrl-C stops it.

  steelyard sim --dataset gsm8k_gen --accuracy 0.8
  steelyard sim --ttft 'lognormal(200ms,0.5)' --itl 20ms --tokens 256 --fault 500:0.01 reset:0.01

Times are written 50ms, uniform(10ms,20ms), normal(MEAN,SD), lognormal(MEDIAN,SIGMA), exp(MEAN) or
gamma(MEAN,SHAPE), token counts the same way without a unit."""


def main(arguments: Sequence[str]) -> int:
    """Run the command until SIGINT or SIGTERM; returns the exit code."""
    command = parse(SimCommand, arguments, program="steelyard sim", about=ABOUT)
    options = sim_options(command)
    cwd = Path.cwd()
    answers = answers_for(
        command.dataset,
        data=Data(data_roots(command.data_dir, os.environ, cwd)),
        accuracy=command.accuracy,
        seed=command.seed,
        extra_dirs=config.places(command.config_dir, cwd).datasets,
    )
    return run(options, answers)


def run(options: SimOptions, answers: Answers) -> int:
    """Serve until SIGINT or SIGTERM, with one line on standard output when ready."""
    import gc

    import uvloop

    # What is known by now stays until the end; collecting it again and again would delay tokens.
    gc.freeze()
    _allow_many_connections()
    uvloop.run(_serve_until_signalled(options, answers))
    return 0


def sim_options(command: SimCommand) -> SimOptions:
    """What the command line says, for the library; ``ConfigError`` for unreadable values."""
    same = {
        field.name: getattr(command, field.name)
        for field in msgspec.structs.fields(SimOptions)
        if hasattr(command, field.name)
    }
    return SimOptions(
        **{
            **same,
            "ttft": times(command.ttft),
            "itl": times(command.itl),
            "tokens": None if command.tokens is None else counts(command.tokens),
            "reasoning": counts(command.reasoning),
            "faults": tuple(map(fault, command.fault)),
        }
    )


def answers_for(
    names: Sequence[str],
    *,
    data: Data,
    accuracy: float,
    seed: int,
    extra_dirs: Sequence[Path] = (),
) -> Answers:
    """Questions, right and wrong answers of the data sets called ``names``.

    In every task ``round(accuracy * n)`` questions are answered rightly, chosen by ``seed``. A
    question is named by its sample id, with ``<task>/`` in front when there are several tasks.
    Of several tasks with one name, which ask the same in different words, the last one counts;
    rows without a right answer that can be written down are left out. Raises ``NoSuchName``,
    ``DataError``.
    """
    entries = [entry for name in names for entry in catalogue.find(name, extra_dirs)]
    made = {task.name: task for entry in entries for task in entry.make(data)}
    return Answers(
        tuple(
            answer
            for task in made.values()
            for answer in _answers(task, accuracy, seed, prefix=len(made) > 1)
        )
    )


def _answers(task: Task, accuracy: float, seed: int, *, prefix: bool) -> list[Answer]:
    rows = task.samples() if task.gold else ()
    known = [sample for sample in rows if sample.target is not None]
    right = choose_right(len(known), accuracy, seed)
    return [
        Answer(
            id=f"{task.name}/{sample.id}" if prefix else sample.id,
            question=_question(sample),
            right=gold_text(task, sample),
            wrong=wrong_text(task, sample),
            is_right=is_right,
            context=sample.choices,
        )
        for sample, is_right in zip(known, right, strict=True)
    ]


def _question(sample: Sample) -> str:
    if isinstance(sample.question, str):
        return sample.question
    return "".join(part.get("text", "") for part in sample.question)


async def _serve_until_signalled(options: SimOptions, answers: Answers) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    async with serve(options, answers) as serving:
        print(
            f"steelyard sim: simulated endpoint (not a model) at {serving.url}  "
            f"model {options.model}, dialect {options.dialect}, {_knowledge(options, answers)}",
            flush=True,
        )
        await stopped.wait()


def _knowledge(options: SimOptions, answers: Answers) -> str:
    known = f"{len(answers.entries)} questions known"
    if options.repeat_accuracy == "independent":
        return f"{known}, right with probability {options.accuracy:g}"
    return f"{known}, {sum(answer.is_right for answer in answers.entries)} answered rightly"


def _allow_many_connections() -> None:
    """As many open files as this user may have: every connection is one."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
