"""Real handshakes with our listener: which certificate it shows, whom it asks for one, and what it reads of theirs."""

import contextlib
import os
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import httpx
import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from authority import SERVER, Authority, Signed
from rambla.app.protocol import BoundedHttp
from rambla.app.settings import Settings
from rambla.app.tls import Tls, open_tls
from rambla.domain.errors import BadSettings

pytestmark = pytest.mark.anyio
ADA = ("CN", "ada")


class Files:
    """The certificate and the key of a listener, of whom `told` is what is in force."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Authority("servers")
        self.told: list[str] = []
        self.shown = self.root.server()
        self.paths = self.shown.write(folder, "server")

    def open(self, *authorities: Authority) -> Tls:
        files = []
        for number, authority in enumerate(authorities):
            files.append(str(self.folder / f"clients{number}.pem"))
            Path(files[-1]).write_bytes(authority.pem)
        return Tls(*self.paths, files, self.told.append)

    def renew(self) -> None:
        self.shown = self.root.server()
        self.shown.write(self.folder, "server")


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def tell(scope: Scope, receive: Receive, send: Send) -> None:
    """The scheme, and the certificate that the client showed."""
    shown = scope.get("extensions", {}).get("tls", {}).get("client_cert_der", b"")
    await Response(scope["scheme"].encode() + b" " + shown)(scope, receive, send)


@asynccontextmanager
async def listening(tls: Tls | None) -> AsyncIterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(tell, http=BoundedHttp, lifespan="off", log_config=None)
        config.load()
        config.ssl = tls.context if tls else None
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as group:
            group.start_soon(server.serve, [listener])
            yield listener.getsockname()[1]
            server.should_exit = True


def trusting(root: Authority, shown: Signed | None = None, folder: Path | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=root.pem.decode())
    if shown is not None and folder is not None:
        context.load_cert_chain(*shown.write(folder, "client"))
    return context


@asynccontextmanager
async def client(port: int, context: ssl.SSLContext) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=f"https://127.0.0.1:{port}", verify=context, trust_env=False) as made:
        yield made


async def told_by(port: int, context: ssl.SSLContext) -> bytes:
    async with client(port, context) as made:
        return (await made.get("/")).content


def shown_at(port: int, root: Authority) -> bytes | None:
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        trusting(root).wrap_socket(plain, server_hostname="127.0.0.1") as encrypted,
    ):
        return encrypted.getpeercert(binary_form=True)


async def test_plain_http_stays_what_it_is() -> None:
    async with listening(None) as port, httpx.AsyncClient(trust_env=False) as made:
        assert (await made.get(f"http://127.0.0.1:{port}/")).content == b"http "


async def test_whoever_trusts_its_authority_speaks_https_with_it(files: Files) -> None:
    async with listening(files.open()) as port:
        assert await told_by(port, trusting(files.root)) == b"https "
        with pytest.raises(httpx.ConnectError):
            await told_by(port, trusting(Authority("other")))
        async with httpx.AsyncClient(trust_env=False) as made:
            with pytest.raises(httpx.RemoteProtocolError):
                await made.get(f"http://127.0.0.1:{port}/")
        assert await told_by(port, trusting(files.root)) == b"https "


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_nothing_older_than_tls_1_2_is_spoken(files: Files, newest: ssl.TLSVersion) -> None:
    context = trusting(files.root)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        pytest.warns(DeprecationWarning, match="TLS") if newest == ssl.TLSVersion.TLSv1_1 else contextlib.nullcontext()
    ):
        context.minimum_version = context.maximum_version = newest
    async with listening(files.open()) as port:
        if newest >= ssl.TLSVersion.TLSv1_2:
            assert await told_by(port, context) == b"https "
        else:
            with pytest.raises(httpx.ConnectError):
                await told_by(port, context)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_a_client_certificate_goes_with_every_request_of_its_connection_and_with_no_other(
    files: Files, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    corp, shop = Authority("corp"), Authority("shop")
    async with listening(files.open(corp, shop)) as port:
        for authority in (corp, shop):
            ada = authority.certify(ADA)
            context = trusting(files.root, ada, tmp_path)
            context.minimum_version = context.maximum_version = version
            async with client(port, context) as made:
                for _ in range(3):
                    assert (await made.get("/")).content == b"https " + ada.der
        assert await told_by(port, trusting(files.root)) == b"https "


def strangers(corp: Authority) -> Iterator[Signed]:
    yield Authority("corp").certify(ADA)
    yield Authority("ada")
    yield corp.certify(ADA, ends=timedelta(minutes=-5))
    yield corp.certify(ADA, begins=timedelta(minutes=5))
    yield corp.certify(ADA, uses=[SERVER])


@pytest.mark.parametrize("number", range(5), ids=["other CA", "self-signed", "expired", "not yet valid", "for servers"])
async def test_whose_certificate_is_not_good_does_not_come_in(files: Files, tmp_path: Path, number: int) -> None:
    corp = Authority("corp")
    shown = list(strangers(corp))[number]
    async with listening(files.open(corp)) as port:
        with pytest.raises(httpx.TransportError):
            await told_by(port, trusting(files.root, shown, tmp_path))
        assert await told_by(port, trusting(files.root)) == b"https "


async def test_nobody_is_asked_where_no_source_knows_certificates(files: Files, tmp_path: Path) -> None:
    shown = Authority("corp").certify(ADA)
    async with listening(files.open()) as port:
        assert await told_by(port, trusting(files.root, shown, tmp_path)) == b"https "


async def test_a_new_certificate_is_shown_to_new_connections_and_old_ones_go_on(files: Files) -> None:
    tls = files.open()
    first = files.shown
    async with listening(tls) as port, client(port, trusting(files.root)) as made:
        assert (await made.get("/")).content == b"https "
        files.renew()
        tls.read_again()
        assert await anyio.to_thread.run_sync(shown_at, port, files.root) == files.shown.der != first.der
        assert (await made.get("/")).content == b"https "
    assert files.told == [first.pem.decode(), files.shown.pem.decode()]


@pytest.mark.parametrize("broken", ["gone", "empty", "torn", "of another key"])
async def test_files_that_are_not_good_leave_the_last_good_ones_in_force_loudly(
    files: Files, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    tls = files.open()
    first = files.shown
    certificate, key = files.paths
    match broken:
        case "gone":
            certificate.unlink()
        case "empty":
            certificate.write_bytes(b"")
        case "torn":
            key.write_bytes(key.read_bytes()[:50])
        case _:
            certificate.write_bytes(files.root.server().pem)
    tls.read_again()
    assert "the certificate in force stays" in caplog.text
    async with listening(tls) as port:
        assert await anyio.to_thread.run_sync(shown_at, port, files.root) == first.der
        files.renew()
        tls.read_again()
        assert await anyio.to_thread.run_sync(shown_at, port, files.root) == files.shown.der


async def test_what_did_not_change_is_not_read_again(files: Files) -> None:
    tls = files.open()
    tls.read_again()
    assert len(files.told) == 1
    os.utime(files.paths[0], (1, 1))
    tls.read_again()
    assert len(files.told) == 2


def test_only_the_certificate_itself_is_told_of_a_file_that_holds_the_way_to_its_authority(files: Files) -> None:
    certificate, _ = files.paths
    certificate.write_bytes(b"It is mine.\n" + files.shown.pem + files.root.pem)
    files.open()
    assert files.told == [files.shown.pem.decode()]


def test_settings_that_cannot_be_meant_are_refused(files: Files, tmp_path: Path) -> None:
    certificate, key = map(str, files.paths)
    (tmp_path / "ca.pem").write_bytes(files.root.pem)
    knows = {"corp": {"kind": "certificate", "ca_file": str(tmp_path / "ca.pem")}}
    nowhere = {"corp": {"kind": "certificate", "ca_file": str(tmp_path / "nowhere")}}
    for settings in (
        Settings(tls_certificate=certificate),
        Settings(tls_key=key),
        Settings(tls_certificate=key, tls_key=certificate),
        Settings(tls_certificate=str(tmp_path / "nowhere"), tls_key=key),
        Settings(identity=knows),
        Settings(tls_certificate=certificate, tls_key=key, identity=nowhere),
    ):
        with pytest.raises(BadSettings):
            open_tls(settings, files.told.append)
    assert open_tls(Settings(), files.told.append) is None
    assert open_tls(Settings(tls_certificate=certificate, tls_key=key, identity=knows), files.told.append)
