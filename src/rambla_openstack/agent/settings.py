"""Where is the platform, and which daemons has this host?

`agent.ini`: a section `[agent]`, and a section `[daemon NAME]` for each daemon. What is unknown or missing is refused
with its name. Which keys are trusted, and where the policy lies, is in `policy.conf`, which the daemons read too.
"""

import configparser
import re
import shlex
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from rambla_openstack.policy import pinned
from rambla_openstack.policy.services import SERVICE

Mode = Literal["files", "plugin", "ask"]
MODES: tuple[Mode, ...] = get_args(Mode)
DAEMONS_MAX = 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,252}")
HEARTBEAT_S = 20
WATCH_S = 5
_AGENT = {"url", "host", "token_file", "certificate", "key", "ca_file", "policy_conf", "heartbeat_s", "watch_s"}
_DAEMON = {"service", "mode", "policy_file", "policy_dir", "validator", "ask_url", "reload"}


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """`policy_dir` is None where the daemon has none; `validator` and `reload` are commands, empty for none."""

    name: str
    service: str
    mode: Mode
    policy_file: Path
    policy_dir: Path | None = None
    validator: tuple[str, ...] = ()
    ask_url: str = ""
    reload: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """`token_file` or `certificate` and `key` say who the agent is; `watch_s` is how often files are looked at."""

    url: str
    host: str
    policy_conf: Path
    daemons: tuple[DaemonSettings, ...]
    token_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    ca_file: Path | None = None
    heartbeat_s: float = HEARTBEAT_S
    watch_s: float = WATCH_S

    def context(self) -> ssl.SSLContext:
        """Raises OSError for files that cannot be read."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if self.certificate is not None:
            context.load_cert_chain(self.certificate, self.key)
        return context


def read(text: str) -> Settings:
    """Raises ValueError with what is wrong, on one line."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise ValueError(" ".join(str(error).split())) from None
    named = [name for name in parser.sections() if name.startswith("daemon ")]
    if unknown := set(parser.sections()) - {"agent", *named}:
        raise ValueError(f"there is no section [{min(unknown)}], but [agent] and [daemon NAME]")
    if not named or len(named) > DAEMONS_MAX:
        raise ValueError(f"it has no section [daemon NAME], or more than {DAEMONS_MAX}")
    agent = _section(parser, "agent", _AGENT)
    daemons = tuple(_daemon(name.removeprefix("daemon ").strip(), _section(parser, name, _DAEMON)) for name in named)
    files = [daemon.policy_file for daemon in daemons]
    if len(set(files)) < len(files):
        raise ValueError("two daemons have one policy_file")
    host = agent.get("host") or socket.gethostname()
    if not _NAME.fullmatch(host):
        raise ValueError("'host' is no name of letters, digits and _.:-")
    return Settings(
        url=_url(agent, "url"),
        host=host,
        policy_conf=_path(agent, "policy_conf") or pinned.path(),
        daemons=daemons,
        token_file=_path(agent, "token_file"),
        certificate=_path(agent, "certificate"),
        key=_path(agent, "key"),
        ca_file=_path(agent, "ca_file"),
        heartbeat_s=_seconds(agent, "heartbeat_s", HEARTBEAT_S),
        watch_s=_seconds(agent, "watch_s", WATCH_S),
    )


def _daemon(name: str, section: dict[str, str]) -> DaemonSettings:
    service, mode = section.get("service", ""), next((each for each in MODES if each == section.get("mode")), None)
    if not _NAME.fullmatch(name) or not SERVICE.fullmatch(service):
        raise ValueError(f"[daemon {name}] has no name of letters, digits and _.:-, or no 'service' such as keystone")
    if mode is None:
        raise ValueError(f"[daemon {name}]: 'mode' is one of {', '.join(MODES)}")
    policy_file = _path(section, "policy_file")
    if policy_file is None:
        raise ValueError(f"[daemon {name}]: 'policy_file' is missing")
    return DaemonSettings(
        name=name,
        service=service,
        mode=mode,
        policy_file=policy_file,
        policy_dir=_path(section, "policy_dir"),
        validator=_command(section, "validator"),
        ask_url=_url(section, "ask_url") if mode == "ask" else "",
        reload=_command(section, "reload"),
    )


def _section(parser: configparser.ConfigParser, name: str, known: set[str]) -> dict[str, str]:
    if name not in parser:
        raise ValueError(f"it has no section [{name}]")
    section = dict(parser[name])
    if unknown := set(section) - known:
        raise ValueError(f"[{name}] knows no '{min(unknown)}'")
    return section


def _path(section: dict[str, str], name: str) -> Path | None:
    """Absolute, as nobody knows where an agent is started."""
    if not section.get(name):
        return None
    if not Path(section[name]).is_absolute():
        raise ValueError(f"'{name}' is no absolute path")
    return Path(section[name])


def _url(section: dict[str, str], name: str) -> str:
    url = section.get(name, "")
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise ValueError(f"'{name}' is no address such as https://rambla.example.org")
    return url


def _seconds(section: dict[str, str], name: str, default: float) -> float:
    try:
        value = float(section.get(name, default))
    except ValueError:
        value = 0.0
    if not 0.1 <= value <= 25:  # an answer that takes 30 s counts as none
        raise ValueError(f"'{name}' is no number of seconds from 0.1 to 25")
    return value


def _command(section: dict[str, str], name: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(section.get(name, "")))
    except ValueError:
        raise ValueError(f"'{name}' is no command: a quotation mark is open") from None
