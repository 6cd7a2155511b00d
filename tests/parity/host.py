"""A daemon with the check `rambla:` in OpenStack's environment, and the folder that the agent would fill."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from parity import openstack
from parity.openstack import Oracle
from policy_host import Publisher, defaults_text, installed, policy_conf
from rambla.policy.oslo.book import RuleDefault


@dataclass
class Host:
    """A daemon with the check, and a folder for the agent's files."""

    daemon: Oracle
    folder: Path
    publisher: Publisher
    number: int = 0

    def bundle(self, files: Mapping[str, str], number: int, at_ms: int | None = None) -> bytes:
        return self.publisher.bundle(number, files, now_ms() if at_ms is None else at_ms)

    def next(self, files: Mapping[str, str]) -> bytes:
        return self.bundle(files, self.number + 1)

    def bring(self, files: Mapping[str, str]) -> None:
        self.put(self.next(files))
        self.number += 1

    def put(self, data: bytes, name: str = "bundle.json") -> None:
        replace(self.folder / name, data)

    def set(self, *keys: str, max_age_s: float = 0) -> None:
        policy_conf(self.folder / "policy.conf", self.folder, *(keys or (self.publisher.key,)), max_age_s=max_age_s)

    def load(self, service: str, names: Iterable[str]) -> None:
        """Rules of these names that all ask for themselves."""
        rules = [RuleDefault(name, f"rambla:{service}") for name in names]
        assert self.daemon.load(service, rules) is True

    def allows(self, service: str, rule: str, role: str = "reader") -> bool:
        return self.daemon.decisions(service, [(rule, {}, {"roles": [role]})]) == [True]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def replace(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_bytes(data)
    fresh.replace(path)


@contextmanager
def host_in(folder: Path) -> Iterator[Host]:
    publisher = Publisher(folder / "keys")
    config = policy_conf(folder / "policy.conf", folder, publisher.key)
    more = {"PYTHONPATH": installed(folder / "site"), "RAMBLA_POLICY_CONF": str(config)}
    with openstack.oracle(more) as daemon:
        yield Host(daemon, folder, publisher)


def in_bundle(service: str, defaults: list[RuleDefault], layers: Mapping[str, str] | None = None) -> dict[str, str]:
    files = {"defaults.yaml": defaults_text(defaults), **(layers or {})}
    return {f"openstack/{service}/{name}": text for name, text in files.items()}


def asking(service: str, names: Iterable[str]) -> dict[str, str]:
    """The policy file that the agent writes for a daemon with the check."""
    return {"policy.yaml": "".join(f'"{name}": "rambla:{service}/{name}"\n' for name in names)}
