"""How is a server pressed on? With wrk: one thread, keep-alive, POST of 175 bytes of JSON."""

import json
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass

from bench import processes

BODY = json.dumps({"name": "world", "padding": "x" * 140})
_SCRIPT = """
wrk.method = "POST"
wrk.body = [[{body}]]
wrk.headers["Content-Type"] = "application/json"
{headers}
done = function(summary, latency, requests)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write
  errors = errors + summary.errors.status + summary.errors.timeout
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), errors))
end
"""


@dataclass(frozen=True)
class Figures:
    requests_s: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    errors: int


def missing() -> str | None:
    return None if shutil.which("wrk") else "wrk is missing. Fix: apt-get install wrk"


def press(url: str, pid: int, *, connections: int, seconds: int, headers: dict[str, str]) -> Figures:
    """Load `url` for so long and charge the CPU time of the process tree of `pid` to the requests."""
    lines = "\n".join(f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items())
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_SCRIPT.format(body=BODY, headers=lines))
        script.flush()
        before = processes.cpu_us(pid)
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", script.name, url]
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        after = processes.cpu_us(pid)
    found = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if found is None:
        raise RuntimeError(f"wrk said nothing of use: {output}")
    requests, duration_us, p50_us, p99_us, errors = map(int, found.groups())
    return Figures(
        requests_s=requests / (duration_us / 1e6),
        p50_ms=p50_us / 1000,
        p99_ms=p99_us / 1000,
        cpu_us=(after - before) / max(1, requests),
        errors=errors,
    )
