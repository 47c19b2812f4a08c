"""What each request took: one value for each request and row of the statistics table.

Times count from the sending of the request. Only answered requests have values, and a row holds
only those of them that can be computed: nothing that takes a stream without one, nothing that takes
token counts where the service named none. Full precision; nothing is rounded here.

    E2EL                    last event with text - sent            (last: end, when not streamed)
    TTFT                    first event with text - sent
    TPOT                    (E2EL - TTFT) / (OutputTokens - 1)
    ITL                     gaps between events with text          (see ``by_block``)
    InputTokens             as the service or the tokenizer counted
    OutputTokens
    OutputTokenThroughput   OutputTokens / E2EL
    PrefillTokenThroughput  InputTokens / TTFT

An answer of one token, or one that came whole in one event, has no time per token: it is left out
of TPOT. In a run with a schedule a service that stalls also holds up what is sent later, so three
more rows count from the time that the schedule wanted: ``TTFT (from due)``, ``E2EL (from due)`` and
``Lateness`` (sent - due).
"""

from typing import NamedTuple

import numpy as np

from steelyard.perf.columns import UNKNOWN, Bools, Columns, Floats, Ints
from steelyard.perf.figures import Window

NS_PER_MS = 1e6
NS_PER_S = 1e9

ITL = "ITL"


class Row(NamedTuple):
    """One row of the statistics table before its statistics: values by request."""

    name: str
    unit: str
    rows: Ints
    """The requests, as indices into the columns, in order."""
    values: Floats


class Known(NamedTuple):
    """Which requests of a stage have what."""

    answered: Bools
    streamed: Bools
    scheduled: Bools


def known(columns: Columns, keep: Bools) -> Known:
    """What is known of the requests in ``keep``; only answered ones count."""
    answered = keep & columns.ok
    return Known(
        answered,
        answered & (columns.first_ns != UNKNOWN),
        answered & (columns.due_ns != UNKNOWN),
    )


def request_rows(columns: Columns, keep: Bools) -> list[Row]:
    """The rows of the requests in ``keep``, in the order of the table, without ITL.

    Rows without any value are left out.
    """
    has = known(columns, keep)
    e2el, ttft = e2el_ns(columns), ttft_ns(columns)
    tokens_in, tokens_out = columns.input_tokens, columns.output_tokens
    counted_in, counted_out = tokens_in != UNKNOWN, tokens_out != UNKNOWN
    per_token = has.streamed & counted_out & (tokens_out > 1) & (columns.events > 1)
    late = columns.sent_ns - columns.due_ns
    rows = [
        _row("E2EL", "ms", has.answered, e2el / NS_PER_MS),
        _row("TTFT", "ms", has.streamed, ttft / NS_PER_MS),
        _row("TPOT", "ms", per_token, tpot_ms(columns)),
        _row("InputTokens", "", has.answered & counted_in, tokens_in),
        _row("OutputTokens", "", has.answered & counted_out, tokens_out),
        _row(
            "OutputTokenThroughput",
            "token/s",
            has.answered & counted_out & (e2el > 0),
            _per_s(tokens_out, e2el),
        ),
        _row(
            "PrefillTokenThroughput",
            "token/s",
            has.streamed & counted_in & (ttft > 0),
            _per_s(tokens_in, ttft),
        ),
        _row("TTFT (from due)", "ms", has.streamed & has.scheduled, (ttft + late) / NS_PER_MS),
        _row("E2EL (from due)", "ms", has.scheduled, (e2el + late) / NS_PER_MS),
        _row("Lateness", "ms", has.scheduled, late / NS_PER_MS),
    ]
    return [row for row in rows if row.rows.size]


def sent_in(columns: Columns, window: Window) -> Bools:
    """Which requests were sent in ``window``, its ends included."""
    return (columns.sent_ns >= window.start_ns) & (columns.sent_ns <= window.end_ns)


def e2el_ns(columns: Columns) -> Ints:
    """Sending to last event with text, of every request; of failed ones it has no meaning."""
    return columns.last_ns - columns.sent_ns


def ttft_ns(columns: Columns) -> Ints:
    """Sending to first event with text, of every request; only streamed ones have any."""
    return columns.first_ns - columns.sent_ns


def tpot_ms(columns: Columns) -> Floats:
    """Milliseconds per output token after the first, of every request; see ``request_rows``."""
    after_first = np.maximum(columns.output_tokens - 1, 1)
    return (columns.last_ns - columns.first_ns) / NS_PER_MS / after_first


def _per_s(tokens: Ints, time_ns: Ints) -> Floats:
    return tokens / np.maximum(time_ns, 1) * NS_PER_S


def _row(name: str, unit: str, keep: Bools, values: Ints | Floats) -> Row:
    rows = np.flatnonzero(keep)
    return Row(name, unit, rows, values[rows].astype(np.float64))
