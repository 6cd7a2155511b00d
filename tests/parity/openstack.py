"""The real oslo.policy, and the rules that OpenStack's services register, from an environment of their own."""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from rambla.policy.oslo.book import Deprecated, RuleDefault

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "var" / "openstack"
PYTHON = FOLDER / "venv" / "bin" / "python"
ORACLE = Path(__file__).with_name("oracle.py")
FEW = ("keystone", "nova", "glance")
ALL = (
    *FEW,
    "neutron",
    "cinder",
    "heat",
    "octavia",
    "manila",
    "barbican",
    "designate",
    "ironic.api",
    "magnum",
    "placement",
)
Request = tuple[str, dict[str, Any], dict[str, Any]]
FIX = "Fix: make openstack"


class ServiceRule(msgspec.Struct, frozen=True):
    """A registered rule; `operations` tells whether it belongs to a call of the API."""

    default: RuleDefault
    operations: bool


class Oracle:
    """oslo.policy in a process of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in, self._out = process.stdin, process.stdout

    def load(
        self,
        name: str,
        defaults: Sequence[RuleDefault],
        files: dict[str, str] | None = None,
        *,
        new_defaults: bool = True,
        content_type: str = "",
    ) -> bool | str:
        """True, or the name of the exception. `files` are `policy.yaml` and those in `policy.d/`; `content_type` is how
        `http:` rules ask."""
        message = {"load": name, "defaults": defaults, "files": files or {}, "new_defaults": new_defaults}
        self.send({**message, "content_type": content_type})
        return self.receive()  # type: ignore[no-any-return]  # as the oracle promises

    def decisions(self, name: str, requests: Sequence[Request]) -> list[bool | str]:
        self.send({"ask": name, "requests": requests})
        return self.receive()  # type: ignore[no-any-return]  # as the oracle promises

    def rules(self, services: Sequence[str]) -> dict[str, list[ServiceRule]]:
        self.send({"rules": services})
        return {service: [_service_rule(rule) for rule in rules] for service, rules in dict(self.receive()).items()}

    def send(self, message: dict[str, Any]) -> None:
        self._in.write(msgspec.json.encode(message) + b"\n")
        self._in.flush()

    def receive(self) -> Any:
        return msgspec.json.decode(self._out.readline())


def _service_rule(rule: dict[str, Any]) -> ServiceRule:
    old = rule["deprecated"]
    deprecated = Deprecated(old["name"], old["check"]) if old else None
    default = RuleDefault(rule["name"], rule["check"], tuple(rule["scopes"]), deprecated)
    return ServiceRule(default, rule["operations"])


def missing(services: Sequence[str]) -> str | None:
    """What is missing to ask about these services, and the fix."""
    stamp = ".few" if set(services) <= set(FEW) else ".all"
    if (FOLDER / stamp).exists() or (FOLDER / ".all").exists():
        return None
    return f"the packages of {', '.join(services)} are not installed. {FIX}"


@contextmanager
def oracle(more: Mapping[str, str] | None = None) -> Iterator[Oracle]:
    """`more` are variables of its environment."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", **(more or {})}
    with subprocess.Popen(
        [PYTHON, ORACLE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
    ) as process:
        yield Oracle(process)
        assert process.stdin is not None
        process.stdin.close()


def service_rules(asked: Oracle, services: Sequence[str]) -> dict[str, list[ServiceRule]]:
    """From the cache, or else from the packages, which takes some seconds."""
    cache = FOLDER / f"rules-{len(services)}.json"
    if not cache.exists():
        found = asked.rules(services)
        unique = cache.with_suffix(f".{os.getpid()}")
        unique.write_bytes(msgspec.json.encode(found))
        unique.replace(cache)
        return found
    return msgspec.json.decode(cache.read_bytes(), type=dict[str, list[ServiceRule]])
