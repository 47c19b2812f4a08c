"""Figures of a load test: latency, throughput, steady state, goodput, and how sure they are.

Rule: functions over columns of numbers. Nothing here sends, reads files, reads a clock or plots.
"""

from steelyard.perf.client import health
from steelyard.perf.columns import UNKNOWN, Columns, GapChunk, Gaps, GapsInMemory
from steelyard.perf.counters import EngineFigures, Speculation, engine_figures, samples
from steelyard.perf.figures import (
    ClientHealth,
    Common,
    Estimate,
    Figures,
    Goodput,
    SloShare,
    Stage,
    Stat,
    Window,
)
from steelyard.perf.goodput import Slo, parsed_slo, slo_text
from steelyard.perf.measure import Options, StageRule, figures
from steelyard.perf.percentiles import DEFAULT_STATS, chosen_stats
from steelyard.perf.series import Series, series

__all__ = [
    "DEFAULT_STATS",
    "UNKNOWN",
    "ClientHealth",
    "Columns",
    "Common",
    "EngineFigures",
    "Estimate",
    "Figures",
    "GapChunk",
    "Gaps",
    "GapsInMemory",
    "Goodput",
    "Options",
    "Series",
    "Slo",
    "SloShare",
    "Speculation",
    "Stage",
    "StageRule",
    "Stat",
    "Window",
    "chosen_stats",
    "engine_figures",
    "figures",
    "health",
    "parsed_slo",
    "samples",
    "series",
    "slo_text",
]
