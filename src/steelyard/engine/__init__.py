"""Sending: connections, framing, clocks, pacing, retries.

Rule: the engine knows bytes, requests and failures; wire formats, files and marks are others'
business. One event loop, one future per request, nothing per chunk but a clock reading.
"""

from steelyard.engine.arrivals import offsets_s, target_rate
from steelyard.engine.dial import arrival_clock
from steelyard.engine.dialogue import next_turn, turn_number
from steelyard.engine.drive import drive
from steelyard.engine.event_stream import ChunkedEvents, OtherShape
from steelyard.engine.exchange import Exchange, HttpRequest
from steelyard.engine.http import Fetched, HttpClient
from steelyard.engine.live_drive import Gate, drive_live
from steelyard.engine.load_drive import drive_load
from steelyard.engine.loop import allow_connections, run
from steelyard.engine.options import HttpOptions
from steelyard.engine.pacing import Closed, Pacing, Pressure, Scheduled, Stamped, Steady
from steelyard.engine.pulse import pulse
from steelyard.engine.retry import Policy
from steelyard.engine.sse import Events, clock, events
from steelyard.engine.watch import Counters, Watched, WatchedFetcher

__all__ = [
    "ChunkedEvents",
    "Closed",
    "Counters",
    "Events",
    "Exchange",
    "Fetched",
    "Gate",
    "HttpClient",
    "HttpOptions",
    "HttpRequest",
    "OtherShape",
    "Pacing",
    "Policy",
    "Pressure",
    "Scheduled",
    "Stamped",
    "Steady",
    "Watched",
    "WatchedFetcher",
    "allow_connections",
    "arrival_clock",
    "clock",
    "drive",
    "drive_live",
    "drive_load",
    "events",
    "next_turn",
    "offsets_s",
    "pulse",
    "run",
    "target_rate",
    "turn_number",
]
