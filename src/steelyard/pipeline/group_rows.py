"""Rows of a report that average others: families of sub-data sets, and suites."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from steelyard.core import Job, Metric
from steelyard.reports import Cell, Results, Row
from steelyard.scoring import combine

Table: TypeAlias = Mapping[tuple[str, str], Results]
"""Results by model and data set, as marked."""


class _Member(NamedTuple):
    """What one model came to on one data set, or on a group of them."""

    results: tuple[Results, ...]
    metric: Metric | None


def group_rows(jobs: Sequence[Job], table: Table, models: Sequence[str]) -> Iterator[Row]:
    """The averages whose members the plan has; a cell has a value when they all have one."""
    if not any(job.task.group or job.judging for job in jobs):
        return
    from steelyard.tasks.groups import GROUPS

    modes: dict[str, set[str]] = {}
    known: dict[tuple[str, str], _Member] = {}
    for job in jobs:
        modes.setdefault(job.task.name, set()).add(job.task.mode)
        results = table.get((job.model.abbr, job.marked_name))
        if results is not None:
            first = results.metrics[0] if results.metrics else None
            known[job.model.abbr, job.task.name] = _Member((results,), first)
    for group in GROUPS:
        there = [name for name in group.members if name in modes]
        if len(there) < (2 if group.partial else len(group.members)):
            continue
        for model in models:
            members = {name: known[model, name] for name in there if (model, name) in known}
            if members:
                known[model, group.name] = _averaged(members, group.weights, len(there))
        modes[group.name] = set().union(*(modes[name] for name in there))
        mode, *others = modes[group.name]
        some = f" ({len(there)} of {len(group.members)})" if len(there) < len(group.members) else ""
        yield Row(
            group.name + some,
            "-",
            "weighted_average" if group.weights else "naive_average",
            "mixed" if others else mode,
            tuple(_cell(known.get((model, group.name))) for model in models),
        )


def _averaged(
    members: Mapping[str, _Member], weights: Mapping[str, float] | None, wanted: int
) -> _Member:
    """The average of the members' first metrics; without a metric when one of them has none."""
    metrics = {name: member.metric for name, member in members.items() if member.metric}
    found = combine(metrics, weights) if len(metrics) == wanted else None
    return _Member(tuple(one for member in members.values() for one in member.results), found)


def _cell(member: _Member | None) -> Cell | None:
    if member is None:
        return None
    failures: dict[str, int] = {}
    for results in member.results:
        for kind, number in results.failures.items():
            failures[kind] = failures.get(kind, 0) + number
    metric = member.metric
    return Cell(
        value=metric.value if metric else None,
        low=metric.low if metric else None,
        high=metric.high if metric else None,
        total=sum(one.total for one in member.results),
        answered=sum(one.answered for one in member.results),
        failed=sum(one.failed for one in member.results),
        unasked=sum(one.unasked for one in member.results),
        unparsed=sum(one.unparsed for one in member.results),
        unjudged=sum(one.judge.unjudged for one in member.results if one.judge),
        truncated=sum(one.truncated for one in member.results),
        failures=failures,
    )
