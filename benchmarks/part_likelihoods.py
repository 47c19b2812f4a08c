"""Part likelihoods of `local_models.py`: Steelyard's figures against lm-evaluation-harness's.

Both get the same rows of HellaSwag, ARC (easy) and PIQA. The harness gets its own task definitions,
with the data and the split replaced: `likelihood_rows` says how.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import likelihood_rows
from account import Command, accounted, clean_environment, last_line
from entries import Entry
from likelihood_rows import DATA_SETS, DataSet
from local_contenders.contract import Contender
from part_answers import Bench
from tables import aligned, number


@dataclass(frozen=True)
class Compared:
    """One data set on one model; accuracies in percent, theirs after the slash."""

    data_set: str
    rows: int
    candidates: int
    largest_per_token: float
    """Largest difference of two sums over the tokens of their candidate, in nats."""
    largest_sum: float
    greedy_differs: int
    acc: tuple[float, float]
    acc_norm: tuple[float, float]
    busy_s: tuple[float, float]
    """Whole commands over all data sets."""


def measured(
    bench: Bench, pair: tuple[Entry[Contender], Entry[Contender]], model: Path, rows: int
) -> list[dict[str, object]]:
    """Both commands over all data sets; the table is printed, the figures come back."""
    own, peer = pair
    if own.reason or peer.reason:
        print(own.reason or peer.reason)
        return []
    folder = bench.work / "runs" / "likelihoods"
    shutil.rmtree(folder, ignore_errors=True)
    likelihood_rows.write(bench.data, folder, rows, peer.programs)
    own_s = _run(bench, own, folder / "own", _steelyard(bench, own, model, folder))
    peer_s = _run(bench, peer, folder / "peer", _lm_eval(bench, peer, model, folder))
    found = [_compared(folder, one, (own_s, peer_s)) for one in DATA_SETS]
    print("\n".join(aligned(_table(found))))
    return [asdict(one) for one in found]


def _steelyard(bench: Bench, entry: Entry[Contender], model: Path, folder: Path) -> Command:
    options = {
        "--models": "hf_base_model",
        "--model-path": str(model),
        "--device": bench.device,
        "--dtype": "float32",
        "--batch-size": str(bench.batch_size),
        "--data-dir": str(folder / "rows"),
        "-w": str(folder / "own" / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    names = [one.own_task for one in DATA_SETS]
    return Command((str(entry.programs / "steelyard"), "run", "--datasets", *names, *words))


def _lm_eval(bench: Bench, entry: Entry[Contender], model: Path, folder: Path) -> Command:
    options = {
        "--model": "hf",
        "--model_args": f"pretrained={model},dtype=float32",
        "--device": bench.device,
        "--batch_size": str(bench.batch_size),
        "--tasks": ",".join(one.peer_task for one in DATA_SETS),
        "--include_path": str(folder / "tasks"),
        "--output_path": str(folder / "peer" / "outputs"),
    }
    words = [word for pair in options.items() for word in pair]
    return Command((str(entry.programs / "lm_eval"), "run", "--log_samples", *words))


def _run(bench: Bench, entry: Entry[Contender], folder: Path, command: Command) -> float:
    """The seconds that the whole command took."""
    folder.mkdir(parents=True)
    env = clean_environment(bench.work, entry.programs, {**bench.env, **command.env})
    account, text = accounted(command, env, folder, bench.limits)
    if account.exit_status:
        raise SystemExit(f"{entry.contender.name}: {last_line(text)}")
    return account.wall_s


def _compared(folder: Path, one: DataSet, busy_s: tuple[float, float]) -> Compared:
    outputs = folder / "own" / "outputs"
    (own_path,) = outputs.glob(f"*/predictions/*/{one.own_task}.jsonl")
    (result_path,) = outputs.glob(f"*/results/*/{one.own_task}.json")
    (peer_path,) = (folder / "peer" / "outputs").rglob(f"samples_{one.peer_task}_*.jsonl")
    own = {line["key"].rpartition("#")[0]: line["likelihoods"] for line in _lines(own_path)}
    samples = {line["doc_id"]: line for line in _lines(peer_path)}
    ids = one.ids(folder / "rows")
    per_token, sums, differs, candidates = 0.0, 0.0, 0, 0
    for number_, sample in samples.items():
        theirs = sample["filtered_resps"]
        for ours, (total, greedy) in zip(own[ids[number_]], theirs, strict=True):
            gap = abs(ours["total"] - float(total))
            per_token, sums = max(per_token, gap / ours["tokens"]), max(sums, gap)
            differs += ours["greedy"] != (str(greedy) == "True")
            candidates += 1
    result = json.loads(result_path.read_text(encoding="utf-8"))
    acc, norm = (
        100 * sum(line[name] for line in samples.values()) / len(samples)
        for name in ("acc", "acc_norm")
    )
    return Compared(
        data_set=one.peer_task,
        rows=len(samples),
        candidates=candidates,
        largest_per_token=per_token,
        largest_sum=sums,
        greedy_differs=differs,
        acc=(result["accuracy"], acc),
        acc_norm=(result["variants"]["character"]["value"], norm),
        busy_s=busy_s,
    )


def _lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _table(found: list[Compared]) -> list[list[str]]:
    head = ["data set", "rows", "candidates", "largest gap/token", "largest gap of a sum"]
    lines = [[*head, "greedy differs", "acc", "acc_norm", "command s"]]
    for one in found:
        pairs = (one.acc, one.acc_norm, one.busy_s)
        lines.append(
            [
                one.data_set,
                str(one.rows),
                str(one.candidates),
                f"{one.largest_per_token:.1e}",
                f"{one.largest_sum:.1e}",
                str(one.greedy_differs),
                *(f"{number(ours, 1)} / {number(theirs, 1)}" for ours, theirs in pairs),
            ]
        )
    return lines
