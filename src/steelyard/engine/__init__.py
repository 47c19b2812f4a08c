"""Sending: connections, framing, clocks, pacing, retries.

Rule: the engine knows bytes, requests and failures; wire formats, files and marks are others'
business. One event loop, one future per request, nothing per chunk but a clock reading.
"""

from steelyard.engine.drive import drive
from steelyard.engine.exchange import Exchange, HttpRequest
from steelyard.engine.http import HttpClient
from steelyard.engine.loop import allow_connections, run
from steelyard.engine.options import HttpOptions
from steelyard.engine.pacing import Closed, Pacing, Steady
from steelyard.engine.retry import Policy
from steelyard.engine.sse import Event, clock, events
from steelyard.engine.watch import Counters, Watched

__all__ = [
    "Closed",
    "Counters",
    "Event",
    "Exchange",
    "HttpClient",
    "HttpOptions",
    "HttpRequest",
    "Pacing",
    "Policy",
    "Steady",
    "Watched",
    "allow_connections",
    "clock",
    "drive",
    "events",
    "run",
]
