"""Part answers of `local_models.py`: the same questions, the same model, greedy, batches alike."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeAlias

from account import Limits, accounted, clean_environment, last_line
from entries import Entry
from local_contenders.contract import Contender, Job, Told
from machine import busy_percent
from tables import aligned, number

Measured: TypeAlias = Callable[[Path], object]
EXAMPLES = 3
"""A question has fewer worked problems than that before it; how many, goes by its number."""


@dataclass(frozen=True)
class Bench:
    """What all runs share."""

    work: Path
    data: Path
    """Folder of data sets."""
    problems: Path
    """`question` and `answer` in each row, as in GSM8K, or `question`, `worked` and `target`."""
    limits: Limits
    env: Mapping[str, str]
    device: str
    batch_size: int
    questions: int
    max_tokens: int


@dataclass
class Row:
    """One contender on one model."""

    name: str
    version: str
    reason: str
    busy_s: list[float] = field(default_factory=list)
    rest_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    others_percent: list[float] = field(default_factory=list)
    largest_process_bytes: int = 0
    told: Told | None = None


def measured(
    bench: Bench, entries: list[Entry[Contender]], model: Path, runs: int
) -> list[dict[str, object]]:
    """Rounds over all contenders; the table is printed, the figures come back."""
    questions = _questions(bench)
    rows = {
        entry.contender.name: Row(entry.contender.name, entry.version, entry.reason)
        for entry in entries
    }
    for number_ in range(runs):
        for entry in entries:
            row = rows[entry.contender.name]
            if not row.reason:
                print(f"{model.name}, round {number_}: {row.name}", file=sys.stderr)
                _run(bench, entry, _job(bench, entry, model, questions), row)
    first = next(iter(rows.values()))
    print("\n".join(aligned(_table(list(rows.values()), first))))
    return [_figures(row, first) for row in rows.values()]


def _questions(bench: Bench) -> Path:
    """The first problems behind none to two worked ones from the rest; the folder they are in."""
    folder = bench.work / "questions"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [json.loads(line) for line in bench.problems.read_text(encoding="utf-8").splitlines()]
    asked, rest = rows[: bench.questions], rows[bench.questions :]
    shown = [f"Question: {row['question']}\nAnswer: {_worked(row)}\n\n" for row in rest]
    lines = []
    for place, row in enumerate(asked):
        before = "".join(shown[(place + more) % len(shown)] for more in range(place % EXAMPLES))
        text = f"{before}Question: {row['question']}\nAnswer:"
        lines.append(json.dumps({"number": str(place), "question": text}) + "\n")
    (folder / "test.jsonl").write_text("".join(lines), encoding="utf-8")
    (folder / "train.jsonl").write_text(lines[0], encoding="utf-8")
    return folder


def _worked(row: Mapping[str, str]) -> str:
    return row["answer"] if "answer" in row else f"{row['worked']} The answer is {row['target']}."


def _job(bench: Bench, entry: Entry[Contender], model: Path, questions: Path) -> Job:
    folder = bench.work / "runs" / entry.contender.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return Job(
        entry.programs,
        folder,
        model,
        questions,
        bench.device,
        bench.batch_size,
        bench.max_tokens,
    )


def _run(bench: Bench, entry: Entry[Contender], job: Job, row: Row) -> None:
    command = entry.contender.prepare(job)
    env = clean_environment(bench.work, entry.programs, {**bench.env, **command.env})
    row.others_percent.append(busy_percent(1.0))
    account, text = accounted(command, env, job.folder, bench.limits)
    if account.timed_out:
        row.reason = f"killed after {account.wall_s:.0f} s"
        return
    if account.exit_status:
        row.reason = f"exit status {account.exit_status}: {last_line(text)}"
        return
    try:
        row.told = entry.contender.told(job)
    except (OSError, ValueError, KeyError) as error:
        row.reason = f"{error!r}; it printed: {last_line(text)}"
        return
    row.busy_s.append(row.told.busy_s)
    row.rest_s.append(account.wall_s - row.told.busy_s)
    row.cpu_s.append(account.cpu_s)
    row.largest_process_bytes = max(row.largest_process_bytes, account.largest_process_bytes)


def _tokens(first: Row) -> int | None:
    told = first.told
    return sum(told.tokens.values()) if told and told.tokens else None


def _alike(row: Row, first: Row) -> float | None:
    """Share of the questions to which it says what the first contender says."""
    if row.told is None or first.told is None:
        return None
    answers = first.told.answers
    same = sum(row.told.answers.get(number_) == text for number_, text in answers.items())
    return 100 * same / len(answers)


def _per_second(row: Row, first: Row) -> float | None:
    tokens = _tokens(first)
    return tokens / median(row.busy_s) if tokens and row.busy_s else None


def _table(rows: list[Row], first: Row) -> list[list[str]]:
    head = ["contender", "version", "tokens/s", "x", "busy s", "rest s", "CPU s"]
    lines = [[*head, "largest MiB", "alike %", "others %", "why not"]]
    own = _per_second(first, first)
    for row in rows:
        speed = _per_second(row, first)
        lines.append(
            [
                row.name,
                row.version,
                number(speed),
                number(speed / own if speed and own else None, 2),
                number(median(row.busy_s) if row.busy_s else None, 1),
                number(median(row.rest_s) if row.rest_s else None, 1),
                number(median(row.cpu_s) if row.cpu_s else None, 1),
                number(row.largest_process_bytes / 2**20),
                number(_alike(row, first), 1),
                number(max(row.others_percent, default=None)),
                row.reason,
            ]
        )
    told = first.told
    if told and told.tokens:
        lengths = sorted(told.tokens.values())
        shown = ", ".join(str(lengths[len(lengths) * part // 10]) for part in (1, 5, 9))
        print(f"{sum(lengths)} output tokens; answers at 10, 50 and 90 %: {shown} tokens")
    return lines


def _figures(row: Row, first: Row) -> dict[str, object]:
    figures = asdict(row)
    figures.pop("told")
    return {
        **figures,
        "output_tokens": _tokens(first),
        "tokens_per_s": _per_second(row, first),
        "alike_percent": _alike(row, first),
    }
