"""A calibration as a value: what ``calibration.json`` holds."""

import msgspec

from steelyard import __version__
from steelyard.reports import JudgeAccount
from steelyard.scoring.calibration_figures import Calibration


class CalibrationReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One judge on one file of labelled answers."""

    file: str
    kind: str
    """``correctness``, ``score`` or ``pairwise``."""
    rows: int
    """Labelled answers, or pairs, that the figures are about."""
    repeats: int
    """How often each was asked."""
    left_out: int = 0
    """Rows whose annotators have no majority."""
    not_asked: int = 0
    """Rows that no judge is asked about: an answer is empty, or its reasoning never ends."""
    figures: Calibration
    judge: JudgeAccount | None = None
    """Who judged, and what that took."""
    command: str = ""
    version: str = __version__

    @property
    def without_verdict(self) -> int:
        """Askings, of both orders together, that have none."""
        outcomes = self.figures.outcomes
        return sum(outcomes.get(name, 0) for name in ("unparsed", "judge_failed", "unjudged"))

    def json(self) -> bytes:
        """The text of the file."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"
