"""Is another sandbox worth its start?

Pure arithmetic. A new sandbox helps if those that wait would wait longer for the busy ones than for a cold start; for
actions of a millisecond two sandboxes serve many callers, for slow ones each waiting call soon gets its own.
"""

AVERAGE_WEIGHT = 0.2


def worth_starting(*, waiting: int, busy: int, starting: int, run_ms: float, cold_ms: float) -> bool:
    """Whether to start one more, given how many calls wait and how long a run and a cold start take on average."""
    unserved = waiting - starting
    if unserved <= 0:
        return False
    working = busy + starting
    if working == 0:
        return True
    return unserved * run_ms / working > cold_ms


def averaged(average: float, sample: float) -> float:
    """An exponentially weighted average, moved towards `sample`."""
    return average + AVERAGE_WEIGHT * (sample - average)
