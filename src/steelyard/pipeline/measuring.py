"""How a load test is to be measured: statistics, stage, objectives; and the call that does it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import msgspec

from steelyard.core import Beat, ConfigError
from steelyard.perf.slo import parsed_slo
from steelyard.perf.stats import DEFAULT_STATS, MOST_STATS, chosen_stats

if TYPE_CHECKING:
    from steelyard.perf.figures import Figures
    from steelyard.pipeline.load_columns import Measured
    from steelyard.pipeline.load_files import RunNote


class Measuring(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of the figures; nothing in here changes what is sent."""

    stats: tuple[str, ...] = ()
    """Columns of the statistics table; empty: the usual ones."""
    stage: Literal["steady", "stable"] = "steady"
    """``steady``: whole run and steady window; ``stable``: AISBench's stable stage alone."""
    slo: str = ""
    """``ttft=500ms,tpot=50ms``."""
    compat: bool = False
    """Also the figures by AISBench's rules, under names of their own."""
    spec_decode: bool = False
    """Say why, when the service has no counters of speculative decoding."""

    def check(self) -> None:
        """Raise ``ConfigError`` for statistics or objectives that there are not."""
        for name in self.stats:
            if chosen_stats((name,)) == ("Average",) and name.lower() != "average":
                raise ConfigError(
                    f"--stats {name}: there is no such statistic. Known: Average, Min, Max, Median "
                    "and P1 to P99."
                )
        if len(self.stats) > MOST_STATS:
            raise ConfigError(f"--stats: {len(self.stats)} columns; expected {MOST_STATS} at most.")
        if self.slo:
            parsed_slo(self.slo)

    def figures(self, measured: "Measured", note: "RunNote", beats: Sequence[Beat]) -> "Figures":
        """The figures of one run."""
        from steelyard.perf.measure import Options, figures

        options = Options(
            stats=self.stats or DEFAULT_STATS,
            stage=self.stage,
            limit=None if note.load.use_timestamp else note.load.concurrency,
            slo=parsed_slo(self.slo) if self.slo else None,
            compat=self.compat,
            kernel_clock=note.arrivals == "kernel",
        )
        return figures(measured.columns, options, beats)
