"""An OpenID provider, as a process of its own, whose keys the tests have too: they can forge what only it can sign."""

import html
import json
import re
import time
from pathlib import Path
from typing import Any

import anyio
import httpx
import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from npmkit import installed
from rambla.app.registry import opener
from rambla.domain.errors import BadCredentials
from rambla.domain.proofs import Token
from rambla.drivers.oidc.source import OidcSource
from rambla.identity.ports import Account
from rambla.kit.clock import Clock, ManualClock
from rambla.testing.checks import raises
from stages import ServerProcess, accepts, free_port

PACKAGE = "oidc-provider@9.13.3"
CLIENT, AUDIENCE = "rambla-cli", "rambla"
HOUR_S = 3600
_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_INPUT = re.compile(r'name="([^"]+)"[^>]*value="([^"]*)"')
_ACTION = re.compile(r'<form[^>]*action="([^"]+)"')


class SigningKey:
    def __init__(self, name: str, algorithm: str = "RS256", *, bits: int = 2048) -> None:
        self.name = name
        self.algorithm = algorithm
        made: Any
        match algorithm:
            case "ES256":
                made = ec.generate_private_key(ec.SECP256R1())
                self.private = ECAlgorithm.to_jwk(made, as_dict=True)
            case "EdDSA":
                made = ed25519.Ed25519PrivateKey.generate()
                self.private = OKPAlgorithm.to_jwk(made, as_dict=True)
            case _:
                made = rsa.generate_private_key(65537, bits)
                self.private = RSAAlgorithm.to_jwk(made, as_dict=True)
        self.made = made
        self.private.pop("key_ops", None)
        self.private |= {"kid": name, "alg": algorithm, "use": "sig"}

    @property
    def public(self) -> dict[str, Any]:
        return {name: value for name, value in self.private.items() if name not in ("d", "p", "q", "dp", "dq", "qi")}

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        given = {name: value for name, value in {"kid": self.name, **header}.items() if value is not None}
        return jwt.encode(claims, self.made, algorithm=self.algorithm, headers=given)


class OidcStage(ServerProcess):
    """The provider at `issuer`. `key` is what it signs with; `clock` is by hand, and goes with the provider's."""

    def __init__(self, folder: Path, algorithm: str = "RS256") -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._keys = folder / "keys.json"
        self.key = SigningKey("first", algorithm)
        self._write(self.key)
        script = Path(__file__).with_name("oidc_provider.mjs")
        command = ["node", str(script), str(installed("oidc-provider", PACKAGE)), str(self.port), str(self._keys)]
        super().__init__(command, folder / "log", accepts(self.port))
        self.clock = now()

    def open(self, clock: Clock | None = None, **given: Any) -> OidcSource:
        settings = {"issuer": self.issuer, "audiences": [AUDIENCE, CLIENT], "client_id": CLIENT, **given}
        source: OidcSource = opener("identity", "oidc")("corp", settings, None, clock or self.clock)
        return source

    def claims(self, **more: Any) -> dict[str, Any]:
        """Those of a good token; what is None is left out."""
        now_s = self.clock.now_ms() // 1000
        usual = {"iss": self.issuer, "aud": AUDIENCE, "sub": "ada", "iat": now_s, "exp": now_s + HOUR_S}
        return {name: value for name, value in {**usual, **more}.items() if value is not None}

    async def rotate(self, *keys: SigningKey) -> None:
        """The first signs from now on; those that are not there are gone."""
        self.key = keys[0]
        self._write(*keys)
        assert self._process is not None
        before = self._heard()
        self._process.send_signal(1)
        while self._heard() == before:
            await anyio.sleep(0.01)

    async def log_in(self, user: str, resource: str = "urn:rambla") -> dict[str, Any]:
        """Tokens, by the device flow (RFC 8628): the person is at a browser, the client asks for what came of it."""
        async with httpx.AsyncClient(base_url=self.issuer, follow_redirects=True, trust_env=False) as client:
            asked = await client.post(
                "/device/auth", data={"client_id": CLIENT, "scope": "openid", "resource": resource}
            )
            begun = asked.raise_for_status().json()
            await approve(client, begun["verification_uri_complete"], user)
            data = {"grant_type": _GRANT, "device_code": begun["device_code"], "client_id": CLIENT}
            tokens: dict[str, Any] = (await client.post("/token", data=data)).raise_for_status().json()
            return tokens

    async def robot(self) -> str:
        """An access token of a program, with no person behind it."""
        async with httpx.AsyncClient(base_url=self.issuer, trust_env=False) as client:
            given = ("robot", "for-tests-only")
            answer = await client.post("/token", data={"grant_type": "client_credentials"}, auth=given)
            token: str = answer.raise_for_status().json()["access_token"]
            return token

    def _heard(self) -> int:
        return self.log.read_text().count("read the keys")

    def _write(self, *keys: SigningKey) -> None:
        self._keys.write_text(json.dumps({"keys": [key.private for key in keys]}))


def now() -> ManualClock:
    return ManualClock(ms=time.time_ns() // 1_000_000)


async def prove(source: OidcSource, token: str) -> Account:
    with anyio.fail_after(30):
        return await source.prove(Token(token=token))


async def refuse(source: OidcSource, token: str) -> None:
    with raises(BadCredentials):
        await prove(source, token)


async def approve(client: httpx.AsyncClient, address: str, user: str) -> None:
    """What a person does at the address that a device shows: log in, and say yes to every question."""
    page = await client.get(address)
    while form := _ACTION.search(page.text):
        fields = {name: html.unescape(value) for name, value in _INPUT.findall(page.text)}
        fields |= {name: user for name in ("login", "password") if f'name="{name}"' in page.text}
        page = await client.post(html.unescape(form[1]), data=fields)
    page.raise_for_status()
