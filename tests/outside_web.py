"""A web service that decides, as a process of its own."""

import json
import sys
from pathlib import Path
from typing import Any

from rambla.app.registry import opener
from stages import ServerProcess, accepts, free_port

SECRET = "geheimes-wort"


class WebStage(ServerProcess):
    secret = SECRET

    def __init__(self, folder: Path, *certificate: str) -> None:
        self.port = free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.argument = ""
        self.opened: list[Any] = []
        command = [sys.executable, Path(__file__).with_name("web_enforcer.py"), str(self.port), *certificate]
        super().__init__(command, folder / "log", accepts(self.port))
        self.folder = folder

    def open(self, **settings: str) -> Any:
        secret = self.folder / "secret"
        secret.write_text(SECRET + "\n")
        given = {name: value.replace("{host}", self.host) for name, value in settings.items()}
        kind = given["url"].partition(":")[0]
        self.enforcer = opener("enforcer", kind)("named", {**given, "secret_file": str(secret)}, timeout_ms=10_000)
        self.opened.append(self.enforcer)
        return self.enforcer

    async def close(self) -> None:
        for enforcer in self.opened:
            await enforcer.close()

    def heard(self) -> list[list[str]]:
        """Path, content type, body and authorization of every question."""
        lines = self.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("[")]
