"""The simulated endpoint: a stand-in for a model service, for demos, tests and capacity planning.

Rule: whatever it says is marked as simulated, and what it does is fixed by its options and seed.
It knows no data sets: questions and answers are handed in.
"""

from steelyard.sim.answers import Answer, Answers, choose_right
from steelyard.sim.dialects import DialectName
from steelyard.sim.faults import Fault, fault
from steelyard.sim.latency import Distribution, counts, times
from steelyard.sim.options import MODEL, JudgeName, ModelsPage, ReasoningField, SimOptions, check
from steelyard.sim.server import Serving, serve

__all__ = [
    "MODEL",
    "Answer",
    "Answers",
    "DialectName",
    "Distribution",
    "Fault",
    "JudgeName",
    "ModelsPage",
    "ReasoningField",
    "Serving",
    "SimOptions",
    "check",
    "choose_right",
    "counts",
    "fault",
    "serve",
    "times",
]
