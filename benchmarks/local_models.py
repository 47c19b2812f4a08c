"""Models in this process, side by side: how fast they answer, and how likely they find texts.

    python benchmarks/local_models.py --datasets DIR [--model DIR ...] [--json OUT]

Part `answers` has every contender answer the same questions by the same model; part `likelihoods`
holds Steelyard's log-likelihoods against lm-evaluation-harness's. Who there is is said in
`local_contenders`, what runs inside their environments in `local_drivers`, and how to read the
tables in README.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import local_contenders
import part_answers
import part_likelihoods
from account import Limits, clean_environment
from entries import Entry, installed
from local_contenders.contract import DRIVERS, Contender
from machine import host

HERE = Path(__file__).parent
SIZES = {"random-128x2": (128, 2), "random-512x8": (512, 8)}
"""Hidden size and layers of the models that are made here."""
STRETCH = 1.8
"""Of the end token's row, see `local_drivers/random_llama.py`."""


def main() -> None:
    """Installs, makes models, measures, prints."""
    options = _options()
    work = options.work.resolve()
    chosen = _chosen(options)
    entries = list(installed(chosen, work / "venvs"))
    for entry in entries:
        print(f"{entry.contender.name}: {entry.reason or entry.version}", file=sys.stderr)
    models = dict(_models(options, entries[0], work))
    threads = {"OMP_NUM_THREADS": str(options.threads)}
    bench = part_answers.Bench(
        work=work,
        data=options.datasets.resolve(),
        problems=options.problems or options.datasets / "gsm8k" / "test.jsonl",
        limits=Limits(tuple(sorted(os.sched_getaffinity(0))), options.limit_s),
        env=threads,
        device=options.device,
        batch_size=options.batch_size,
        questions=options.questions,
        max_tokens=options.max_tokens,
    )
    print(f"{host()}, {options.threads} threads each")
    figures: dict[str, object] = {"host": asdict(host()), "threads": options.threads}
    for name, model in models.items():
        for part, measured in _parts(bench, entries, options):
            print(f"\n{part}, {name}:")
            figures[f"{part} {name}"] = measured(model)
            if options.json:
                options.json.write_text(json.dumps(figures, indent=1), encoding="utf-8")


def _parts(
    bench: part_answers.Bench, entries: list[Entry[Contender]], options: argparse.Namespace
) -> Iterator[tuple[str, part_answers.Measured]]:
    if "answers" in options.parts:
        yield "answers", lambda model: part_answers.measured(bench, entries, model, options.runs)
    if "likelihoods" in options.parts:
        by_name = {entry.contender.name: entry for entry in entries}
        pair = by_name["steelyard_local"], by_name["lm_eval_local"]
        rows = options.rows
        yield "likelihoods", lambda model: part_likelihoods.measured(bench, pair, model, rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Models in this process, side by side.")
    parser.add_argument(
        "--datasets", type=Path, required=True, help="folder with gsm8k, hellaswag, ARC and piqa"
    )
    parser.add_argument("--problems", type=Path, help="part answers asks these instead of GSM8K's")
    parser.add_argument("--parts", nargs="+", default=["answers", "likelihoods"])
    parser.add_argument("--model", type=Path, nargs="*", default=[], help="folders of models")
    parser.add_argument("--random", nargs="*", default=list(SIZES), choices=list(SIZES))
    peers = list(local_contenders.PEERS)
    parser.add_argument("--peers", nargs="*", default=peers, choices=peers)
    parser.add_argument(
        "--loops",
        nargs="*",
        default=list(local_contenders.LOOPS),
        choices=list(local_contenders.LOOPS),
        help="what Transformers brings itself",
    )
    parser.add_argument("--limit-s", type=int, default=1800, help="a run is killed after that")
    parser.add_argument("--steelyard", type=Path, default=HERE.parent, help="checkout to install")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--questions", type=int, default=128)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--rows", type=int, default=200, help="rows of each data set, likelihoods")
    parser.add_argument("--runs", type=int, default=1, help="rounds of part answers")
    parser.add_argument("--work", type=Path, default=Path("benchmark-work"))
    parser.add_argument("--json", type=Path, help="write all figures here")
    return parser.parse_args()


def _chosen(options: argparse.Namespace) -> list[Contender]:
    """Steelyard first, then the peers, then Transformers' own loops."""
    checkout = options.steelyard.resolve()
    peers = [local_contenders.PEERS[name] for name in options.peers]
    loops = [local_contenders.loop(checkout, name) for name in options.loops]
    return [local_contenders.own(checkout), *peers, *loops]


def _models(
    options: argparse.Namespace, steelyard: Entry[Contender], work: Path
) -> Iterator[tuple[str, Path]]:
    """Those that were given, and those that are made here."""
    yield from ((folder.name, folder.resolve()) for folder in options.model)
    for name in options.random:
        folder = work / "models" / name
        if not (folder / "config.json").exists():
            hidden, layers = SIZES[name]
            words = {
                "--hidden": str(hidden),
                "--layers": str(layers),
                "--stretch": str(STRETCH),
                "--texts": str(options.datasets.resolve() / "gsm8k" / "train.jsonl"),
                "--out": str(folder),
            }
            pairs = [word for pair in words.items() for word in pair]
            made = [steelyard.programs / "python", DRIVERS / "random_llama.py", *pairs]
            env = clean_environment(work, steelyard.programs, {})
            subprocess.run(made, env=env, check=True)
        yield name, folder


if __name__ == "__main__":
    main()
