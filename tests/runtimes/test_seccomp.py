"""The filter, run through an interpreter of classic BPF: what it says of each call, on both architectures."""

import errno
import struct

import pytest

from rambla_runtimes.sandbox.seccomp import build_filter

ALLOW, KILL = 0x7FFF0000, 0x80000000
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
CALLS = {
    "x86_64": {"read": 0, "clone": 56, "clone3": 435, "socket": 41, "mount": 165, "ptrace": 101, "setsid": 112},
    "aarch64": {"read": 63, "clone": 220, "clone3": 435, "socket": 198, "mount": 40, "ptrace": 117, "setsid": 157},
}


def refused(number: int) -> int:
    return 0x00050000 | number


def verdict(program: bytes, architecture: int, number: int, argument: int = 0) -> int:
    """What the kernel would return for this call (kernel/seccomp.c, net/core/filter.c)."""
    data = struct.pack("=IIQQ40x", number, architecture, 0, argument)
    steps = [struct.unpack("=HBBI", program[at : at + 8]) for at in range(0, len(program), 8)]
    at, accumulator = 0, 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:
            accumulator = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return int(value)
        else:
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[code]
            at += if_true if holds else if_false


@pytest.mark.parametrize("machine", MACHINES)
def test_ordinary_calls_pass_and_the_administrators_do_not(machine: str) -> None:
    program, calls = build_filter(network=True, groups=True, machine=machine), CALLS[machine]
    architecture = MACHINES[machine]
    assert verdict(program, architecture, calls["read"]) == ALLOW
    assert verdict(program, architecture, calls["setsid"]) == ALLOW
    for name in ("mount", "ptrace"):
        assert verdict(program, architecture, calls[name]) == refused(errno.EPERM)


@pytest.mark.parametrize("machine", MACHINES)
def test_clone_may_make_threads_and_children_but_no_namespaces(machine: str) -> None:
    program, calls = build_filter(network=True, groups=True, machine=machine), CALLS[machine]
    for flags in (17, 0x3D0F00):
        assert verdict(program, MACHINES[machine], calls["clone"], flags) == ALLOW
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(program, MACHINES[machine], calls["clone"], flag | 17) == refused(errno.EPERM)
    assert verdict(program, MACHINES[machine], calls["clone3"]) == refused(errno.ENOSYS)


@pytest.mark.parametrize(("network", "allowed"), [(True, {1, 2, 10}), (False, {1})])
@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_of_few_families(machine: str, network: bool, allowed: set[int]) -> None:
    program = build_filter(network=network, groups=True, machine=machine)
    seen = {family: verdict(program, MACHINES[machine], CALLS[machine]["socket"], family) for family in range(50)}
    assert {family for family, answer in seen.items() if answer == ALLOW} == allowed
    assert set(seen.values()) == {ALLOW, refused(errno.EAFNOSUPPORT)}


def test_other_architectures_and_x32_are_refused() -> None:
    program = build_filter(network=True, groups=True, machine="x86_64")
    assert verdict(program, 0x40000003, 3) == KILL
    assert verdict(program, MACHINES["x86_64"], 0x40000000 | 1) == refused(errno.EPERM)
    with pytest.raises(KeyError):
        build_filter(network=True, groups=True, machine="riscv64")


def test_without_namespaces_no_process_may_leave_its_group() -> None:
    program = build_filter(network=False, groups=False, machine="x86_64")
    assert verdict(program, MACHINES["x86_64"], CALLS["x86_64"]["setsid"]) == refused(errno.EPERM)
