"""What the options of load tests mean together: refused, idle, and handed to the measuring."""

from collections.abc import Iterable

from steelyard import backends
from steelyard.cli.run_options import RunOptions
from steelyard.core import ConfigError, ModelSpec
from steelyard.pipeline import Measuring

_SENDING: tuple[str, ...] = (
    "burstiness", "ramp_up_strategy", "ramp_up_start_rps", "ramp_up_end_rps", "use_timestamp",
    "pressure",
)  # fmt: skip
_MEASURING = ("slo", "stats", "compat_metrics", "spec_decode")
_NEED_STREAM = ("ttft", "tpot", "itl")


def measuring(options: RunOptions) -> Measuring:
    """How the load test is measured; raises ``ConfigError`` for values that cannot be."""
    wanted = Measuring(
        stats=options.stats,
        stage="stable" if options.summarizer == "stable_stage" else "steady",
        slo=options.slo or "",
        compat=options.compat_metrics,
        spec_decode=options.spec_decode,
    )
    wanted.check()
    return wanted


def check(options: RunOptions, models: Iterable[ModelSpec]) -> None:
    """Refuse, before anything is sent, what cannot be measured; raises ``ConfigError``."""
    wanted = measuring(options)
    for model in models:
        if backends.devices(model) is not None:
            raise ConfigError(
                f"{model.abbr}: the speed of a model in this process cannot be measured here; a "
                "load test is about a service. Serve the model and use a streaming preset "
                "(vllm_api_stream_chat...)."
            )
        unstreamed = model.options.get("stream", True) is False
        needed = [name for name in _NEED_STREAM if f"{name}=" in wanted.slo.replace(" ", "")]
        if unstreamed and needed:
            raise ConfigError(
                f"--slo {options.slo}: {', '.join(needed)} can be measured only of streamed "
                f"answers, and {model.abbr} does not stream. Use a streaming preset "
                "(vllm_api_stream_chat, vllm_api_general_stream...) or --set stream=true."
            )


def idle(options: RunOptions) -> list[str]:
    """Options of load tests that change nothing in this mode."""
    defaults = RunOptions()
    if options.mode == "perf":
        return []
    without_effect = _SENDING if options.mode == "perf_viz" else (*_SENDING, *_MEASURING)
    given = [
        "--" + name.replace("_", "-")
        for name in without_effect
        if getattr(options, name) != getattr(defaults, name)
    ]
    return [f"{', '.join(given)}: no effect in mode {options.mode}"] if given else []
