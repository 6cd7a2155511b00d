"""The embedded Swift, spoken to as its users do."""

import httpx

from system.running import Running


class Swift:
    """The embedded Swift, as the namespace's own user sees it."""

    def __init__(self, platform: Running) -> None:
        self.url = platform.status()["object_store"]["url"]
        self.client = httpx.Client(timeout=60, trust_env=False)
        self.secret = platform.key.partition(":")[2]
        self.login()

    def login(self) -> None:
        """Swift keeps tokens in memory: one that was started again knows none."""
        headers = {"X-Auth-User": "guest:guest", "X-Auth-Key": self.secret}
        answer = self.client.get(f"{self.url}/auth/v1.0", headers=headers).raise_for_status()
        self.client.headers["X-Auth-Token"] = answer.headers["X-Auth-Token"]
        self.storage = answer.headers["X-Storage-Url"]

    def make(self, *containers: str) -> None:
        for container in containers:
            self.client.put(f"{self.storage}/{container}").raise_for_status()

    def put(self, container: str, name: str, body: bytes) -> int:
        return self.client.put(f"{self.storage}/{container}/{name}", content=body).status_code

    def get(self, container: str, name: str) -> bytes:
        return self.client.get(f"{self.storage}/{container}/{name}").raise_for_status().content

    def names(self, container: str) -> list[str]:
        listing = self.client.get(f"{self.storage}/{container}?format=json&limit=1000").raise_for_status().json()
        return [entry["name"] for entry in listing]

    def close(self) -> None:
        self.client.close()
