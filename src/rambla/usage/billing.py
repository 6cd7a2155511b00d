"""What does a run cost?

Memory times time, as the reservation is what others cannot use: the action's memory limit in MiB times the
milliseconds its sandbox was held for it, initialisation included, and at least one. Pure arithmetic.
"""

MIB_PER_GIB = 1024


def billed_mb_ms(memory_mb: int, duration_ms: int) -> int:
    """MiB x ms; a run that took less than a millisecond is billed as one."""
    return memory_mb * max(1, duration_ms)


def gb_ms(mb_ms: int) -> float:
    """The same in GiB x ms, the unit people are shown."""
    return mb_ms / MIB_PER_GIB
