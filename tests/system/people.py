"""Who logs in to a real server, at the command line: each with a home of their own."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from system.running import Running

WORD = "marked-word-of-ada"
FROM_STDIN = ("--password-file", "-")
SETTINGS = """
[identity.local]
kind = "local"
trust = 1
trust_totp = 5
roles = ["developer", "identity-admin"]
namespaces = ["guest"]
mapping = "{mapping}"
attempts_max = 3
memory_kib = 64
passes = 1
lanes = 1
"""
MAPPING = """
grants:
  - {if: {group: developers}, namespaces: {guest: [developer]}}
  - {if: {group: keepers}, roles: [identity-admin]}
"""


def settings(folder: Path, more: str = "") -> Path:
    """A file of settings with a source of kind `local`; what is in `more` comes first."""
    (folder / "mapping.yaml").write_text(MAPPING)
    path = folder / "rambla.toml"
    path.write_text(more + SETTINGS.format(mapping=folder / "mapping.yaml"))
    return path


class Somebody:
    """At a terminal of their own; what they do must succeed, unless it is said to fail."""

    def __init__(self, home: Path, **environment: str) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith(("RAMBLA_", "OS_", "XDG_"))
        }
        self.environment: Mapping[str, str] = {**inherited, "HOME": str(home), **environment}

    def session(self) -> str:
        """The token of the session that is kept."""
        kept = json.loads((self.home / ".config" / "rambla" / "session.json").read_text())
        token: str = kept["servers"][kept["last"]]["token"]
        return token

    def does(self, *arguments: str | Path, types: str = "") -> str:
        done = self.tries(*arguments, types=types)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def tells(self, *arguments: str | Path, types: str = "") -> Any:
        return json.loads(self.does(*arguments, "--json", types=types))

    def fails(self, *arguments: str | Path, types: str = "") -> str:
        done = self.tries(*arguments, types=types)
        assert done.returncode == 1, done.stdout
        return done.stderr

    def tries(self, *arguments: str | Path, types: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "rambla.cli", *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=120, input=types, env=self.environment, cwd=self.home
        )


class Person(Somebody):
    """A local user, whom nobody else is called like."""

    def __init__(self, server: Running, operator: Somebody, folder: Path, group: str) -> None:
        super().__init__(folder / group)
        self.server = server
        self.name = f"u{uuid.uuid4().hex[:12]}"
        self.account = f"local/{self.name}"
        operator.does("identity", "user", "create", self.name, "--group", group, *FROM_STDIN, types=WORD)
        self.logs_in()

    def logs_in(self, word: str = WORD, **more: str) -> None:
        self.does(*self.login(**more), types=word)

    def does_not_log_in(self, word: str = WORD) -> str:
        return self.fails(*self.login(), types=word)

    def login(self, **more: str) -> list[str]:
        options = [part for name, value in more.items() for part in (f"--{name}", value)]
        return ["login", "--apihost", self.server.url, "--user", self.account, *options, *FROM_STDIN]
