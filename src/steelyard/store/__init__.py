"""Record files, run folders, digests: the only memory a run has.

Rule: this room knows how records are kept, never what they mean. Disk trouble leaves as
``DiskError``, a damaged file as ``DataError``, a place that cannot be used as ``ConfigError``.
"""

from steelyard.store.atomic import write_atomic
from steelyard.store.digest import digest, digest_files
from steelyard.store.layout import RunFolder, find_run, new_run, stamps
from steelyard.store.plan import JobEntry, PlanFile, changed, merged, read_plan, write_plan
from steelyard.store.records import Tail, last, part, parts, read
from steelyard.store.stamp import stamp
from steelyard.store.writer import Writer

__all__ = [
    "JobEntry",
    "PlanFile",
    "RunFolder",
    "Tail",
    "Writer",
    "changed",
    "digest",
    "digest_files",
    "find_run",
    "last",
    "merged",
    "new_run",
    "part",
    "parts",
    "read",
    "read_plan",
    "stamp",
    "stamps",
    "write_atomic",
    "write_plan",
]
