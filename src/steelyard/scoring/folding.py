"""From scores to metrics: one run, or several runs over the same questions.

Values are percentages. A score without a value (failed request, sample without target) is left out
and never counted as wrong: ``n`` says what a metric rests on, ``n_failed`` and ``n_unparsed`` count
attempts. A metric that rests on nothing is absent. Of two scores with one key the later counts.

With k runs, problem i has n_i attempts with a value, c_i of them right (a partial mark counts as
right above one half):

    accuracy (k runs average)   mean over runs of each run's mean value   n: attempts
    avg@k                       mean of c_i / n_i                         n: problems, n_i > 0
    pass@k                      mean of 1 - C(n_i - c_i, k) / C(n_i, k)   n: problems, n_i >= k
    cons@k                      share of problems with c_i > k / 2        n: problems, n_i >= k

One run's interval takes the turns of a dialogue (keys ``id#0``, ``id#0.1``) as a cluster.

pass@k is the unbiased estimate of Chen et al. 2021 (arXiv:2107.03374). In the intervals the
attempts at one problem are a cluster (see ``intervals``).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import comb, fsum

import msgspec

from steelyard.core import Metric, Score
from steelyard.scoring.intervals import Estimate, Weighted, clustered_mean, mean


def fold(scores: Iterable[Score], *, repeats: int, metric: str = "accuracy") -> tuple[Metric, ...]:
    """The metrics of one model on one data set; ``()`` when no score has a value.

    Keys are ``sample_id#repeat``. One run gives ``metric`` alone. Several runs give the four
    metrics above and, where the scores come from several subsets, ``<subset>/avg@k``,
    ``<subset>/pass@k`` and ``<subset>/cons@k`` for each, in order of their names.
    """
    counted = list({score.key: score for score in scores}.values())
    if repeats == 1:
        found = mean_value(counted)
        return () if found is None else (row(metric, *found, counted),)
    subsets: dict[str, list[Score]] = {}
    for score in counted:
        subsets.setdefault(score.subset, []).append(score)
    metrics = [*_runs_average(counted, repeats, metric), *_over_problems(counted, repeats, "")]
    if len(subsets) > 1:
        for name in sorted(subsets):
            metrics += _over_problems(subsets[name], repeats, name)
    return tuple(metrics)


def mean_value(scores: Iterable[Score]) -> tuple[Estimate, int] | None:
    """The mean of one run's values and how many there are; ``None`` when there are none.

    What belongs to one problem, the turns of a dialogue, is a cluster.
    """
    problems = _values_by_problem(scores)
    values = [value for attempts in problems for value in attempts.values()]
    if not values:
        return None
    if len(problems) == len(values):
        return mean(values), len(values)
    share = 1 / len(values)
    clusters = [[Weighted(share, one) for one in attempts.values()] for attempts in problems]
    return clustered_mean(clusters), len(values)


def pooled(name: str, scores: Sequence[Score], right: str, asked: str) -> Metric:
    """A share over all that was asked, where one answer holds several things that were.

    ``right`` and ``asked`` name the ``parts`` of a score that count them; a score without these
    parts is left out. What belongs to one problem is a cluster. Some score must have them.
    """
    problems: dict[str, list[tuple[int, int]]] = {}
    for score in scores:
        if asked in score.parts:
            counts = (int(score.parts[right]), int(score.parts[asked]))
            problems.setdefault(score.key.rpartition("#")[0], []).append(counts)
    total = sum(count for attempts in problems.values() for _, count in attempts)
    clusters = [
        [
            Weighted(1 / total, float(number < good))
            for good, count in attempts
            for number in range(count)
        ]
        for attempts in problems.values()
    ]
    return row(name, clustered_mean(clusters), total, scores)


def row(name: str, estimate: Estimate, n: int, scores: Iterable[Score], subset: str = "") -> Metric:
    """A row of the report in percent; what failed or could not be read is counted in ``scores``."""
    outcomes = Counter(score.outcome for score in scores)
    return Metric(
        name=name,
        value=100 * estimate.value,
        n=n,
        n_failed=outcomes["failed"],
        n_unparsed=outcomes["unparsed"],
        low=100 * estimate.low,
        high=100 * estimate.high,
        subset=subset,
    )


def in_points(share: Metric, name: str, low: float, high: float) -> Metric:
    """A mean in percent of the way from ``low`` to ``high``, in points of that scale."""

    def points(percent: float | None) -> float | None:
        return None if percent is None else low + percent / 100 * (high - low)

    return msgspec.structs.replace(
        share,
        name=name,
        value=low + share.value / 100 * (high - low),
        unit="points",
        scale=high,
        low=points(share.low),
        high=points(share.high),
    )


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n attempts, drawn without return, hold one of the c right ones."""
    return 1 - comb(n - c, k) / comb(n, k)


def cons_at_k(c: int, k: int) -> float:
    """1.0 when more than half of k attempts are right, else 0.0."""
    return float(2 * c > k)


def aisbench_value(scores: Sequence[Score]) -> float | None:
    """The percentage with every score without a value counted as wrong, as AISBench counts."""
    if not scores:
        return None
    return 100 * fsum(score.value or 0.0 for score in scores) / len(scores)


def _runs_average(scores: list[Score], k: int, metric: str) -> Iterator[Metric]:
    problems = _values_by_problem(scores)
    answers = Counter(run for attempts in problems for run in attempts)
    if answers:
        clusters = [
            [Weighted(1 / (len(answers) * answers[run]), value) for run, value in attempts.items()]
            for attempts in problems
        ]
        name = f"{metric} ({k} runs average)"
        yield row(name, clustered_mean(clusters), answers.total(), scores)


def _over_problems(scores: list[Score], k: int, subset: str) -> Iterator[Metric]:
    rights = [
        [value > 0.5 for value in attempts.values()] for attempts in _values_by_problem(scores)
    ]
    prefix = f"{subset}/" if subset else ""
    if rights:
        clusters = [
            [Weighted(1 / (len(rights) * len(right)), float(one)) for one in right]
            for right in rights
        ]
        yield row(f"{prefix}avg@{k}", clustered_mean(clusters), len(rights), scores, subset)
    complete = [(len(right), sum(right)) for right in rights if len(right) >= k]
    if complete:
        n = len(complete)
        passed = mean([pass_at_k(tries, c, k) for tries, c in complete])
        agreed = mean([cons_at_k(c, k) for _, c in complete])
        yield row(f"{prefix}pass@{k}", passed, n, scores, subset)
        yield row(f"{prefix}cons@{k}", agreed, n, scores, subset)


def _values_by_problem(scores: Iterable[Score]) -> list[dict[str, float]]:
    """For every problem with a value, its values by run."""
    problems: dict[str, dict[str, float]] = {}
    for score in scores:
        if score.value is not None:
            problem, _, run = score.key.rpartition("#")
            problems.setdefault(problem, {})[run] = score.value
    return list(problems.values())
