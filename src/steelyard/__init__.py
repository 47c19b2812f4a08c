"""Steelyard weighs a large language model: how right, how fast, at what cost, and how sure we are.

The rooms (sub-packages) and what may import what are drawn in ``docs/architecture.md``.
"""

__version__ = "0.1.0"
