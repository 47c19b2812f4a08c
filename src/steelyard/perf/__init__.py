"""Figures of a load test: latency, throughput, steady state, goodput, and how sure they are.

Rule: functions over columns of numbers. Nothing here sends, reads files, reads a clock or plots.
``measure.figures`` is the way in, ``figures`` holds what comes out. Modules are imported by path:
they load numpy, which an accuracy run has no use for and a load test only after its sending.
"""
