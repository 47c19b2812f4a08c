"""What a report says about the judge behind a score: who, how sure, how much."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from steelyard.reports import JudgeAccount, Note, Results

_FLAG = re.compile(r"--(?:base-)?(url|model|api-key-env|set)(?![\w-])")

LACKS: Mapping[str, str] = {
    "unparsed": "without a verdict that can be read",
    "judge_failed": "that the judge could not be asked about",
    "unjudged": "not judged yet",
}
"""What is said of answers with an outcome that is no verdict."""
_SILENT = ("judge_failed", "unjudged")
"""Of these, those about which the judge has said nothing."""


def of_judge(abbr: str, trouble: str) -> str:
    """Trouble with a service as that of the judge; its flags have names of their own."""
    text = _FLAG.sub(r"--judge-\1", trouble)
    return f"judge {abbr!r}: {text}"


def judge_notes(judged: Iterable[Results]) -> Iterator[Note]:
    """Who judged, once for each model and judge; and what is odd about single jobs."""
    together: dict[tuple[str, str, str, str], list[Results]] = {}
    for results in judged:
        if account := results.judge:
            key = (results.model, account.judge, account.abbr, account.served)
            together.setdefault(key, []).append(results)
    for (model, *_), members in together.items():
        accounts = [one.judge for one in members if one.judge]
        name, *others = dict.fromkeys(one.dataset for one in members)
        dataset = f"{name} and {len(others)} more" if others else name
        yield Note(_who(accounts), dataset, model)
    for members in together.values():
        for results in members:
            if results.judge:
                for text in (*_missing(results.judge), *_beside(results.judge)):
                    yield Note(text, results.dataset, results.model)


def _who(accounts: Sequence[JudgeAccount]) -> str:
    first = accounts[0]
    by = f"{first.abbr} ({first.served})" if first.served else first.abbr
    unparsed = sum(one.outcomes.get("unparsed", 0) for one in accounts)
    asked = sum(one.asked for one in accounts)
    heard = asked - sum(one.outcomes.get(name, 0) for one in accounts for name in _SILENT)
    share = f"{100 * unparsed / heard:.1f} % of {heard:,} unparsed" if heard > 0 else "no reply yet"
    if not asked:
        share = "nobody was asked"
    return f"judged by {by}, {first.judge}; {share}; {cost(accounts)}"


def cost(accounts: Sequence[JudgeAccount]) -> str:
    """What judging took; tokens and money only where they are known of all."""
    text = f"{sum(one.replies for one in accounts):,} replies"
    if earlier := sum(one.earlier for one in accounts):
        text += f" ({earlier:,} of them stale)"
    prompts = [one.prompt_tokens for one in accounts if one.prompt_tokens is not None]
    outputs = [one.output_tokens for one in accounts if one.output_tokens is not None]
    if len(prompts) < len(accounts) or len(outputs) < len(accounts):
        return f"{text}, tokens unknown"
    text += f", {sum(prompts):,} prompt and {sum(outputs):,} output tokens"
    costs = [one.cost for one in accounts if one.cost is not None]
    if len(costs) < len(accounts):
        return text
    return f"{text}, {_money(sum(costs))} {accounts[0].currency}".rstrip()


def _money(amount: float) -> str:
    """With two decimals, of little amounts with two digits: 0.0040, and not 0.00."""
    return f"{amount:,.2f}" if amount >= 0.1 or not amount else f"{amount:#.2g}"


def _missing(account: JudgeAccount) -> Iterator[str]:
    for outcome, words in LACKS.items():
        if number := account.outcomes.get(outcome):
            reason = account.reasons.get(outcome, "")[:200]
            yield f"{number:,} answers {words}, for example: {reason}"
    if account.stale:
        yield (
            f"{account.stale:,} answers have only judgements that are stale (another answer, judge "
            "or prompt); --mode eval --reuse judges them again"
        )


def _beside(account: JudgeAccount) -> Iterator[str]:
    if invalid := account.outcomes.get("invalid"):
        yield (
            f"{invalid:,} answers are invalid and count as wrong ({account.without_judge:,} empty "
            "or cut off, the others by the judge)"
        )
    if account.by_rule:
        yield f"{account.by_rule:,} answers were accepted by the rule, the judge marked the others"
    if account.audited:
        yield (
            f"audit: of {account.audited:,} answers that the rule accepted the judge accepts "
            f"{account.audit_agreed:,}"
        )
    if account.both_orders:
        yield (
            f"{account.same_in_both:,} of {account.both_orders:,} comparisons came out the same in "
            "both orders; two different winners count as a tie"
        )
