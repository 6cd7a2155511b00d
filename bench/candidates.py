"""Who is compared? Each is started fresh, on a free port, and ended with everything it started."""

import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.load import BODY

_FUNCTION = (
    "import functions_framework\n\n\n@functions_framework.http\ndef main(request):\n    return request.get_json()\n"
)
_NGINX = """
worker_processes 2; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000000; client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; default_type application/json; return 200 '{{"name":"world"}}'; }} }}
"""
ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src"


@dataclass(frozen=True)
class Running:
    pid: int
    url: str
    headers: dict[str, str] = field(default_factory=dict)


Candidate = Callable[[Path], AbstractContextManager[Running]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(command, text=True, start_new_session=True, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(running: Running, seconds: float = 30) -> Running:
    """Wait until it answers, and that it is the one that was started: an echo of the name."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            headers = {"Content-Type": "application/json", **running.headers}
            request = urllib.request.Request(running.url, BODY.encode(), headers)
            with urllib.request.urlopen(request, timeout=10) as answer:
                assert b'"world"' in answer.read()
                return running
        except (urllib.error.URLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@contextmanager
def rambla(folder: Path, source: Path = SOURCE) -> Iterator[Running]:
    """The platform whose packages lie in `source`."""
    data = folder / "data"
    command = [sys.executable, "-m", "rambla.cli", "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    environment = {**os.environ, "RAMBLA_LOG_LEVEL": "WARNING", "PYTHONPATH": str(source)}
    with _process(command, stdout=subprocess.PIPE, env=environment) as process:
        base = process.stdout.readline().split()[1]
        key = dict(line.split("=", 1) for line in (data / "wskprops").read_text().split())["AUTH"]
        headers = {"Authorization": "Basic " + base64.b64encode(key.encode()).decode()}
        _create_echo(base, headers)
        url = f"{base}/api/v1/namespaces/_/actions/echo?blocking=true&result=true"
        yield _answers(Running(process.pid, url, headers))
        process.stdout.close()


def rambla_at(revision: str) -> Candidate:
    """The platform as it was at a revision of this repository, with today's dependencies."""

    @contextmanager
    def earlier(folder: Path) -> Iterator[Running]:
        packed = subprocess.run(["git", "archive", revision, "src"], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(folder)], input=packed, check=True)
        with rambla(folder, folder / "src") as running:
            yield running

    return earlier


def _create_echo(base: str, headers: dict[str, str]) -> None:
    body = b'{"exec":{"kind":"python:3","code":"def main(args):\\n    return args\\n"}}'
    url = f"{base}/api/v1/namespaces/_/actions/echo?overwrite=true"
    request = urllib.request.Request(url, body, {"Content-Type": "application/json", **headers}, method="PUT")
    urllib.request.urlopen(request).close()


@contextmanager
def functions_framework(folder: Path) -> Iterator[Running]:
    (folder / "main.py").write_text(_FUNCTION)
    port = free_port()
    program = Path(sys.executable).with_name("functions-framework")
    command = [str(program), "--target", "main", "--source", str(folder / "main.py"), "--port", str(port)]
    with _process(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        yield _answers(Running(process.pid, f"http://127.0.0.1:{port}/"))


@contextmanager
def nginx(folder: Path) -> Iterator[Running]:
    port = free_port()
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    with _process([program, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]) as process:
        yield _answers(Running(process.pid, f"http://127.0.0.1:{port}/"))


def absent(name: str) -> str | None:
    """Why a candidate cannot take part, and the fix."""
    if name == "nginx" and not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()):
        return "nginx is missing. Fix: apt-get install nginx-light"
    if name == "functions-framework" and not Path(sys.executable).with_name("functions-framework").exists():
        return "functions-framework is missing. Fix: pip install functions-framework"
    return None


CANDIDATES: dict[str, Candidate] = {"rambla": rambla, "functions-framework": functions_framework, "nginx": nginx}
