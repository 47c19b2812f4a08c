"""A filter of system calls: what a program that only computes has no use for is refused.

Refused are new processes, looking into other processes, mounts and namespaces, keys, tracing,
kernel modules, the kernel's newer doors (bpf, io_uring, userfaultfd), memory that outlives its
address space (System V), and sockets that no net namespace holds (to a hypervisor, for example).
It is the second wall: without it the namespaces still hold. The filter is a classic BPF program, as
``seccomp(2)`` takes.
"""

import errno
import struct
from collections.abc import Mapping
from typing import NamedTuple

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _MACHINE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16
_ALLOW, _FAIL, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_THREAD = 0x10000
"""``CLONE_THREAD``."""
_OTHER_ABI = 0x40000000
"""On x86-64 the calls of x32 have this bit."""

_EVERYWHERE = {
    "pidfd_open": 434, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432,
    "fspick": 433, "pidfd_getfd": 438, "mount_setattr": 442,
}  # fmt: skip
_CLONE3 = 435
_FAMILIES = (1, 2, 10, 16)
"""Of sockets: unix, internet in both versions, netlink. These the net namespace holds."""


class _Machine(NamedTuple):
    """What the kernel calls things on one kind of machine."""

    name: int
    clone: int
    socket: int
    forks: tuple[int, ...]
    refused: Mapping[str, int]


_MACHINES: Mapping[str, _Machine] = {
    "x86_64": _Machine(
        0xC000003E,
        56,
        41,
        (57, 58),
        {
            "shmget": 29, "semget": 64, "msgget": 68,
            "ptrace": 101, "pivot_root": 155, "acct": 163, "mount": 165, "umount2": 166,
            "swapon": 167, "swapoff": 168, "reboot": 169, "init_module": 175,
            "delete_module": 176, "quotactl": 179, "kexec_load": 246, "add_key": 248,
            "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298,
            "name_to_handle_at": 303, "open_by_handle_at": 304, "setns": 308,
            "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
            "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
        },
    ),
    "aarch64": _Machine(
        0xC00000B7,
        220,
        198,
        (),
        {
            "shmget": 194, "semget": 190, "msgget": 186,
            "umount2": 39, "mount": 40, "pivot_root": 41, "quotactl": 60, "acct": 89,
            "unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106,
            "ptrace": 117, "reboot": 142, "add_key": 217, "request_key": 218, "keyctl": 219,
            "swapon": 224, "swapoff": 225, "perf_event_open": 241, "name_to_handle_at": 264,
            "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270,
            "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "bpf": 280,
            "userfaultfd": 282, "kexec_file_load": 294,
        },
    ),
}  # fmt: skip
"""By ``platform.machine()``; ``forks`` is what else makes processes."""


def filter_program(machine: str) -> bytes | None:
    """The filter for ``machine`` (``platform.machine()``); ``None`` where its calls are not known.

    A thread may be made, a process may not (``EAGAIN``, as if there were too many); ``clone3``
    "does not exist", so that libraries use ``clone``, whose flags can be seen.
    """
    if machine not in _MACHINES:
        return None
    known = _MACHINES[machine]
    steps = [
        _step(_LOAD, _MACHINE_AT),
        _step(_EQUAL, known.name, 1, 0),
        _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER_AT),
    ]
    if machine == "x86_64":
        steps += [_step(_AT_LEAST, _OTHER_ABI, 0, 1), _step(_RETURN, _KILL)]
    answers = {number: errno.EPERM for number in (*known.refused.values(), *_EVERYWHERE.values())}
    answers |= {number: errno.EAGAIN for number in known.forks}
    answers[_CLONE3] = errno.ENOSYS
    for number, error in answers.items():
        steps += [_step(_EQUAL, number, 0, 1), _step(_RETURN, _FAIL | error)]
    last = len(_FAMILIES)
    steps += [_step(_EQUAL, known.socket, 0, last + 3), _step(_LOAD, _FIRST_ARGUMENT_AT)]
    steps += [_step(_EQUAL, family, last - k, 0) for k, family in enumerate(_FAMILIES)]
    steps += [_step(_RETURN, _FAIL | errno.EAFNOSUPPORT), _step(_RETURN, _ALLOW)]
    steps += [
        _step(_EQUAL, known.clone, 0, 3),
        _step(_LOAD, _FIRST_ARGUMENT_AT),
        _step(_ANY_BIT, _THREAD, 1, 0),
        _step(_RETURN, _FAIL | errno.EAGAIN),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(steps)


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)
