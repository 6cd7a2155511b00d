"""What does the platform say is the newest policy, and who tells it what came of it?

The three calls of `/policy/v1` that an agent makes. Whatever is not a full answer is `Failed`; nothing is believed
here.
"""

import json
from typing import Any

from rambla_openstack.agent.settings import Settings
from rambla_openstack.client import Client, Failed
from rambla_openstack.policy.signed import BUNDLE_BYTES_MAX

SLACK_S = 10.0
"""For how much longer than the platform was asked to wait its answer is waited for."""


class Platform:
    def __init__(self, settings: Settings) -> None:
        """Raises OSError if a certificate cannot be read."""
        context = settings.context() if settings.url.startswith("https:") else None
        self._client = Client(settings.url, context, BUNDLE_BYTES_MAX, settings.watch_s + SLACK_S)
        self._token_file = settings.token_file

    def newest(self, known: int, wait_s: float) -> bytes:
        """The statement of freshness: at once if another bundle is in force than the known one, else in time."""
        return self._ask("GET", f"/policy/v1/newest?known={known}&wait_ms={int(wait_s * 1000)}")

    def bundle(self, number: int) -> bytes:
        return self._ask("GET", f"/policy/v1/bundles/{number}")

    def report(self, document: dict[str, Any]) -> None:
        self._ask("POST", "/policy/v1/fleet", json.dumps(document).encode())

    def close(self) -> None:
        self._client.close()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self._token_file is not None:
            headers["Authorization"] = f"Bearer {self._token()}"
        answer = self._client.ask(method, path, headers, body)
        if not 200 <= answer.status < 300:
            text = " ".join(answer.body[:300].decode(errors="replace").split())
            raise Failed(f"the platform answered {answer.status} to {method} {path.partition('?')[0]}: {text}")
        return answer.body

    def _token(self) -> str:
        """Read each time, as tokens are changed."""
        assert self._token_file is not None
        try:
            return self._token_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(f"no token: {error}") from None
