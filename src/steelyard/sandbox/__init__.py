"""Running code that a model wrote, behind walls: no network, no files of ours, all bounded.

Rule: one way in, ``run``. Nothing is ever run outside of the sandbox: where it cannot be had,
``require`` and ``run`` raise ``ConfigError`` that says what is missing. What came of a program is
an ``Ended``; a sandbox that does not start is ``SandboxFailed``, never something the program did.
"""

from steelyard.sandbox.probing import at_once, isolation, require, run
from steelyard.sandbox.programs import Ended, Limits, Program

__all__ = ["Ended", "Limits", "Program", "at_once", "isolation", "require", "run"]
