"""The whole command, side by side: GSM8K's 1,319 test questions against one local endpoint.

    python benchmarks/accuracy.py --ssesim ssesim.c --data DIR [--peers NAME ...] [--json OUT]

Every contender is started as its user would start it and timed from the start of the process to
its end, score table included, with all its child processes. Which contenders there are is said in
`contenders`, how a command is accounted for in `measure`, what answers it in `endpoint`, and how
to read the table in README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import contenders
import endpoint
from account import Limits, accounted, clean_environment, last_line
from contenders.contract import Contender, Job
from entries import Entry, installed
from machine import host
from recorder import Recorder, recorded
from results import Report, Row, Run, Waits, as_json, as_text

HERE = Path(__file__).parent
RUN_LIMIT_S = 900
HELP_RUNS = 20


@dataclass(frozen=True)
class Bench:
    """What all runs share."""

    work: Path
    data: Path
    concurrency: int
    server_cpu: int
    client_cpus: tuple[int, ...]

    @property
    def bodies(self) -> Path:
        """Steelyard's request bodies, one a line."""
        return self.work / "bodies.jsonl"

    def job(self, entry: Entry[Contender], port: int) -> Job:
        """A job in a folder emptied for it."""
        folder = self.work / "runs" / entry.contender.name.replace(" ", "_")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return Job(entry.programs, port, self.concurrency, self.data, folder, self.bodies)


def main() -> None:
    """Installs, records, measures, prints."""
    options = _options()
    bench, golds = _bench(options)
    gold, count = Counter(golds).most_common(1)[0]
    answer = f"The answer is {gold}"
    entries = list(installed(_chosen(options), bench.work / "venvs"))
    _record_bodies(bench, entries[0], answer)
    program = endpoint.built(options.ssesim.resolve(), bench.work / "bin")
    state = host()
    rows: list[Row] = []
    for latency_ms in options.latency_ms:
        waits = Waits(latency_ms, len(golds), bench.concurrency)
        options_of = endpoint.answering(answer, latency_ms)
        with endpoint.running(program, options_of, cpu=bench.server_cpu) as service:
            rows += _measured(bench, entries, service, waits, options.runs)
    report = Report(
        host=state,
        answer=answer,
        expected_percent=100 * count / len(golds),
        server_cpu=bench.server_cpu,
        client_cpus=bench.client_cpus,
        start_up_ms=_start_up_ms(bench, entries[0]),
        rows=tuple(rows),
    )
    print(as_text(report))
    if options.json:
        options.json.write_text(as_json(report), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Accuracy runs of several tools, side by side.")
    parser.add_argument(
        "--ssesim", type=Path, required=True, help="C source of the neutral endpoint"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with GSM8K's train.jsonl and test.jsonl"
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        default=list(contenders.PEERS),
        choices=list(contenders.PEERS),
        help="tools measured beside Steelyard (default: all)",
    )
    parser.add_argument("--steelyard", type=Path, default=HERE.parent, help="checkout to install")
    parser.add_argument("--latency-ms", type=float, nargs="+", default=[50.0, 0.0])
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3, help="measured runs, after one unmeasured")
    parser.add_argument(
        "--unpinned", action="store_true", help="let commands use the endpoint's CPU too"
    )
    parser.add_argument(
        "--work", type=Path, default=Path("benchmark-work"), help="virtualenvs and results go here"
    )
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Contender]:
    """Steelyard first, the bare client second, then the peers in the order asked for."""
    own = contenders.own(options.steelyard.resolve())
    return [*own, *(contenders.PEERS[name] for name in options.peers)]


def _bench(options: argparse.Namespace) -> tuple[Bench, list[str]]:
    """The processors and folders to use, and the gold answers of the questions."""
    work = options.work.resolve()
    data = work / "data" / "gsm8k"
    data.mkdir(parents=True, exist_ok=True)
    for split in ("train.jsonl", "test.jsonl"):
        shutil.copyfile(options.data / split, data / split)
    server_cpu, *client_cpus = sorted(os.sched_getaffinity(0))
    if options.unpinned or not client_cpus:
        client_cpus.append(server_cpu)
    bench = Bench(work, data.parent, options.concurrency, server_cpu, tuple(client_cpus))
    lines = (data / "test.jsonl").read_text(encoding="utf-8").splitlines()
    return bench, [json.loads(line)["answer"].rpartition("####")[2].strip() for line in lines]


def _record_bodies(bench: Bench, steelyard: Entry[Contender], answer: str) -> None:
    """Lets Steelyard post its requests to the recorder; without it there is no file of bodies."""
    bench.bodies.unlink(missing_ok=True)
    if steelyard.reason:
        return
    recorder = Recorder(answer, endpoint.MODEL)
    port = endpoint.free_port()
    command = steelyard.contender.prepare(bench.job(steelyard, port))
    env = clean_environment(bench.work, steelyard.programs, command.env)
    log = bench.work / "recording.log"
    if asyncio.run(recorded(recorder, port, command.argv, env, log)) == 0:
        bench.bodies.write_bytes(b"\n".join(recorder.bodies))


def _measured(
    bench: Bench,
    entries: list[Entry[Contender]],
    service: endpoint.Endpoint,
    waits: Waits,
    runs: int,
) -> list[Row]:
    """Rounds over all contenders, so that a change of load meets all; the first is not counted."""
    done: dict[str, list[Run]] = {entry.contender.name: [] for entry in entries}
    reasons = {entry.contender.name: entry.reason for entry in entries}
    for number in range(runs + 1):
        for entry in entries:
            name = entry.contender.name
            if reasons[name]:
                continue
            print(f"{waits.latency_ms:g} ms, round {number}: {name}", file=sys.stderr)
            run = _one_run(bench, entry, service)
            reasons[name] = run.trouble(waits.questions)
            if number > 0:
                done[name].append(run)
    return [
        Row(
            name=entry.contender.name,
            version=entry.version,
            setup=entry.contender.setup,
            waits=waits,
            runs=tuple(done[entry.contender.name]),
            reason=reasons[entry.contender.name],
        )
        for entry in entries
    ]


def _one_run(bench: Bench, entry: Entry[Contender], service: endpoint.Endpoint) -> Run:
    job = bench.job(entry, service.port)
    command = entry.contender.prepare(job)
    service.reset()
    env = clean_environment(bench.work, entry.programs, command.env)
    limits = Limits(bench.client_cpus, RUN_LIMIT_S)
    account, text = accounted(command, env, job.folder, limits)
    return Run(
        wall_s=account.wall_s,
        user_s=account.user_s,
        system_s=account.system_s,
        largest_process_bytes=account.largest_process_bytes,
        exit_status=account.exit_status,
        timed_out=account.timed_out,
        seen=service.seen(),
        score=entry.contender.score(text),
        last_line=last_line(text),
    )


def _start_up_ms(bench: Bench, steelyard: Entry[Contender]) -> dict[str, list[float]]:
    """Wall times of commands that do nothing: Steelyard's help, and its interpreter alone."""
    if steelyard.reason:
        return {}
    programs = steelyard.programs
    commands = {
        "steelyard --help": [str(programs / "steelyard"), "--help"],
        "python -c pass": [str(programs / "python"), "-c", "pass"],
    }
    env = clean_environment(bench.work, programs, {})
    return {
        name: [_wall_ms(words, env) for _ in range(HELP_RUNS)] for name, words in commands.items()
    }


def _wall_ms(words: list[str], env: dict[str, str]) -> float:
    started_ns = time.perf_counter_ns()
    subprocess.run(words, env=env, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter_ns() - started_ns) / 1e6


if __name__ == "__main__":
    main()
