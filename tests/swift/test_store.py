"""The object store port, by the embedded Swift that the platform starts itself."""

import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx
import pytest

from rambla.domain.errors import BadRequest, BadSettings, ObjectStoreFailed
from rambla.drivers.swift.embedded import EmbeddedSwift, open_embedded
from rambla.drivers.swift.names import account_of, temp_url
from rambla.kit.clock import SystemClock
from rambla.objects.ports import ObjectStore, SignedAddress, Subscription
from swift_cloud import Sink

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def cloud(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedSwift]:
    folder = tmp_path_factory.mktemp("embedded")
    (folder / "token").write_text(Sink.TOKEN)
    embedded = open_embedded(folder / "swift", "http://127.0.0.1:1", folder / "token")
    await embedded.start()
    try:
        await embedded.store.open_account("guest", "uuid", "secret-1")
        yield embedded
    finally:
        await embedded.close()


def log_in(cloud: EmbeddedSwift, namespace: str, secret: str) -> httpx.Response:
    headers = {"X-Auth-User": f"{namespace}:{namespace}", "X-Auth-Key": secret}
    return httpx.get(f"{cloud.url}/auth/v1.0", headers=headers, trust_env=False)


def url(cloud: EmbeddedSwift, address: SignedAddress, more: str = "") -> str:
    return f"{cloud.url}{address.path}{more}?{address.query}"


async def test_it_is_an_object_store(cloud: EmbeddedSwift) -> None:
    store: ObjectStore = cloud.store
    assert store.kind == "swift"


async def test_the_key_of_a_namespace_opens_its_account_until_it_is_closed(cloud: EmbeddedSwift) -> None:
    await cloud.store.open_account("tenant one", "uuid", "s1")
    assert log_in(cloud, "tenant one", "s1").headers["x-storage-url"] == f"{cloud.url}/v1/AUTH_tenant%20one"
    await cloud.store.open_account("tenant one", "uuid", "s2")
    assert log_in(cloud, "tenant one", "s1").status_code == 401
    assert log_in(cloud, "tenant one", "s2").status_code == 200
    await cloud.store.close_account("tenant one")
    assert log_in(cloud, "tenant one", "s2").status_code == 401


async def test_a_stock_swift_client_logs_in(cloud: EmbeddedSwift) -> None:
    pytest.importorskip("swiftclient", reason="python-swiftclient is not installed")
    auth = ["-A", f"{cloud.url}/auth/v1.0", "-U", "guest:guest", "-K", "secret-1"]
    command = [sys.executable, "-W", "ignore", "-m", "swiftclient.shell", *auth, "stat"]
    done = await anyio.run_process(command, check=False)
    if b"AUTH_guest" not in done.stdout:  # shell has no __main__ in some versions
        swift = Path(sys.executable).with_name("swift")
        done = await anyio.run_process([str(swift), *auth, "stat"], check=False)
    assert b"AUTH_guest" in done.stdout


async def test_a_namespace_cannot_pass_for_the_account_of_another(cloud: EmbeddedSwift) -> None:
    with pytest.raises(BadRequest):
        await cloud.store.open_account("AUTH_guest", "uuid", "s")
    assert account_of("guest") == "AUTH_guest"


async def test_subscriptions_of_several_triggers_live_side_by_side(cloud: EmbeddedSwift) -> None:
    store = cloud.store
    await store.subscribe("guest", Subscription(trigger="guest/a", container="side", prefix="old", target="thumbs"))
    await store.subscribe("guest", Subscription(trigger="guest/b", container="side", suffix=".jpg"))
    await store.subscribe("guest", Subscription(trigger="guest/a", container="side", prefix="new"))
    token = log_in(cloud, "guest", "secret-1").headers["x-auth-token"]
    with httpx.Client(
        headers={"X-Auth-Token": token}, base_url=f"{cloud.url}/v1/AUTH_guest", trust_env=False
    ) as client:
        found = client.get("side?notification").json()["subscriptions"]
        assert sorted((item["trigger"], item["prefix"], item["suffix"]) for item in found) == [
            ("guest/a", "new", ""),
            ("guest/b", "", ".jpg"),
        ]
        assert client.head("thumbs").is_success
        for _ in range(2):
            await store.unsubscribe("guest", "side", "guest/a")
        assert [item["trigger"] for item in client.get("side?notification").json()["subscriptions"]] == ["guest/b"]
    await store.unsubscribe("guest", "absent", "guest/a")


@pytest.mark.parametrize("container", ["", "a/b", ".", "..", "x" * 257, "\ud800", "\x00"])
async def test_impossible_containers_are_refused(cloud: EmbeddedSwift, container: str) -> None:
    with pytest.raises(BadRequest):
        await cloud.store.subscribe("guest", Subscription(trigger="guest/a", container=container))


async def test_an_unknown_event_is_the_callers_fault(cloud: EmbeddedSwift) -> None:
    with pytest.raises(BadRequest, match="unknown event"):
        await cloud.store.subscribe("guest", Subscription(trigger="guest/a", container="side", events=("s3:No",)))


async def test_a_signed_address_opens_one_object_for_one_method(cloud: EmbeddedSwift) -> None:
    await cloud.store.subscribe("guest", Subscription(trigger="guest/s", container="signed &%"))
    name = "in/ä b?#.jpg"
    put = await cloud.store.sign("guest", "PUT", "signed &%", name, ttl_ms=60_000)
    get = await cloud.store.sign("guest", "GET", "signed &%", name, ttl_ms=60_000)
    assert httpx.put(url(cloud, put), content=b"hello", trust_env=False).status_code == 201
    assert httpx.get(url(cloud, get), trust_env=False).content == b"hello"
    assert httpx.head(url(cloud, get), trust_env=False).status_code == 200
    assert httpx.put(url(cloud, get), content=b"x", trust_env=False).status_code == 401
    assert httpx.get(url(cloud, get, ".other"), trust_env=False).status_code == 401
    assert not get.prefix


@pytest.mark.parametrize("prefix", ["", "out/"])
async def test_a_signed_prefix_opens_everything_below_and_nothing_else(cloud: EmbeddedSwift, prefix: str) -> None:
    await cloud.store.subscribe("guest", Subscription(trigger="guest/s", container="below"))
    await cloud.store.subscribe("guest", Subscription(trigger="guest/s", container="below2"))
    address = await cloud.store.sign_below("guest", "PUT", "below", prefix, ttl_ms=60_000)
    assert address.prefix
    assert address.path == f"/v1/AUTH_guest/below/{prefix}"
    assert httpx.put(url(cloud, address, "a/b.jpg"), content=b"x", trust_env=False).status_code == 201
    elsewhere = address.path.replace("below", "below2") + f"a?{address.query}"
    assert httpx.put(cloud.url + elsewhere, content=b"x", trust_env=False).status_code == 401
    if prefix:
        outside = f"{cloud.url}/v1/AUTH_guest/below/in/a?{address.query}"
        assert httpx.put(outside, content=b"x", trust_env=False).status_code == 401


async def test_an_address_that_has_expired_opens_nothing(cloud: EmbeddedSwift) -> None:
    await cloud.store.subscribe("guest", Subscription(trigger="guest/s", container="signed"))
    old = await cloud.store.sign("guest", "PUT", "signed", "a", ttl_ms=-10_000)
    assert httpx.put(url(cloud, old), content=b"x", trust_env=False).status_code == 401
    assert old.expires_ms < SystemClock().now_ms()


async def test_the_signing_key_that_an_owner_sees_opens_no_other_account(cloud: EmbeddedSwift) -> None:
    await cloud.store.open_account("two", "uuid", "s")
    keys = set()
    for namespace, secret in (("guest", "secret-1"), ("two", "s")):
        token = log_in(cloud, namespace, secret).headers["x-auth-token"]
        account = f"{cloud.url}/v1/AUTH_{namespace}"
        headers = httpx.head(account, headers={"X-Auth-Token": token}, trust_env=False).headers
        keys.add(headers["x-account-meta-temp-url-key-2"])
    assert len(keys) == 2


def owned(cloud: EmbeddedSwift, namespace: str, secret: str) -> httpx.Client:
    """A client in the account of whoever has that secret."""
    headers = log_in(cloud, namespace, secret).headers
    token = {"X-Auth-Token": headers["x-auth-token"]}
    return httpx.Client(base_url=headers["x-storage-url"], headers=token, trust_env=False)


def by_hand(cloud: EmbeddedSwift, namespace: str, key: str) -> str:
    """What anybody who knows one of the account's or the container's keys can make."""
    expires_s = SystemClock().now_ms() // 1000 + 60
    path = (account_of(namespace), "box", "a")
    return url(cloud, temp_url(key, "GET", path, expires_s, prefix=False))


def statuses(*addresses: str) -> list[int]:
    return [httpx.get(address, trust_env=False).status_code for address in addresses]


async def test_with_a_new_key_every_signing_key_that_the_old_one_could_read_or_set_is_void(
    cloud: EmbeddedSwift,
) -> None:
    await cloud.store.open_account("lent", "uuid", "s1")
    with owned(cloud, "lent", "s1") as client:
        client.put("box").raise_for_status()
        client.put("box/a", content=b"x").raise_for_status()
        client.post("", headers={"X-Account-Meta-Temp-URL-Key": "mine"}).raise_for_status()
        for name, key in (("Temp-URL-Key", "box-1"), ("Temp-URL-Key-2", "box-2")):
            client.post("box", headers={f"X-Container-Meta-{name}": key}).raise_for_status()
        read = client.head("").headers["x-account-meta-temp-url-key-2"]
    keys = ["mine", read, "box-1", "box-2"]
    await cloud.store.open_account("lent", "uuid", "s1")  # as at every start: what is the owner's own stays
    assert statuses(*(by_hand(cloud, "lent", key) for key in keys)) == [200] * 4
    await cloud.store.open_account("lent", "uuid", "s2")
    assert statuses(*(by_hand(cloud, "lent", key) for key in keys)) == [401] * 4
    assert statuses(url(cloud, await cloud.store.sign("lent", "GET", "box", "a", ttl_ms=60_000))) == [200]


async def test_a_closed_account_is_open_to_nobody_whatever_its_owner_had_granted(cloud: EmbeddedSwift) -> None:
    await cloud.store.open_account("closing", "uuid", "s1")
    with owned(cloud, "closing", "s1") as client:
        for name in ("box", "public", "shared"):
            client.put(name).raise_for_status()
            client.put(f"{name}/a", content=b"x").raise_for_status()
        grant = {"X-Account-Access-Control": '{"admin":["guest:guest"]}', "X-Account-Meta-Temp-URL-Key": "mine"}
        client.post("", headers=grant).raise_for_status()
        client.post("public", headers={"X-Container-Read": ".r:*"}).raise_for_status()
        shared = {"X-Container-Read": "guest:guest", "X-Container-Write": "guest:guest"}
        client.post("shared", headers=shared).raise_for_status()
        root = str(client.base_url).rstrip("/")
    signed = url(cloud, await cloud.store.sign("closing", "GET", "box", "a", ttl_ms=60_000))
    with owned(cloud, "guest", "secret-1") as other:
        assert statuses(signed, by_hand(cloud, "closing", "mine"), f"{root}/public/a") == [200] * 3
        assert [other.get(f"{root}/{name}").status_code for name in ("box/a", "shared/a")] == [200] * 2
        await cloud.store.close_account("closing")
        assert statuses(signed, by_hand(cloud, "closing", "mine"), f"{root}/public/a") == [401] * 3
        assert [other.get(f"{root}/{name}").status_code for name in ("", "box/a", "shared/a")] == [403] * 3
        assert other.put(f"{root}/shared/a", content=b"y").status_code == 403


async def test_what_is_private_is_readable_by_its_owner_only(cloud: EmbeddedSwift) -> None:
    folder = cloud._data
    for name in ("platform.key", "tempurl.key", "users.json", "shipper.json", "etc/swift.conf", "spool", "node"):
        path = folder / name
        assert path.stat().st_mode & 0o077 == 0, name


async def test_a_killed_child_is_started_again_at_the_same_address(cloud: EmbeddedSwift) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(cloud.run)
        for name in ("swift", "shipper"):
            pid = cloud.pids[name]
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            with anyio.fail_after(60):
                while cloud.pids[name] in (None, pid) or "ok" not in (await cloud.store.health())["swift"]:
                    await anyio.sleep(0.05)
        await cloud.store.subscribe("guest", Subscription(trigger="guest/s", container="again"))
        group.cancel_scope.cancel()


@pytest.mark.parametrize("name", ["swift", "shipper"])
async def test_a_child_that_cannot_be_started_is_told_of_and_tried_again(
    cloud: EmbeddedSwift, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    log, kept = cloud._data / f"{name}.log", cloud._data / f"{name}.log.kept"
    part = {"swift": "swift", "shipper": "swift events"}[name]
    pid = cloud.pids[name]
    assert pid is not None
    log.rename(kept)
    log.mkdir()  # so that opening it fails, as on a disk that is full
    async with anyio.create_task_group() as group:
        group.start_soon(cloud.run)
        os.kill(pid, signal.SIGKILL)
        with anyio.fail_after(60):
            while "Is a directory" not in (await cloud.health())[part]:
                await anyio.sleep(0.05)
        assert any(f"rambla_openstack.{cloud_module(name)} cannot be started" in text for text in caplog.messages)
        log.rmdir()
        kept.rename(log)
        with anyio.fail_after(60):
            while cloud.pids[name] is None or "Is a directory" in (await cloud.health())[part]:
                await anyio.sleep(0.05)
        group.cancel_scope.cancel()


def cloud_module(name: str) -> str:
    return {"swift": "embedded", "shipper": "shipper"}[name]


async def test_health_says_how_the_parts_are(cloud: EmbeddedSwift) -> None:
    health = await cloud.health()
    assert health["swift"].startswith("ok")
    assert "swift events" in health


async def test_events_reach_the_platform_once_it_says_where_it_is(cloud: EmbeddedSwift) -> None:
    with contextlib.closing(Sink()) as sink:
        await cloud.store.subscribe("guest", Subscription(trigger="guest/up", container="up"))
        put = await cloud.store.sign("guest", "PUT", "up", "a", ttl_ms=60_000)
        httpx.put(url(cloud, put), content=b"hello", trust_env=False).raise_for_status()
        cloud.set_platform_url(sink.url)
        with anyio.fail_after(60):
            while not sink.of("up"):
                await anyio.sleep(0.02)
        cloud.set_platform_url("http://127.0.0.1:1")
    assert sink.of("up")[0]["s3"]["object"]["key"] == "a"


async def test_a_swift_that_does_not_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t")
    embedded = open_embedded(tmp_path / "swift", "http://127.0.0.1:1", tmp_path / "token")
    (tmp_path / "swift" / "etc").write_text("a file where a folder must be")
    with pytest.raises(ObjectStoreFailed, match=r"FileExistsError|NotADirectoryError"):
        await embedded.start()
    health = await embedded.health()
    assert "does not answer" in health["swift"]
    await embedded.close()


async def test_without_swift_the_fix_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "swift", None)
    with pytest.raises(BadSettings, match=r"pip install 'rambla\[swift\]'"):
        open_embedded(tmp_path, "http://127.0.0.1:1", tmp_path / "token")
