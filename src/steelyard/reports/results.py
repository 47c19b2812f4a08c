"""The results file of one job: ``results/<model>/<dataset>.json``.

Metric names stand as keys with their numbers at the top level, where scripts look for them; all
there is to know about each metric stands under ``metrics``, and is what a later report reads.
"""

from collections.abc import Iterable, Mapping

import msgspec

from steelyard.core import DataError, Json, Metric


class JudgeAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Who judged, and how that went. Counts are answers where nothing else is said."""

    judge: str
    """What was asked: ``name@version#hash``, of a cascade behind its rule."""
    abbr: str
    """Who was asked."""
    served: str = ""
    """The model names that the replies carry which count."""
    outcomes: Mapping[str, int] = {}
    """``right``, ``wrong``, ``invalid``, ``unparsed``, ``judge_failed``, ``unjudged``..."""
    reasons: Mapping[str, str] = {}
    """For outcomes without a verdict, the words of the first one."""
    stale: int = 0
    """Answers that only judgements of another answer, judge or prompt are stored for."""
    by_rule: int = 0
    """Accepted by a cascade's rule."""
    without_judge: int = 0
    """Invalid on their face: empty, or cut off before an answer."""
    audited: int = 0
    """Accepted by the rule and judged all the same."""
    audit_agreed: int = 0
    both_orders: int = 0
    """Comparisons judged in both orders, and those of them with one outcome."""
    same_in_both: int = 0
    asked: int = 0
    """The judge was asked about so many, whatever came of it."""
    replies: int = 0
    """Replies in the judge's file, stale ones and second askings included."""
    earlier: int = 0
    """Of these, replies to what would not be asked now: stale, or of answers left out."""
    prompt_tokens: int | None = None
    output_tokens: int | None = None
    """Of all these replies; ``None`` when none gives a count."""
    cost: float | None = None
    """Of these tokens, where the judge has a price."""
    currency: str = ""

    @property
    def unjudged(self) -> int:
        """Answers without a verdict."""
        return sum(self.outcomes.get(name, 0) for name in ("unparsed", "judge_failed", "unjudged"))


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """What one job came to. Counts are requests; repeats of a row count apart."""

    model: str
    dataset: str
    version: str
    """Digest of prompt and examples, short: the table's ``version``."""
    mode: str = "gen"
    """``gen`` or ``ppl``: whether answers were asked for or likelihoods."""
    total: int
    """Requests of the whole job."""
    answered: int
    failed: int = 0
    unasked: int = 0
    """Requests without any stored reply."""
    unparsed: int = 0
    """Answers from which nothing could be read; they count as not right. Of judged ones: those
    that have no verdict, and do not count."""
    truncated: int = 0
    """Answers that were cut at the token limit."""
    prompts_cut: int = 0
    """Prompts that were cut because they were longer than the model takes."""
    failures: Mapping[str, int] = {}
    """Failed requests by kind (``timeout``, ``status 500``)."""
    reasons: Mapping[str, str] = {}
    """For every kind of failure the words of the first one."""
    rows: int = 0
    """Rows of the data set that the job covers."""
    rows_in_data: int = 0
    """Rows that the data set has."""
    scorer: str
    """``name@version`` of the rule behind ``metrics``."""
    metrics: tuple[Metric, ...]
    """The first is the one that groups and comparisons use; none when nothing was answered."""
    variants: Mapping[str, Metric] = {}
    """The same answers under other rules, by the name of the rule."""
    aisbench_accuracy: float | None = None
    """The first metric with failed and unasked requests counted as wrong."""
    extract_rate: float | None = None
    """Share of answers from which something could be read, in percent, when it was asked for."""
    judge: JudgeAccount | None = None
    """Where a model marked."""
    sandbox: str | None = None
    """Where the answers are programs that were run: behind which walls."""
    source_digest: str
    """Digest of the files that this was made from."""


class LabelPpl(msgspec.Struct, frozen=True):
    """AISBench's ``ppl`` of one option, named by its letter."""

    label: str
    ppl: float
    """Mean negative log-likelihood of a token over the whole text; there is no exponent in it."""


class Detail(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One marked answer (``--dump-eval-details``)."""

    key: str
    prompt: Json = None
    """Left out of a task of likelihoods, as AISBench does, and of later turns of a dialogue: what
    they ask depends on the answers, and stands with these."""
    ppl_list: tuple[LabelPpl, ...] = ()
    """Of a task of likelihoods: every label's figure."""
    origin_prediction: str
    """The model's text as it came."""
    predictions: str | None
    """What the rule read out of it."""
    references: str | None
    """The right answer."""
    correct: bool | None
    """``None`` when the request has no answer."""
    why: str = ""


def results_json(results: Results, details: Iterable[Detail] | None = None) -> bytes:
    """The text of the results file.

    A metric that is named like a field of ``Results`` stands under ``metrics`` only.
    """
    first = results.metrics[0] if results.metrics else None
    fields: dict[str, Json] = {metric.name: metric.value for metric in results.metrics}
    fields |= {
        "n": first.n if first else 0,
        "low": first.low if first else None,
        "high": first.high if first else None,
    }
    fields |= msgspec.structs.asdict(results)
    for optional in ("extract_rate", "judge", "sandbox"):
        if fields[optional] is None:
            del fields[optional]
    if details is not None:
        fields["details"] = {"type": results.mode.upper()} | {
            str(index): detail for index, detail in enumerate(details)
        }
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"


def read_results(data: bytes, name: str) -> Results:
    """What ``results_json`` wrote; ``DataError`` naming the file ``name`` for anything else."""
    try:
        return msgspec.json.decode(data, type=Results)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataError(
            f"{name} is not a results file of steelyard ({error}). Make it again from the stored "
            "answers with --mode eval --reuse."
        ) from error
