"""What can be set, and what is it if nobody sets it?

One TOML file, then `RAMBLA_<NAME>` in the environment, then the command line; later ones win. Every name, unit and
default is listed in docs/reference/settings.md. A name that does not exist is an error, so that a slip is seen.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from rambla.domain.errors import BadSettings
from rambla.engine.ports import Level

_PREFIX = "RAMBLA_"
_NOT_SETTINGS = frozenset({"traceback"})
_MB = 2**20


def _memory_for_sandboxes_mb() -> int:
    """Three quarters of the machine's memory, as the sandboxes' reservations are rarely all used."""
    return max(512, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MB * 3 // 4)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Memory and code are in MiB, times in ms, as the names say."""

    data: Path = Path("var/rambla")
    listen: str = "127.0.0.1:3233"
    tls_certificate: str = ""
    tls_key: str = ""
    tls_reload_ms: int = 5_000
    web_domain: str = ""
    object_store: Literal["swift", "none"] = "none"
    database_url: str = ""
    require_isolation: Level = "restricted"
    runtimes: str = ""
    memory_mb: int = msgspec.field(default_factory=_memory_for_sandboxes_mb)
    idle_ms: int = 600_000
    queued_max: int = 100_000
    queued_mb_max: int = 256
    drain_ms: int = 20_000
    code_mb_max: int = 48
    payload_mb_max: int = 1
    result_mb_max: int = 1
    action_timeout_ms_max: int = 300_000
    action_memory_mb_max: int = 512
    action_logs_mb_max: int = 10
    invocations_per_minute: int = 600_000
    concurrent_invocations: int = 10_000
    fires_per_minute: int = 600_000
    signed_address_ttl_ms: int = 60_000
    policy_reload_ms: int = 5_000
    fleet_silent_ms: int = 60_000
    journal_segment_mb: int = 64
    enforcers: dict[str, dict[str, Any]] = {}
    identity: dict[str, dict[str, Any]] = {}
    revocations_ms: int = 1_000
    session_ms: Annotated[int, Meta(ge=1_000, le=31 * 86_400_000)] = 28_800_000
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on; port 0 lets the kernel choose."""
        return parse_address("listen", self.listen)


def parse_address(name: str, text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise BadSettings(name=name, detail=f"'{text}' is not HOST:PORT")
    return host.strip("[]"), int(port)


def load(config: Path | None, **overrides: Any) -> Settings:
    """The settings in force; `overrides` that are None do not count. Raises BadSettings."""
    values = {**_from_file(config), **_from_environment()}
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        return msgspec.convert(values, Settings, strict=False, dec_hook=_decode)
    except msgspec.ValidationError as error:
        raise BadSettings(name=str(config or "values"), detail=str(error)) from error


def _from_file(config: Path | None) -> dict[str, Any]:
    if config is None:
        return {}
    try:
        return tomllib.loads(config.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadSettings(name=str(config), detail=str(error)) from error


def _from_environment() -> dict[str, Any]:
    given = {key.removeprefix(_PREFIX).lower(): value for key, value in os.environ.items() if key.startswith(_PREFIX)}
    names = {field.name for field in msgspec.structs.fields(Settings)} | _NOT_SETTINGS
    if unknown := sorted(given.keys() - names):
        raise BadSettings(name=_PREFIX + unknown[0].upper(), detail="there is no such setting")
    return {name: value for name, value in given.items() if name not in _NOT_SETTINGS}


def _decode(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise TypeError(f"no setting is of type {kind}")
