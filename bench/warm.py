"""Warm calls: latency, throughput, CPU and memory at 1 and at 32 connections, in interleaved rounds."""

import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from bench import candidates, load, processes

CONNECTIONS = (1, 32)
WARM_UP_S = 1
Row = dict[str, float]


def run(rounds: int, seconds: int, against: str | None = None) -> None:
    """Beside the peers, or with `against` beside that revision of Rambla alone."""
    if reason := load.missing():
        print(f"warm calls: {reason}")
        return
    chosen = _against(against) if against else _peers()
    samples: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for name, candidate in chosen.items():
            print(f"  round {number} of {rounds}: {name}", flush=True)
            with tempfile.TemporaryDirectory() as folder, candidate(Path(folder)) as running:
                _measure(name, running, seconds, samples)
    _print(list(chosen), samples)


def _against(revision: str) -> dict[str, candidates.Candidate]:
    return {"rambla": candidates.rambla, f"rambla {revision[:14]}": candidates.rambla_at(revision)}


def _peers() -> dict[str, candidates.Candidate]:
    found = {}
    for name, candidate in candidates.CANDIDATES.items():
        if reason := candidates.absent(name):
            print(f"{name}: {reason}")
        else:
            found[name] = candidate
    return found


def _measure(name: str, running: candidates.Running, seconds: int, samples: dict[tuple[str, int], list[Row]]) -> None:
    """All connections against one that was just started."""
    load.press(running.url, running.pid, connections=8, seconds=WARM_UP_S, headers=running.headers)
    for connections in CONNECTIONS:
        figures = load.press(
            running.url, running.pid, connections=connections, seconds=seconds, headers=running.headers
        )
        row = {**vars(figures), "pss_mb": processes.pss_mb(running.pid)}
        samples[name, connections].append(row)


def _print(names: list[str], samples: dict[tuple[str, int], list[Row]]) -> None:
    print(f"\nwarm blocking calls, {len(load.BODY)} bytes of JSON, medians of {len(samples[names[0], 1])} rounds")
    heads = "".join(f"{head:>9}" for head in ("req/s", "p50 ms", "p99 ms", "CPU us", "PSS MB", "errors"))
    print(f"{'':22}{'conn':>5}{heads}   to rambla: req/s, p50, CPU, PSS")
    for connections in CONNECTIONS:
        medians = {name: _median(samples[name, connections]) for name in names}
        for name, row in medians.items():
            figures = f"{row['requests_s']:>9.0f}{row['p50_ms']:>9.2f}{row['p99_ms']:>9.2f}{row['cpu_us']:>9.0f}"
            base = medians["rambla"]
            ratios = "  ".join(f"{row[key] / base[key]:.2f}x" for key in ("requests_s", "p50_ms", "cpu_us", "pss_mb"))
            print(f"{name:22}{connections:>5}{figures}{row['pss_mb']:>9.0f}{row['errors']:>9.0f}   {ratios}")


def _median(rows: list[Row]) -> Row:
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}
