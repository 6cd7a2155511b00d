"""What does it cost to know who asks?

A request that shows what was shown a moment ago: a namespace's key, a user's password, a certificate, a Keystone token.
What is measured is all of it, from the headers as they came to the caller in the namespace that is asked about, beside
the same without asking anybody, in interleaved rounds.
"""

import asyncio
import base64
import statistics
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

from starlette.requests import Request

from rambla.domain.access import Caller
from rambla.domain.proofs import Shown
from rambla.flow.identify import caller
from rambla.http.resource import shown_by
from rambla.identity.door import Door
from rambla.identity.identities import Identity
from rambla.identity.keys import KeyRing
from rambla.kit.clock import SystemClock

COUNT = 20_000
KEY = b"Basic " + base64.b64encode(b"23bc46b1-71f6-4ed5-8c54-816aa4f8c502:" + b"s" * 64)
PASSWORD = b"Basic " + base64.b64encode(b"corp/ada:correct horse battery staple")
CERTIFICATE = b"d" * 900
FINGERPRINT = sha256(CERTIFICATE).digest()
TLS = {"client_cert_der": CERTIFICATE, "client_cert_sha256": FINGERPRINT}
ADA = Caller("corp/ada", "payroll", "corp", ("developer",), 2, "password", ("staff", "payroll"))
OTHERS = ((b"host", b"rambla"), (b"accept", b"*/*"), (b"user-agent", b"bench"), (b"content-type", b"application/json"))
SHOWN: dict[str, tuple[Shown, tuple[tuple[bytes, bytes], ...], dict[str, Any]]] = {
    "nobody": (Shown(), (), {}),
    "key": (Shown(KEY), ((b"authorization", KEY),), {}),
    "password": (Shown(PASSWORD), ((b"authorization", PASSWORD),), {}),
    "Keystone token": (Shown(b"", b"g" * 200), ((b"x-auth-token", b"g" * 200),), {}),
    "certificate": (Shown(b"", b"", CERTIFICATE, FINGERPRINT), (), {"extensions": {"tls": TLS}}),
}


def run(rounds: int) -> None:
    figures: dict[str, list[float]] = {name: [] for name in SHOWN}
    platform = asyncio.run(_platform())
    for _ in range(max(rounds, 5)):
        for name in SHOWN:
            figures[name].append(asyncio.run(_each_us(_work(platform, name))))
    medians = {name: statistics.median(values) for name, values in figures.items()}
    for name, values in figures.items():
        print(f"{name:20}{medians[name]:>8.2f} us a request   {min(values):.2f} to {max(values):.2f}")
    print(f"to identify a remembered key costs {medians['key'] - medians['nobody']:.2f} us")


async def _platform() -> Any:
    """A door that remembers them all."""
    namespaces: Any = None
    clock = SystemClock()
    door = Door(KeyRing(namespaces, {}, clock), (), namespaces, namespaces, namespaces, clock)
    for shown, _, _ in SHOWN.values():
        door.remember(shown, Identity(ADA, {"payroll": ADA}), 3_600_000)
    return SimpleNamespace(door=door)


def _work(platform: Any, name: str) -> Callable[[], Awaitable[object]]:
    _, headers, more = SHOWN[name]
    scope = {"type": "http", "headers": [*OTHERS, *headers], "path_params": {"namespace": "payroll"}, **more}

    async def nobody() -> object:
        return Request(scope).path_params.get("namespace", "")

    async def identify() -> object:
        request = Request(scope)
        return await caller(platform, shown_by(scope), request.path_params.get("namespace", ""))

    return nobody if name == "nobody" else identify


async def _each_us(work: Callable[[], Awaitable[object]]) -> float:
    await work()
    started = time.process_time()
    for _ in range(COUNT):
        await work()
    return (time.process_time() - started) / COUNT * 1e6
