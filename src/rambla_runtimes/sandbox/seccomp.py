"""Which system calls may code in a sandbox make?

Builds a classic BPF program (Documentation/userspace-api/seccomp_filter.rst) for x86-64 and arm64: everything that
ordinary programs use is allowed, what reaches for the kernel's administration or for other processes is refused with
EPERM. Pure: bytes out; `linux.load_filter` installs them.
"""

import errno
import platform
import socket
import struct

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _ARGUMENT_0 = 0, 4, 16
_X32_BIT = 0x40000000
_NAMESPACE_FLAGS = 0x7E020080
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# name: (x86-64, arm64); -1 where the architecture has no such call.
_REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "open_tree": (428, 428),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "statmount": (457, 457), "listmount": (458, 458),
    "open_tree_attr": (467, 467), "unshare": (272, 97), "setns": (308, 268), "sethostname": (170, 161),
    "setdomainname": (171, 162), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "keyctl": (250, 219), "add_key": (248, 217),
    "request_key": (249, 218), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "syslog": (103, 116),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "vhangup": (153, 58), "personality": (135, 92), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
    "fanotify_init": (300, 262), "move_pages": (279, 239), "migrate_pages": (256, 238), "mbind": (237, 235),
    "set_mempolicy": (238, 237), "lsm_set_self_attr": (460, 460), "iopl": (172, -1), "ioperm": (173, -1),
    "modify_ldt": (154, -1), "uselib": (134, -1), "ustat": (136, -1), "sysfs": (139, -1), "_sysctl": (156, -1),
    "create_module": (174, -1),
}  # fmt: skip
_LEAVE_GROUP = {"setsid": (112, 157), "setpgid": (109, 154)}
_CLONE, _CLONE3, _SOCKET = (56, 220), (435, 435), (41, 198)
_IP_FAMILIES = (int(socket.AF_INET), int(socket.AF_INET6))


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _refuse(number: int) -> bytes:
    return _step(_RETURN, _ERRNO | number)


def _when_number(number: int, then: bytes) -> bytes:
    """`then` if the call's number is `number`; it must end with a return."""
    return _step(_EQUAL, number, 0, len(then) // 8) + then


def build_filter(*, network: bool, groups: bool, machine: str | None = None) -> bytes:
    """The program for `machine`. `network` allows IP sockets, `groups` lets processes leave their process group.

    Raises KeyError for an architecture it has no numbers for.
    """
    machine = machine or platform.machine()
    architecture, column = _ARCHITECTURES[machine], list(_ARCHITECTURES).index(machine)
    families = (int(socket.AF_UNIX), *(_IP_FAMILIES if network else ()))
    allow, refuse = _step(_RETURN, _ALLOW), _refuse(errno.EPERM)
    program = _step(_LOAD, _ARCHITECTURE) + _step(_EQUAL, architecture, 1, 0) + _step(_RETURN, _KILL)
    program += _step(_LOAD, _NUMBER)
    if machine == "x86_64":
        program += _step(_AT_LEAST, _X32_BIT, 0, 1) + refuse
    argument = _step(_LOAD, _ARGUMENT_0)
    program += _when_number(_CLONE[column], argument + _step(_ANY_BIT, _NAMESPACE_FLAGS, 0, 1) + refuse + allow)
    program += _when_number(_CLONE3[column], _refuse(errno.ENOSYS))  # its flags lie in memory: libc falls back to clone
    family_tests = b"".join(_step(_EQUAL, family, 0, 1) + allow for family in families)
    program += _when_number(_SOCKET[column], argument + family_tests + _refuse(errno.EAFNOSUPPORT))
    for numbers in (_REFUSED | ({} if groups else _LEAVE_GROUP)).values():
        if numbers[column] >= 0:
            program += _when_number(numbers[column], refuse)
    return program + allow
