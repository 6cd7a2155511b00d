"""Keystone as a source of identities: people in a domain of a test's own, and the source as settings open it."""

import base64
import itertools
import time
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from keystone_cloud import Keystone
from rambla.app.registry import opener
from rambla.domain.proofs import ApplicationCredential, KeystoneToken, Password, Proof
from rambla.drivers.keystone.source import KeystoneSource
from rambla.kit.clock import SystemClock

SERVICE_WORD, ADA_WORD, BOB_WORD = "wort-des-dienstes", "wort-von-ada", "wort-von-bob"
_numbers = itertools.count()


class People:
    """A domain with the project `street`, whose member is ada, and bob, who has no role anywhere.

    `rambla` is the platform's own user, who may validate tokens.
    """

    def __init__(self, keystone: Keystone) -> None:
        self.keystone = keystone
        self.domain_name = f"domain{next(_numbers)}"
        self.domain = keystone.create_domain(self.domain_name)
        self.project = keystone.create_project("street", self.domain)
        self.ada = keystone.create_user("ada", ADA_WORD, self.domain)
        keystone.assign("member", self.ada, project=self.project)
        self.bob = keystone.create_user("bob", BOB_WORD, self.domain)
        self.service = keystone.create_user("rambla", SERVICE_WORD, self.domain)
        keystone.assign("service", self.service, project=self.project)

    def token(self, user: str = "ada", word: str = ADA_WORD, project: str = "street") -> str:
        return self.keystone.password_token(user, word, domain=self.domain, project=project)

    def application_credential(self, **more: Any) -> ApplicationCredential:
        """Of ada in `street`."""
        name = f"program{next(_numbers)}"
        id_, secret = self.keystone.create_application_credential(self.token(), self.ada, name, **more)
        return ApplicationCredential(id=id_, secret=secret)

    def trusted_token(self, **more: Any) -> str:
        """Of bob, who acts for ada in `street`."""
        trust = self.keystone.create_trust(self.token(), self.ada, self.bob, self.project, **more)
        return self.keystone.trust_token(self.token("bob", BOB_WORD, ""), trust)

    def second_factor(self) -> str:
        """From now on ada needs one; this one will do."""
        secret = base64.b32encode(b"twenty bytes of hers").decode()
        credential = {"type": "totp", "user_id": self.ada, "blob": secret}
        self.keystone.call("POST", "/credentials", {"credential": credential})
        options = {"multi_factor_auth_enabled": True, "multi_factor_auth_rules": [["password", "totp"]]}
        self.keystone.call("PATCH", f"/users/{self.ada}", {"user": {"options": options}})
        totp = TOTP(base64.b32decode(secret), 6, SHA1(), 30)  # as Keystone has it
        return totp.generate(int(time.time())).decode()

    def password(self, password: str = ADA_WORD, **more: str) -> Password:
        return Password(**{"user": "ada", "password": password, "domain": self.domain_name, **more})

    def settings(self, folder: Path, **more: str) -> dict[str, str]:
        """The table of the settings, without the kind."""
        secret = folder / "keystone-secret"
        secret.write_text(SERVICE_WORD + "\n")
        usual = {"url": self.keystone.url, "user": "rambla", "secret_file": str(secret), "project": "street"}
        domains = {"domain": self.domain_name, "user_domain": self.domain_name, "project_domain": self.domain_name}
        return {**usual, **domains, **more}


def open_source(settings: dict[str, str], name: str = "cloud") -> KeystoneSource:
    source: KeystoneSource = opener("identity", "keystone")(name, settings, None, SystemClock())
    return source


class KeystoneStage:
    """What the suite of sources wants."""

    def __init__(self, people: People, folder: Path) -> None:
        self.keystone = people.keystone
        self.user = people.ada
        self.source = open_source(people.settings(folder))
        credential, token = people.application_credential(), people.token()
        self.proofs: list[Proof] = [people.password(), KeystoneToken(token=token), credential]
        self.wrong: list[Proof] = [
            people.password("wrong-word"),
            Password(user="nobody", password="wrong-word"),
            KeystoneToken(token=token[:-8]),
            ApplicationCredential(id=credential.id, secret="wrong-word"),
            ApplicationCredential(id="nobody", secret="wrong-word"),
        ]
        self.secrets = [SERVICE_WORD, ADA_WORD, "wrong-word", token, credential.secret]

    async def stop(self) -> None:
        await self.keystone.stop()

    async def go_on(self) -> None:
        await self.keystone.go_on()

    async def kill(self) -> None:
        await self.keystone.kill()

    async def start(self) -> None:
        await self.keystone.start()
