"""Load generators side by side: what each reports, beside what the endpoint logged.

    python benchmarks/performance.py --ssesim ssesim.c --ssefloor ssefloor.c [--parts NAME ...]

Every generator is started as its user would start it, confined to its own processors, against one
endpoint that streams on an exact schedule and writes down when every request arrived and every
token left. The parts stand in `part_truth`, `part_ceiling`, `part_scale` and `part_open`, the
generators in `generators`, one run in `trial`; README.md says how to read the tables.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import endpoint
import generators
import part_ceiling
import part_open
import part_scale
import part_truth
import venvs
from entries import Entry, installed
from generators.contract import Generator, Load
from machine import BUSY_PERCENT, Host, host
from part_scale import Sizes
from trial import Arena, Look, as_record, trial

HERE = Path(__file__).parent
TOKENIZER_STEPS = (("tokenizers==0.23.3",),)
REVISION = "0" * 40
SMOKE = Load(64, 128, in_flight=16)

Measured = Iterator[tuple[list[str], Any]]


@dataclass(frozen=True)
class Bench:
    """What the parts need: who is measured, where, against which program, how much."""

    arena: Arena
    entries: Sequence[Entry[Generator]]
    program: Path
    options: argparse.Namespace

    def serving(self, streaming: dict[str, str]) -> AbstractContextManager[endpoint.Endpoint]:
        """The endpoint with these options, while the block lasts."""
        return endpoint.running(self.program, streaming, cpu=self.arena.server_cpu)


def main() -> None:
    """Installs, tries every generator once, measures the parts, prints."""
    options = _options()
    work = options.work.resolve()
    program = endpoint.built(options.ssesim.resolve(), work / "bin")
    arena = _arena(work, options)
    state = host()
    print(_heading(arena, state), flush=True)
    chosen = [*generators.own(options.steelyard.resolve())]
    chosen += [generators.PEERS[name] for name in options.peers]
    entries = _tried(arena, list(installed(chosen, work / "venvs")), program)
    bench = Bench(arena, entries, program, options)
    kept: dict[str, Any] = {"host": asdict(state), "parts": {}}
    for name in options.parts:
        for lines, figures in PARTS[name](bench):
            print("\n" + "\n".join(lines), flush=True)
            kept["parts"].setdefault(name, []).append(figures)
            if options.json:
                options.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print("\n" + "\n".join(f"{name}: left out: {why}" for name, why in generators.ABSENT.items()))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Load generators, side by side.")
    parser.add_argument("--ssesim", type=Path, required=True, help="C source of the endpoint")
    parser.add_argument("--ssefloor", type=Path, required=True, help="C source of the floor")
    parser.add_argument(
        "--parts", nargs="+", default=list(PARTS), choices=list(PARTS), help="default: all"
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        default=list(generators.PEERS),
        choices=list(generators.PEERS),
        help="tools measured beside Steelyard and the floor (default: all)",
    )
    parser.add_argument("--steelyard", type=Path, default=HERE.parent, help="checkout to install")
    parser.add_argument("--in-flight", type=int, nargs="+", default=[500, 1000, 2000])
    parser.add_argument(
        "--seconds", type=float, default=22, help="least duration of a run of part truth"
    )
    parser.add_argument("--ceiling-requests", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200, help="arrivals per second, part open")
    parser.add_argument("--open-seconds", type=float, default=60)
    parser.add_argument("--streams", type=int, default=Sizes.streams, help="part scale, at once")
    parser.add_argument("--many", type=int, default=Sizes.many, help="part scale, requests")
    parser.add_argument("--compared", type=int, default=Sizes.compared, help="part scale, requests")
    parser.add_argument("--runs", type=int, default=1, help="measured runs of each")
    parser.add_argument("--limit-s", type=int, default=900, help="a run is killed after that")
    parser.add_argument(
        "--unpinned", action="store_true", help="let commands use the endpoint's CPU too"
    )
    parser.add_argument(
        "--work", type=Path, default=Path("benchmark-work"), help="virtualenvs and results go here"
    )
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


def _arena(work: Path, options: argparse.Namespace) -> Arena:
    server_cpu, *client_cpus = sorted(os.sched_getaffinity(0))
    if options.unpinned or not client_cpus:
        client_cpus.append(server_cpu)
    floor = endpoint.built(options.ssefloor.resolve(), work / "bin")
    arena = Arena(work, floor, _tokenizer(work), server_cpu, tuple(client_cpus), options.limit_s)
    arena.logs.mkdir(parents=True, exist_ok=True)
    return arena


def _tokenizer(work: Path) -> Path:
    """The folder of a small tokenizer, made once, that the hub's cache knows as `local/small`."""
    hub = work / "home" / ".cache" / "huggingface" / "hub" / "models--local--small"
    folder = hub / "snapshots" / REVISION
    if not (folder / "tokenizer_config.json").exists():
        programs = venvs.environment(work / "venvs" / "tokenizer", TOKENIZER_STEPS)
        script = HERE / "local_tokenizer.py"
        subprocess.run([programs / "python", script, folder], check=True)
        (hub / "refs").mkdir(exist_ok=True)
        (hub / "refs" / "main").write_text(REVISION, encoding="ascii")
    return folder


def _heading(arena: Arena, state: Host) -> str:
    used = state.busy_percent
    busy = " (BUSY: not for quoting)" if used > BUSY_PERCENT else ""
    cpus = ",".join(map(str, arena.client_cpus))
    return (
        f"{state.cpu}, Python {state.python}; others used {used:.0f} % before{busy}\n"
        f"endpoint on CPU {arena.server_cpu}, every command on CPU {cpus}"
    )


def _tried(arena: Arena, entries: list[Entry[Generator]], program: Path) -> list[Entry[Generator]]:
    """The entries after one unmeasured run each, which fills caches; what fails has a reason."""
    tried = []
    streaming = endpoint.streaming(20, 2, arena.logs)
    with endpoint.running(program, streaming, cpu=arena.server_cpu) as service:
        for entry in entries:
            trouble = entry.reason or trial(arena, entry, SMOKE, service, Look()).trouble
            tried.append(replace(entry, reason=trouble))
    return tried


def _truth(bench: Bench) -> Measured:
    options = bench.options
    for load in part_truth.loads(options.in_flight, options.seconds):
        runs = []
        with bench.serving(part_truth.streaming(bench.arena)) as service:
            for _ in range(options.runs):
                runs += part_truth.measured(bench.arena, bench.entries, load, service)
        records = [{**as_record(run), **part_truth.record(run)} for run in runs]
        yield part_truth.table(bench.entries, load, runs), records


def _ceiling(bench: Bench) -> Measured:
    requests, pairs = bench.options.ceiling_requests, []
    with bench.serving(part_ceiling.streaming(bench.arena)) as service:
        for _ in range(bench.options.runs):
            pairs += part_ceiling.measured(bench.arena, bench.entries, requests, service)
    records = [{"few": as_record(pair.few), "many": as_record(pair.many)} for pair in pairs]
    yield part_ceiling.table(bench.entries, pairs), records


def _scale(bench: Bench) -> Measured:
    options, entry = bench.options, bench.entries[0]
    sizes = Sizes(streams=options.streams, many=options.many, compared=options.compared)
    runs = []
    for stage in part_scale.stages(sizes) if not entry.reason else ():
        with bench.serving(stage.streaming(bench.arena)) as service:
            runs.append((stage, part_scale.measured(bench.arena, entry, stage, service)))
    yield part_scale.table(entry, runs), [as_record(run) for _, run in runs]


def _open(bench: Bench) -> Measured:
    load, runs = part_open.load(bench.options.rate, bench.options.open_seconds), []
    with bench.serving(part_truth.streaming(bench.arena)) as service:
        for _ in range(bench.options.runs):
            runs += part_open.measured(bench.arena, bench.entries, load, service)
    records = [{**as_record(run), **part_open.record(run)} for run in runs]
    yield part_open.table(bench.entries, runs), records


PARTS: dict[str, Callable[[Bench], Measured]] = {
    "truth": _truth,
    "ceiling": _ceiling,
    "scale": _scale,
    "open": _open,
}


if __name__ == "__main__":
    main()
