"""Warm calls: latency, throughput, CPU and memory at 1 and at 32 connections, in interleaved rounds."""

import statistics
import tempfile
from collections import defaultdict
from pathlib import Path

from bench import candidates, load, processes

CONNECTIONS = (1, 32)
WARM_UP_S = 1
Row = dict[str, float]


def run(rounds: int, seconds: int) -> None:
    if reason := load.missing():
        print(f"warm calls: {reason}")
        return
    names = []
    for name in candidates.CANDIDATES:
        reason = candidates.absent(name)
        print(f"{name}: {reason}") if reason else names.append(name)
    samples: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for number in range(1, rounds + 1):
        for name in names:
            print(f"  round {number} of {rounds}: {name}", flush=True)
            _measure(name, seconds, samples)
    _print(names, samples)


def _measure(name: str, seconds: int, samples: dict[tuple[str, int], list[Row]]) -> None:
    with tempfile.TemporaryDirectory() as folder, candidates.CANDIDATES[name](Path(folder)) as running:
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
