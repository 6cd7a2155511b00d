"""How does somebody at a terminal log in at their OpenID provider?

By a code that they type into any browser (RFC 8628): it is asked for, shown, and then asked about as often as the
provider wants, until they have said yes or no. The browser may be on another device, so nothing comes back here.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx

from rambla.cli.errors import CliError

GRANT = "urn:ietf:params:oauth:grant-type:device_code"
ANSWER_BYTES_MAX = 256 * 1024
_INTERVAL_S, _INTERVAL_S_MIN, _INTERVAL_S_MAX = 5.0, 0.1, 60.0
_EXPIRES_S_MAX = 1800.0
_ASK_AGAIN = {"authorization_pending": 0.0, "slow_down": 5.0}
"""What is no refusal yet, and by how many seconds less often it is asked about from then on."""
_TIMEOUT = httpx.Timeout(10)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
Show = Callable[[str, str], None]
"""What tells a person the address and the code."""


async def tokens(public: Mapping[str, Any], show: Show) -> str:
    """A token of whoever says yes at the provider that `public` describes: its issuer, our client and the scopes.

    Raises CliError if they say no, wait too long, or the provider is not one.
    """
    client_id, issuer = public.get("client_id"), public.get("issuer")
    if not isinstance(issuer, str) or not client_id:
        raise CliError("this source says not how to log in with a browser. Fix: set its client_id, or choose another")
    async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as http:
        known = await _ask(http, "GET", _safe(issuer).rstrip("/") + "/.well-known/openid-configuration")
        if known.get("issuer") != issuer:
            raise CliError(f"{issuer} calls itself {known.get('issuer')}")
        scope = " ".join(map(str, public.get("scopes") or ["openid"]))
        form = {"client_id": str(client_id), "scope": scope}
        begun = await _ask(http, "POST", _address(known, "device_authorization_endpoint"), **form)
        show(_text(begun, "verification_uri_complete", "verification_uri"), _text(begun, "user_code"))
        return await _poll(http, _address(known, "token_endpoint"), str(client_id), begun)


async def _poll(http: httpx.AsyncClient, address: str, client_id: str, begun: Mapping[str, Any]) -> str:
    interval_s = max(_INTERVAL_S_MIN, _seconds(begun.get("interval"), _INTERVAL_S, _INTERVAL_S_MAX))
    until_s = time.monotonic() + _seconds(begun.get("expires_in"), _EXPIRES_S_MAX, _EXPIRES_S_MAX)
    form = {"grant_type": GRANT, "device_code": _text(begun, "device_code"), "client_id": client_id}
    while time.monotonic() < until_s:
        await anyio.sleep(interval_s)
        try:
            given = await _ask(http, "POST", address, **form)
        except _Refused as refused:
            if refused.reason not in _ASK_AGAIN:
                raise
            interval_s += _ASK_AGAIN[refused.reason]
            continue
        return _text(given, "id_token", "access_token")
    raise CliError("nobody said yes in time. Fix: log in again")


class _Refused(CliError):
    """`reason` is the `error` of RFC 6749."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the provider says: {reason}")
        self.reason = reason


async def _ask(http: httpx.AsyncClient, method: str, address: str, **form: str) -> dict[str, Any]:
    try:
        async with http.stream(method, address, data=form or None) as answer:
            raw = b""
            async for piece in answer.aiter_bytes():
                raw += piece
                if len(raw) > ANSWER_BYTES_MAX:
                    raise CliError(f"{address} answers too much")
        found = httpx.Response(answer.status_code, content=raw).json()
    except httpx.HTTPError as error:
        raise CliError(f"{address} does not answer: {str(error) or type(error).__name__}") from error
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise CliError(f"{address} is no OpenID provider's: its answer is not JSON")
    if answer.status_code >= httpx.codes.BAD_REQUEST:
        raise _Refused(str(found.get("error", answer.status_code))[:100])
    return found


def _address(known: Mapping[str, Any], name: str) -> str:
    if not isinstance(known.get(name), str):
        raise CliError(f"this provider has no {name}, so nobody can log in from a terminal")
    return _safe(known[name])


def _safe(address: str) -> str:
    """Codes and tokens go there: encrypted, or not beyond this host."""
    parts = urlsplit(address)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise CliError(f"{address} is not https")
    return address


def _text(found: Mapping[str, Any], *names: str) -> str:
    for name in names:
        if isinstance(found.get(name), str) and found[name]:
            return str(found[name])
    raise CliError(f"the provider's answer has no {names[-1]}")


def _seconds(value: object, usual: float, at_most: float) -> float:
    return min(max(value, 0), at_most) if isinstance(value, int | float) else usual
