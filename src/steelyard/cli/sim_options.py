"""Every option of ``steelyard sim``: name, type, default and help in one place."""

from typing import Annotated, Literal

import msgspec

from steelyard.cli.options import Opt
from steelyard.sim import MODEL, DialectName, JudgeName, ModelsPage, ReasoningField

_SAYS = "what it says"
_TIME = "how long it takes (50ms, normal(50ms,10ms), lognormal(200ms,0.5), uniform, exp, gamma)"
_WRONG = "what goes wrong"
_WHERE = "where it listens"


class SimCommand(msgspec.Struct, frozen=True, kw_only=True):
    """The command line of ``steelyard sim``."""

    dataset: Annotated[
        tuple[str, ...],
        Opt(help="data sets whose questions it can answer, by name or glob", group=_SAYS),
    ] = ()
    accuracy: Annotated[
        float,
        Opt(
            help="share of their questions that is answered rightly, exact in every data set (1)",
            metavar="SHARE",
            low=0,
            high=1,
            group=_SAYS,
        ),
    ] = 1.0
    repeat_accuracy: Annotated[
        Literal["exact", "independent"],
        Opt(
            help="exact: the same questions are right every time they are asked; independent: "
            "drawn anew for every request",
            group=_SAYS,
        ),
    ] = "exact"
    data_dir: Annotated[
        str | None, Opt(help="folder with the data sets' files", metavar="DIR", group=_SAYS)
    ] = None
    config_dir: Annotated[
        str | None, Opt(help="folder with your own datasets/", metavar="DIR", group=_SAYS)
    ] = None
    model: Annotated[str, Opt(help=f"name of the served model ({MODEL})", group=_SAYS)] = MODEL
    dialect: Annotated[
        DialectName, Opt(help="whose oddities it imitates (openai)", group=_SAYS)
    ] = "openai"
    tokens: Annotated[
        str | None,
        Opt(
            help="pad every answer to this many tokens: 128, normal(128,20)...; questions it does "
            "not know get 64 tokens of filler",
            metavar="COUNT",
            group=_SAYS,
        ),
    ] = None
    reasoning: Annotated[
        str, Opt(help="reasoning tokens in front of every answer (0)", metavar="COUNT", group=_SAYS)
    ] = "0"
    reasoning_field: Annotated[
        ReasoningField,
        Opt(help="where reasoning goes in chat; think: inline (reasoning_content)", group=_SAYS),
    ] = "reasoning_content"
    judge: Annotated[
        JudgeName | None,
        Opt(
            help="answer judges' questions with a verdict; fair: by comparing with the reference; "
            "obedient: also obey what stands outside the texts to be judged",
            group=_SAYS,
        ),
    ] = None
    judge_noise: Annotated[
        float,
        Opt(
            help="share of the judge's own verdicts that are turned round (0)",
            metavar="SHARE",
            low=0,
            high=1,
            group=_SAYS,
        ),
    ] = 0.0
    judge_unparsable: Annotated[
        float,
        Opt(
            help="share of judgements without a verdict (0)",
            metavar="SHARE",
            low=0,
            high=1,
            group=_SAYS,
        ),
    ] = 0.0
    judge_quotes: Annotated[
        float,
        Opt(
            help="share of judgements that quote the answer before the verdict (0)",
            metavar="SHARE",
            low=0,
            high=1,
            group=_SAYS,
        ),
    ] = 0.0
    seed: Annotated[int, Opt(help="fixes every draw (0)", metavar="N", group=_SAYS)] = 0
    ttft: Annotated[str, Opt(help="arrival to first token (0)", metavar="TIME", group=_TIME)] = "0"
    itl: Annotated[
        str,
        Opt(
            help="token to token (0); a reply that is not streamed takes as long as its stream",
            metavar="TIME",
            group=_TIME,
        ),
    ] = "0"
    events_per_write: Annotated[
        int | None,
        Opt(help="tokens that leave in one write (1; vllm 2)", metavar="N", low=1, group=_TIME),
    ] = None
    max_concurrency: Annotated[
        int | None,
        Opt(help="requests answered at once; others wait", metavar="N", low=1, group=_TIME),
    ] = None
    fault: Annotated[
        tuple[str, ...],
        Opt(
            help="KIND:SHARE; kinds: a status (400 to 599), reset, truncate, hang, garbage, empty, "
            "slow; options :retry-after=S :bytes-per-s=N :sticky, e.g. 429:0.1:retry-after=1",
            group=_WRONG,
        ),
    ] = ()
    fault_after: Annotated[
        int, Opt(help="the first N requests do not fail", metavar="N", low=0, group=_WRONG)
    ] = 0
    fault_first: Annotated[
        int | None,
        Opt(help="only the first N requests may fail", metavar="N", low=0, group=_WRONG),
    ] = None
    require_key: Annotated[
        str,
        Opt(
            help="401 without the Bearer key that this environment variable holds",
            metavar="ENV",
            group=_WRONG,
        ),
    ] = ""
    strict_model: Annotated[bool, Opt(help="404 for any other model name", group=_WRONG)] = False
    models_page: Annotated[
        ModelsPage,
        Opt(help="what /v1/models shows (as the dialect does); error: status 500", group=_WRONG),
    ] = "dialect"
    context_tokens: Annotated[
        int | None,
        Opt(help="400 when prompt and max_tokens exceed N", metavar="N", low=1, group=_WRONG),
    ] = None
    keep_streams: Annotated[
        bool, Opt(help="dialect llamacpp: new requests do not cut running streams", group=_WRONG)
    ] = False
    host: Annotated[str, Opt(help="address (127.0.0.1)", group=_WHERE)] = "127.0.0.1"
    port: Annotated[
        int, Opt(help="port (8080); 0 takes a free one", low=0, high=65535, group=_WHERE)
    ] = 8080
    tls_cert: Annotated[str, Opt(help="HTTPS: certificate chain", metavar="PEM", group=_WHERE)] = ""
    tls_key: Annotated[str, Opt(help="HTTPS: its key", metavar="PEM", group=_WHERE)] = ""
    log: Annotated[
        str,
        Opt(
            help="write when each request arrived and each token left", metavar="FILE", group=_WHERE
        ),
    ] = ""
