"""Simulated load tests with known truth, as columns: what tests of the perf room measure."""

import heapq
from collections.abc import Callable, Sequence

import numpy as np

from steelyard.perf.columns import UNKNOWN, Columns, GapsInMemory

S = 1_000_000_000
MS = 1_000_000


def columns_of(
    *,
    sent_s: Sequence[float],
    ttft_s: Sequence[float],
    gaps_us: Sequence[Sequence[int]],
    due_s: Sequence[float] | None = None,
    tokens_in: Sequence[int] | None = None,
    tokens_out: Sequence[int] | None = None,
    failed: Sequence[int] = (),
) -> Columns:
    """Streamed answers, in any order; an event a token unless ``tokens_out`` says otherwise."""
    n = len(sent_s)
    sent = np.round(np.asarray(sent_s, dtype=float) * S).astype(np.int64)
    order = np.argsort(sent, kind="stable")
    first = sent + np.round(np.asarray(ttft_s, dtype=float) * 1e6).astype(np.int64) * 1000
    last = first + np.array([sum(gaps) for gaps in gaps_us], dtype=np.int64) * 1000
    events = np.array([len(gaps) + 1 for gaps in gaps_us], dtype=np.int64)
    due = np.full(n, UNKNOWN) if due_s is None else np.round(np.asarray(due_s) * S)
    failure = np.full(n, UNKNOWN)
    failure[list(failed)] = 0
    made = events if tokens_out is None else np.asarray(tokens_out, dtype=np.int64)
    read = np.full(n, 100) if tokens_in is None else np.asarray(tokens_in, dtype=np.int64)
    return Columns(
        zero_ns=0,
        due_ns=due.astype(np.int64)[order],
        queued_ns=sent[order],
        sent_ns=sent[order],
        first_event_ns=first[order],
        first_ns=first[order],
        last_ns=last[order],
        done_ns=last[order],
        input_tokens=read[order],
        output_tokens=made[order],
        events=events[order],
        failure=failure[order],
        failure_kinds=("timeout",),
        turn=np.zeros(n, dtype=np.int64),
        gaps=GapsInMemory([gaps_us[i] for i in order]),
    )


def lasting(sent_s: np.ndarray, life_s: np.ndarray, due_s: np.ndarray | None = None) -> Columns:
    """Requests of given lives: a fifth of it to the first token, then ten even gaps."""
    step = np.round(life_s * 0.08 * 1e6).astype(int)
    return columns_of(
        sent_s=sent_s, ttft_s=life_s * 0.2, gaps_us=[[int(us)] * 10 for us in step], due_s=due_s
    )


def closed(
    free_s: Sequence[float], life_s: Callable[[int, float], float], n: int, until_s: float = np.inf
) -> Columns:
    """Clients that join at ``free_s`` and ask one after the other; ``life_s(i, now)`` each."""
    clients = list(free_s)
    heapq.heapify(clients)
    sent, lives = [], []
    for i in range(n):
        now = heapq.heappop(clients)
        if now >= until_s:
            break
        sent.append(now)
        lives.append(life_s(i, now))
        heapq.heappush(clients, now + lives[-1])
    return lasting(np.array(sent), np.array(lives))


def served(
    due_s: np.ndarray, work_s: np.ndarray, *, servers: int = 1, places: int | None = None
) -> Columns:
    """Scheduled requests at a service of ``servers`` that work one request each, first come first.

    Beyond ``places`` under way a request waits at the client.
    """
    free = [0.0] * servers
    ends: list[float] = []
    sent, done = [], []
    for due, work in zip(due_s, work_s, strict=True):
        start = due
        if places is not None and len(ends) >= places:
            start = max(due, heapq.heappop(ends))
        end = max(start, heapq.heappop(free)) + work
        heapq.heappush(free, end)
        heapq.heappush(ends, end)
        sent.append(start)
        done.append(end)
    return lasting(np.array(sent), np.array(done) - np.array(sent), due_s)
