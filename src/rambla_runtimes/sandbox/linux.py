"""Which system calls does isolation need that Python's `os` lacks?

Thin ctypes wrappers that raise OSError with the name of the call. Importing this costs ctypes, so it happens in the
zygote, once. Numbers that differ between architectures live in `seccomp`.
"""

import ctypes
import fcntl
import os
import platform
import socket
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
MNT_DETACH = 2
MS_NOEXEC = 8

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER, _PR_SET_SECCOMP = 38, 36, 22
_SECCOMP_MODE_FILTER = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAPABILITIES_MAX = 64
_SYS_MOUNT_SETATTR = 442  # the same number everywhere, as for all calls since 424
_SYS_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_MOUNT_ATTR_RDONLY, _MOUNT_ATTR_NOSUID = 1, 2
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4


def _check(result: int, call: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
    return result


def syscall(number: int, call: str, *arguments: object) -> int:
    """A call by its number; integers are passed as 64 bits."""
    widened = (ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
    return _check(_libc.syscall(ctypes.c_long(number), *widened), call)


def prctl(option: int, value: int, call: str) -> None:
    _check(_libc.prctl(option, value, 0, 0, 0), call)


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), f"unshare({flags:#x})")


def setns(descriptor: int, kind: int) -> None:
    _check(_libc.setns(descriptor, kind), "setns")


def mount(source: str, target: str, kind: str | None = None, flags: int = 0, options: str = "") -> None:
    encoded = kind.encode() if kind else None
    result = _libc.mount(source.encode(), os.fsencode(target), encoded, ctypes.c_ulong(flags), options.encode() or None)
    _check(result, f"mount {target}")


def bind(source: str, target: str) -> None:
    """Show the file or folder `source`, with the mounts below it, also at `target`, which is made for it."""
    if os.path.isdir(source):
        os.makedirs(target, 0o755, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    mount(source, target, None, MS_BIND | MS_REC)


def unmount(target: str) -> None:
    _check(_libc.umount2(os.fsencode(target), MNT_DETACH), f"umount {target}")


def seal_mount(target: str) -> None:
    """Make `target` and every mount below it read-only and without set-uid (Linux 5.12)."""
    attributes = ctypes.create_string_buffer(struct.pack("=QQQQ", _MOUNT_ATTR_RDONLY | _MOUNT_ATTR_NOSUID, 0, 0, 0))
    path = ctypes.c_char_p(os.fsencode(target))
    syscall(_SYS_MOUNT_SETATTR, "mount_setattr", _AT_FDCWD, path, _AT_RECURSIVE, ctypes.byref(attributes), 32)


def pivot_root(new_root: str, old_root: str) -> None:
    number = _SYS_PIVOT_ROOT[platform.machine()]
    new, old = (ctypes.c_char_p(os.fsencode(path)) for path in (new_root, old_root))
    syscall(number, "pivot_root", new, old)


def die_with_parent(signal_number: int) -> None:
    """Ask for `signal_number` when the parent ends. The kernel forgets this at every change of user: call it after."""
    prctl(_PR_SET_PDEATHSIG, signal_number, "prctl(PDEATHSIG)")


def make_dumpable() -> None:
    """Own /proc/self again after a change of user, or its id maps cannot be written."""
    prctl(_PR_SET_DUMPABLE, 1, "prctl(DUMPABLE)")


def adopt_orphans() -> None:
    prctl(_PR_SET_CHILD_SUBREAPER, 1, "prctl(CHILD_SUBREAPER)")


def forbid_new_privileges() -> None:
    prctl(_PR_SET_NO_NEW_PRIVS, 1, "prctl(NO_NEW_PRIVS)")


def drop_capabilities() -> None:
    """Every set empty and the bounding set too, so that no program started later gets any back."""
    for capability in range(_CAPABILITIES_MAX):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) < 0:
            break  # past the last one this kernel knows, or we have no right to any: both are what we want
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION_3, 0))
    empty = ctypes.create_string_buffer(24)
    _check(_libc.capset(header, empty), "capset")


def load_filter(program: bytes) -> None:
    """Install a classic BPF `program` (8 bytes an instruction) as this process's seccomp filter, for good."""
    code = ctypes.create_string_buffer(program, len(program))
    header = ctypes.create_string_buffer(struct.pack("@HP", len(program) // 8, ctypes.addressof(code)))
    prctl_arguments = (_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(header), 0, 0)
    _check(_libc.prctl(*prctl_arguments), "prctl(SECCOMP)")


def raise_loopback() -> None:
    """Switch on `lo` in this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(probe, _SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(probe, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | _IFF_UP))
