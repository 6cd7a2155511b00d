"""How is the listener encrypted, and whom does it ask for a certificate?

TLS 1.2 or newer. Certificate and key are read again when their files change; each new connection gets what is good
then, and files that are not leave the last good ones in force. Where a source of identities knows certificates, clients
are asked for one by the authorities of all such sources: whoever has none comes in without, and whose is not by these,
or not good now, does not come in. Which source knows it is said by the source itself.
"""

import logging
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

import anyio
import anyio.to_thread

from rambla.app.settings import Settings
from rambla.domain.errors import BadSettings
from rambla.kit.files import Stamp, stamp_of

_END = "-----END CERTIFICATE-----"
_log = logging.getLogger(__name__)


class Tls:
    """`context` is what the listener takes; it hands each connection on to the newest one."""

    def __init__(self, certificate: Path, key: Path, authorities: Sequence[str], tell: Callable[[str], None]) -> None:
        """`tell` is called with the certificate in force, now and whenever there is another. Raises BadSettings."""
        self._certificate = certificate
        self._key = key
        self._authorities = authorities
        self._tell = tell
        self._seen = self._look()
        self.context = self._newest = self._open()
        self.context.sni_callback = self._hand_on
        tell(_first_of(certificate))

    async def follow(self, every_ms: int) -> None:
        """Look after the files, until cancelled."""
        while True:
            await anyio.sleep(every_ms / 1000)
            await anyio.to_thread.run_sync(self.read_again)

    def read_again(self) -> None:
        """Unless nothing changed."""
        seen = self._look()
        if seen == self._seen:
            return
        try:
            newest = self._open()
            self._tell(_first_of(self._certificate))
        except (BadSettings, OSError) as error:
            _log.error("the certificate in force stays: %s", error)
        else:
            self._newest = newest
            _log.info("read the certificate %s again", self._certificate)
        self._seen = seen

    def _hand_on(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._newest

    def _open(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION  # a connection is the same client's to its end
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._certificate, self._key, password="")  # nobody is there to be asked for one
        except (OSError, ssl.SSLError, ValueError) as error:
            raise BadSettings(name="tls_certificate", detail=f"it cannot be used with tls_key: {error}") from error
        for authority in self._authorities:
            context.verify_mode = ssl.CERT_OPTIONAL
            try:
                context.load_verify_locations(authority)
            except (OSError, ssl.SSLError) as error:
                raise BadSettings(name="identity", detail=f"ca_file {authority} cannot be used: {error}") from error
        return context

    def _look(self) -> list[Stamp]:
        return [stamp_of(path) for path in (self._certificate, self._key)]


def open_tls(settings: Settings, tell: Callable[[str], None]) -> Tls | None:
    """None if the listener speaks plain HTTP. Raises BadSettings."""
    authorities = [str(each.get("ca_file")) for each in settings.identity.values() if each.get("kind") == "certificate"]
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise BadSettings(name="tls_certificate", detail="tls_certificate and tls_key belong together")
    if settings.tls_certificate:
        return Tls(Path(settings.tls_certificate), Path(settings.tls_key), authorities, tell)
    if authorities:
        raise BadSettings(
            name="tls_certificate", detail="clients can show certificates only where the platform has one"
        )
    return None


def _first_of(path: Path) -> str:
    """The certificate itself, of a file that may hold the way to its authority as well."""
    text = path.read_text(encoding="ascii", errors="replace")
    return text[text.find("-----BEGIN CERTIFICATE") :].partition(_END)[0] + _END + "\n"
