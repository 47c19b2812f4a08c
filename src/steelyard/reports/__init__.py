"""Reports: given numbers as text people and programs read.

Rule: nothing here computes a number, reads a clock or touches a file.
"""

from steelyard.reports.board import Snapshot, milliseconds, progress_line
from steelyard.reports.numbers import clock, count, kinds, rate
from steelyard.reports.results import (
    Detail,
    JudgeAccount,
    LabelPpl,
    Results,
    read_results,
    results_json,
)
from steelyard.reports.summary import Cell, Comparison, Note, Row, Summary, cell
from steelyard.reports.summary_text import csv_file, markdown_file, screen, text_file
from steelyard.reports.tables import Style, table
from steelyard.reports.text import one_line, pad, truncate, width

__all__ = [
    "Cell",
    "Comparison",
    "Detail",
    "JudgeAccount",
    "LabelPpl",
    "Note",
    "Results",
    "Row",
    "Snapshot",
    "Style",
    "Summary",
    "cell",
    "clock",
    "count",
    "csv_file",
    "kinds",
    "markdown_file",
    "milliseconds",
    "one_line",
    "pad",
    "progress_line",
    "rate",
    "read_results",
    "results_json",
    "screen",
    "table",
    "text_file",
    "truncate",
    "width",
]
