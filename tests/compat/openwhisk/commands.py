"""What do `wsk` and `wskdeploy` send for a command, and what does the library for JavaScript?

The requests that OpenWhisk's client library for Go makes, byte for byte where it matters: queries in its order and with
its defaults, `_` for the namespace, fields that nobody set as "" or null, JSON that ends with a line break.
"""

import json
from typing import Any

import httpx

from compat.openwhisk.asking import Answer, User
from system.running import TLS

WSK = {"user-agent": "OpenWhisk-CLI/1.0 (2024-01-01T00:00:00Z) linux amd64", "accept-encoding": "gzip"}
WSKDEPLOY = {"accept-encoding": "gzip"}
"""It has no name: its headers are the library's alone."""
JAVASCRIPT = {"user-agent": "openwhisk-client-js", "x-request-id": "mine", "x-namespace-id": "anything"}


class Commands(User):
    """Who works with one of them."""

    def __init__(self, user: User, headers: dict[str, str]) -> None:
        self.server, self.namespace, self.key = user.server, user.namespace, user.key
        name, _, secret = user.key.partition(":")
        self.client = httpx.Client(base_url=user.server.url, auth=(name, secret), timeout=90, verify=TLS)
        self.client.headers = httpx.Headers(headers)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """`path` as in `User.send`, with its query."""
        if body is not None:
            options |= {"content": json.dumps(body) + "\n", "headers": {"content-type": "application/json"}}
        return self.send(method, path, **options)

    def configure(self, feed: str, event: str, trigger: str, **parameters: Any) -> Answer:
        """The feed is asked to do something for a trigger; `feed` is as in `/whisk.system/alarms/alarm`."""
        _, namespace, name = feed.split("/", 2)
        told = {"authKey": self.key, "lifecycleEvent": event, "triggerName": f"/_/{trigger}", **parameters}
        return self.ask("POST", f"/namespaces/{namespace}/actions/{name}?blocking=true&result=false", told)
