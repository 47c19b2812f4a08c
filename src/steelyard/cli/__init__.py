"""Commands, thin over the library.

Rule: a command parses its options, calls the rooms below, prints, and returns an exit code.
Anything a library user could want lives below. ``--help`` imports nothing heavy.
"""
