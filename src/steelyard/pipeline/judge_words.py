"""What a report says about the judge behind a score: who, how sure, how much."""

from collections.abc import Iterator, Mapping

from steelyard.reports import JudgeAccount, Note, Results

LACKS: Mapping[str, str] = {
    "unparsed": "without a verdict that can be read",
    "judge_failed": "that the judge could not be asked about",
    "unjudged": "not judged yet",
}
"""What is said of answers with an outcome that is no verdict."""


def judge_notes(results: Results) -> Iterator[Note]:
    """The notes of one judged job."""
    account = results.judge
    if account is None:
        return
    for text in (_who(account), *_missing(account), *_beside(account)):
        yield Note(text, results.dataset, results.model)


def _who(account: JudgeAccount) -> str:
    by = f"{account.abbr} ({account.served})" if account.served else account.abbr
    unparsed, asked = account.outcomes.get("unparsed", 0), account.asked
    share = f"{100 * unparsed / asked:.1f} % of {asked:,} unparsed" if asked else "nobody was asked"
    return f"judged by {by}, {account.judge}; {share}; {cost(account)}"


def cost(account: JudgeAccount) -> str:
    """Replies, tokens, and their price where it is known."""
    replies = f"{account.replies:,} replies"
    if account.prompt_tokens is None or account.output_tokens is None:
        return f"{replies}, tokens unknown"
    tokens = f"{account.prompt_tokens:,} prompt and {account.output_tokens:,} output tokens"
    if account.cost is None:
        return f"{replies}, {tokens}"
    return f"{replies}, {tokens}, {account.cost:,.2f} {account.currency}".rstrip()


def _missing(account: JudgeAccount) -> Iterator[str]:
    for outcome, words in LACKS.items():
        if number := account.outcomes.get(outcome):
            reason = account.reasons.get(outcome, "")[:200]
            yield f"{number:,} answers {words}, for example: {reason}"
    if account.stale:
        yield (
            f"{account.stale:,} answers have only judgements that are stale (another answer, judge "
            "or prompt); --mode judge --reuse judges them again"
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
            "both orders; the others count as ties"
        )
