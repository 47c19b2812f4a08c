"""The options that say who judges, and what that one is asked.

``steelyard run`` and ``steelyard calibrate`` have them; what they mean stands in ``judging``.
"""

from typing import Annotated

import msgspec

from steelyard.cli.options import Opt as opt

_JUDGE = "a judge"


class JudgeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """Who judges, and what that one is asked."""

    judge: Annotated[
        str | None,
        opt(
            help="model preset of the judge (judge, where --judge-url says where it is)",
            metavar="NAME",
            group=_JUDGE,
        ),
    ] = None
    judge_url: Annotated[
        str | None, opt(help="address of the judge's service", metavar="URL", group=_JUDGE)
    ] = None
    judge_model: Annotated[
        str | None,
        opt(
            help="name of the served judge (asked from /v1/models when absent)",
            metavar="NAME",
            group=_JUDGE,
        ),
    ] = None
    judge_api_key_env: Annotated[
        str | None,
        opt(
            help="environment variable that holds the judge's API key",
            metavar="VARIABLE",
            group=_JUDGE,
        ),
    ] = None
    judge_concurrency: Annotated[
        int | None,
        opt(
            help="requests in flight to the judge at most",
            metavar="N",
            low=1,
            high=100000,
            group=_JUDGE,
        ),
    ] = None
    judge_rate: Annotated[
        float | None,
        opt(
            help="requests per second to the judge at most (0: as fast as places allow)",
            metavar="R",
            low=0,
            high=64000,
            group=_JUDGE,
        ),
    ] = None
    judge_set: Annotated[
        tuple[str, ...],
        opt(
            help="any other field of the judge's preset, e.g. max_tokens=512 price.output=2.5",
            metavar="KEY=VALUE",
            group=_JUDGE,
        ),
    ] = ()
    judge_prompt: Annotated[
        str | None,
        opt(
            help="what the judge is asked, for every data set: verifier, letter_verifier, "
            "compass_verifier, compass_verifier_steps, score, score:1-5, or a file of your own",
            metavar="NAME|FILE",
            group=_JUDGE,
        ),
    ] = None
    judge_again: Annotated[
        bool,
        opt(
            help="ask the judge once more where its replies stated no verdict",
            group=_JUDGE,
        ),
    ] = False
