"""Which files may a process touch from here on?

Landlock (Documentation/userspace-api/landlock.rst): every right the running kernel can govern is taken away, then some
are given back beneath named paths. It needs no privilege and cannot be undone. A landlocked process cannot mount, so
this comes after all mounts and before seccomp.
"""

import ctypes
import os
import struct

from rambla_runtimes.sandbox import linux

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _TRUNCATE = 1, 2, 4, 8, 1 << 14
_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NETWORK_RIGHTS, _SCOPES = 0b11, 0b11
_NETWORK_ABI, _SCOPES_ABI = 4, 6


def abi() -> int:
    """The kernel's Landlock version. Raises OSError if it has none or it is switched off."""
    return linux.syscall(_CREATE, "landlock_create_ruleset", None, 0, _VERSION_FLAG)


def restrict(readable: list[str], writable: list[str], devices: list[str], *, network: bool) -> None:
    """Confine this process: read and execute beneath `readable`, everything beneath `writable`, use `devices`.

    Without `network`, TCP is refused too where the kernel can (ABI 4). Signals and abstract sockets reach no one
    outside where it can (ABI 6). Paths that do not exist are passed over. Requires `forbid_new_privileges` before.
    """
    version = abi()
    rights = _RIGHTS_BY_ABI[max(known for known in _RIGHTS_BY_ABI if known <= version)]
    attributes = struct.pack("=Q", rights)
    if version >= _NETWORK_ABI:
        attributes += struct.pack("=Q", 0 if network else _NETWORK_RIGHTS)
    if version >= _SCOPES_ABI:
        attributes += struct.pack("=Q", _SCOPES)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = linux.syscall(_CREATE, "landlock_create_ruleset", ctypes.byref(buffer), len(attributes), 0)
    try:
        reading = _EXECUTE | _READ_FILE | _READ_DIR
        for paths, allowed in ((readable, reading), (writable, rights)):
            for path in paths:
                _allow(ruleset, path, allowed & rights)
        for path in devices:
            _allow(ruleset, path, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & rights)
        linux.syscall(_RESTRICT, "landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        beneath = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, PermissionError):
        return
    try:
        if not os.path.isdir(path):
            rights &= _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, beneath), 12)
        linux.syscall(_ADD_RULE, f"landlock_add_rule {path}", ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(beneath)
