"""People whom the platform keeps itself keep the port's promises, and their passwords those of argon2."""

import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

import anyio
import pyotp
import pytest
from msgspec.structs import replace

from rambla.domain.errors import AlreadyExists, BadCredentials, BadRequest, BadSettings, NotFound
from rambla.domain.proofs import Password, Proof
from rambla.drivers.local.source import LocalSource, open_source
from rambla.drivers.memory.identity import MemoryUserStore
from rambla.drivers.sql.users import SqlUserStore
from rambla.identity.ports import Keeper, UserStore
from rambla.kit.clock import ManualClock
from rambla.testing.identity_source import QuietSourceSuite

pytestmark = pytest.mark.anyio
WORD = "correct horse battery"
CHEAP = {"memory_kib": 64, "passes": 1, "lanes": 1}
STEP_MS = 30_000


class LocalStage:
    user = "ada"
    proofs: Sequence[Proof] = (Password(user="ada", password=WORD),)
    wrong: Sequence[Proof] = (
        Password(user="ada", password="wrong word of ada"),
        Password(user="nobody", password=WORD),
        Password(user="Ada", password=WORD),
        Password(user="off", password=WORD),
        Password(user="late", password=WORD),
        Password(user="twice", password=WORD),
        Password(user="twice", password=WORD, code="000000"),
        Password(user="ada", password=WORD, code="123456"),
    )
    secrets = (WORD, "wrong word of ada")

    def __init__(self, store: UserStore, folder: Path) -> None:
        self.store = store
        self.clock = ManualClock()
        self.key_file = folder / "identity.key"
        self.source = self.open()

    def open(self, **changes: Any) -> LocalSource:
        given = {"key_file": str(self.key_file), **CHEAP, **changes}
        return open_source("local", given, SimpleNamespace(users=self.store), self.clock)

    async def fill(self) -> None:
        await self.source.create("ada", WORD, ("staff",), None)
        for user in ("off", "twice"):
            await self.source.create(user, WORD, (), None)
        await self.source.create("late", WORD, (), self.clock.now_ms())
        await self.source.enable("off", enabled=False)
        self.totp = pyotp.parse_uri(await self.source.enrol("twice"))

    def code(self) -> str:
        return self.totp.at(self.clock.now_ms() // 1000)

    async def knows(self, user: str = "ada", password: str = WORD, code: str = "", **opened: Any) -> str:
        """By which method; "" if it is nobody."""
        source = self.open(**opened) if opened else self.source
        try:
            return (await source.prove(Password(user=user, password=password, code=code))).method
        except BadCredentials:
            return ""


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
async def stage(request: pytest.FixtureRequest, open_fresh, tmp_path: Path) -> AsyncIterator[LocalStage]:
    kind = request.param
    stage = LocalStage(
        MemoryUserStore() if kind == "memory" else SqlUserStore(await open_fresh(kind, "catalog")), tmp_path
    )
    await stage.fill()
    yield stage
    await stage.source.close()


class TestLocalSource(QuietSourceSuite):
    pass


async def test_a_code_is_good_once_and_for_a_minute_and_a_half(stage: LocalStage) -> None:
    code = stage.code()
    assert [await stage.knows("twice", code=code) for _ in range(2)] == ["password+totp", ""]
    stage.clock.advance(STEP_MS)
    assert await stage.knows("twice", code=code) == ""
    late = stage.code()
    stage.clock.advance(STEP_MS)
    assert await stage.knows("twice", code=late) == "password+totp"
    old = stage.code()
    stage.clock.advance(2 * STEP_MS)
    assert await stage.knows("twice", code=old) == ""
    assert await stage.knows("twice", code=stage.code()) == "password+totp"
    await stage.source.release("twice")
    assert await stage.knows("twice") == "password"


async def test_of_many_with_one_code_at_once_one_comes_in_whatever_the_node(stage: LocalStage) -> None:
    code, found = stage.code(), list[str]()

    async def come(source: LocalSource) -> None:
        try:
            found.append((await source.prove(Password(user="twice", password=WORD, code=code))).method)
        except BadCredentials:
            found.append("")

    async with anyio.create_task_group() as group:
        for source in (stage.source, stage.open()) * 5:
            group.start_soon(come, source)
    assert sorted(found) == [""] * 9 + ["password+totp"]


@pytest.mark.parametrize(
    "code",
    ["", "0", "12345", "1234567", "abcdef", "\uff11\uff12\uff13\uff14\uff15\uff16", "\ud800", "12345\n", "-12345"],
)
async def test_what_is_no_code_is_refused(stage: LocalStage, code: str) -> None:
    assert await stage.knows("twice", code=code) == ""


async def test_the_database_alone_holds_neither_password_nor_second_factor(stage: LocalStage) -> None:
    for user in await stage.store.of("local"):
        assert user.hash.startswith("$argon2id$v=19$m=64,t=1,p=1$")
        assert stage.totp.secret.encode() not in user.totp
        assert user.hash not in repr(user)
    assert stage.key_file.stat().st_mode & 0o777 == 0o600
    stage.key_file.write_text("0" * 64)
    assert await stage.knows("twice", code=stage.code(), passes=1) == ""
    twice = await stage.store.get("local", "twice")
    assert twice is not None
    await stage.store.change("local", "ada", lambda ada: ada and replace(ada, totp=twice.totp))
    assert await stage.knows("ada", code=stage.code()) == ""  # sealed for another


async def test_other_costs_have_hashes_made_anew_as_people_come(stage: LocalStage) -> None:
    assert await stage.knows(passes=2) == "password"
    user = await stage.store.get("local", "ada")
    assert user is not None
    assert "t=2" in user.hash
    assert await stage.knows() == "password"


async def test_a_password_is_the_same_however_its_letters_are_composed(stage: LocalStage) -> None:
    await stage.source.set_password("ada", "Caf\u00e9 au lait, s'il vous pla\u00eet")
    assert await stage.knows(password="Cafe\u0301 au lait, s'il vous plai\u0302t") == "password"


async def test_users_are_kept_as_they_are_told_to_be(stage: LocalStage) -> None:
    source = stage.source
    assert isinstance(source, Keeper)
    with pytest.raises(AlreadyExists):
        await source.create("ada", WORD, (), None)
    await source.set_password("ada", "another long word")
    assert (await stage.knows(), await stage.knows(password="another long word")) == ("", "password")
    await source.enable("off", enabled=True)
    assert await stage.knows("off") == "password"
    await source.delete("ada")
    assert await stage.knows(password="another long word") == ""
    assert [user.user for user in await source.users()] == ["late", "off", "twice"]
    for refused in (source.delete, source.enrol, source.release):
        with pytest.raises(NotFound):
            await refused("ada")
    with pytest.raises(NotFound):
        await source.set_password("ada", WORD)


@pytest.mark.parametrize("user", ["", "Ada", "a b", "ada\n", "a/b", "../x", "é", "x" * 129, ".x", "\0"])
async def test_a_name_that_could_be_mistaken_is_no_users(stage: LocalStage, user: str) -> None:
    with pytest.raises(BadRequest):
        await stage.source.create(user, WORD, (), None)


@pytest.mark.parametrize("password", ["", "short", "x" * 11, "x" * 1025, "A-long-user-name"])
async def test_a_password_that_is_none_is_refused_without_repeating_it(stage: LocalStage, password: str) -> None:
    with pytest.raises(BadRequest) as caught:
        await stage.source.create("a-long-user-name", password, (), None)
    assert not password or password not in str(caught.value)


async def test_a_wrong_key_file_is_told_at_the_start(stage: LocalStage) -> None:
    stage.key_file.write_text("no key")
    with pytest.raises(BadSettings) as caught:
        stage.open()
    assert caught.value.facts["name"] == "identity.local.key_file"


async def test_an_unknown_user_costs_as_much_work_as_a_wrong_password(tmp_path: Path) -> None:
    """Told by what the processor did, of which a busy machine takes nothing away."""
    stage = LocalStage(MemoryUserStore(), tmp_path)
    stage.source = stage.open(memory_kib=8192, passes=2)
    await stage.fill()
    wrong = {"wrong": "ada", "unknown": "nobody", "disabled": "off", "expired": "late"}
    spent: dict[str, list[float]] = {name: [] for name in wrong}
    for _ in range(15):
        for name, user in wrong.items():
            began = time.process_time()
            assert await stage.knows(user, "some wrong password") == ""
            spent[name].append(time.process_time() - began)
    known = median(spent.pop("wrong"))
    assert all(0.5 < median(each) / known < 2 for each in spent.values()), spent
