"""What a journal does when the disk does not: full, broken, or the process is killed."""

import asyncio
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable
from pathlib import Path

import pytest

from rambla.kit.journal import Journal, JournalFailed

ALL = {"records_max": 1_000_000, "bytes_max": 1 << 40}

FILL = """
import asyncio, resource, sys
from pathlib import Path
from rambla.kit.journal import Journal, JournalFailed

async def main():
    journal = Journal.open(Path(sys.argv[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    kept = []
    for n in range(40):
        try:
            await journal.commit(b"%02d" % n + b"x" * 998)
            kept.append(n)
        except JournalFailed as error:
            assert "disk is full" in str(error), error
            assert journal.next_seq == journal.durable_seq == len(kept)
    assert 15 < len(kept) < 20, kept
    journal.append(b"too much" * 1000)
    try:
        await journal.sync()
        raise SystemExit("sync did not tell")
    except JournalFailed:
        pass
    await journal.commit(b"small")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert await journal.commit(b"room again") == len(kept) + 1
    assert len(journal.read(0, records_max=99, bytes_max=1 << 30)) == len(kept) + 2
    await journal.close()
    print(len(kept))

asyncio.run(main())
"""

COMMIT = """
import asyncio, sys
from pathlib import Path
from rambla.kit.journal import Journal

async def worker(journal, name):
    for n in range(1_000_000):
        seq = await journal.commit(b"%s-%d" % (name, n) + b"x" * (n % 500))
        print(seq, "%s-%d" % (name.decode(), n), flush=True)

async def main():
    journal = Journal.open(Path(sys.argv[1]), segment_bytes_max=20_000)
    async with asyncio.TaskGroup() as group:
        for name in (b"a", b"b", b"c", b"d"):
            group.create_task(worker(journal, name))

asyncio.run(main())
"""


async def failure(waiting: Awaitable[object]) -> str:
    """Why `waiting` failed."""
    with pytest.raises(JournalFailed) as caught:
        await waiting
    return str(caught.value)


async def test_a_full_disk_fails_the_batch_and_the_journal_goes_on_when_there_is_room(tmp_path: Path) -> None:
    child = subprocess.run([sys.executable, "-c", FILL, tmp_path], capture_output=True, text=True)
    assert child.returncode == 0, child.stderr
    journal = Journal.open(tmp_path)
    assert journal.recovered is None
    found = [payload for _, payload in journal.read(0, **ALL)]
    assert len(found) == int(child.stdout) + 2
    assert found[-2:] == [b"small", b"room again"]
    await journal.close()


async def test_a_real_full_filesystem_fails_commits_and_loses_nothing(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", tmp_path], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"needs the right to mount a tmpfs: {mounted.stderr.strip()}")
    try:
        journal = Journal.open(tmp_path / "journal", segment_bytes_max=30_000)
        kept: list[int] = []
        failed = 0
        for n in range(400):
            try:
                await journal.commit(b"%04d" % n + b"x" * 1000)
                kept.append(n)
            except JournalFailed:
                failed += 1
        assert failed > 0
        assert [int(payload[:4]) for _, payload in journal.read(0, **ALL)] == kept
        journal.drop_before(journal.durable_seq // 2)
        assert await journal.commit(b"room again") == len(kept)
        await journal.close()
        journal = Journal.open(tmp_path / "journal")
        assert journal.next_seq == len(kept) + 1
        await journal.close()
    finally:
        subprocess.run(["umount", tmp_path], check=True)


async def test_a_failed_fdatasync_is_final_and_tells_everyone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.open(tmp_path)
    await journal.commit(b"good")

    def broken(descriptor: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", broken)
    async with asyncio.TaskGroup() as group:
        told = [group.create_task(failure(journal.wait_durable(5)))]
        told += [group.create_task(failure(journal.commit(b"%d" % n))) for n in range(50)]
    assert {each.result() for each in told} == {"OSError: [Errno 5] Input/output error"}
    monkeypatch.undo()
    with pytest.raises(JournalFailed, match="Input/output error"):
        journal.append(b"later")
    with pytest.raises(JournalFailed, match="Input/output error"):
        await journal.sync()
    assert [payload for _, payload in journal.read(0, **ALL)] == [b"good"]
    await journal.close()
    journal = Journal.open(tmp_path)
    assert next(iter(journal.read(0, **ALL))) == (0, b"good")
    await journal.close()


async def test_short_writes_are_completed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda descriptor, content, offset: real(descriptor, content[:7], offset))
    journal = Journal.open(tmp_path)
    await journal.commit(b"a longer record than that")
    await journal.close()
    journal = Journal.open(tmp_path)
    assert journal.read(0, **ALL) == [(0, b"a longer record than that")]
    await journal.close()


@pytest.mark.parametrize("lines", [1, 200, 2000])
async def test_every_acknowledged_record_survives_a_killed_process(tmp_path: Path, lines: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", COMMIT, tmp_path], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    acknowledged = [child.stdout.readline() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    acknowledged += [line for line in child.stdout if line.endswith("\n")]
    child.wait()
    child.stdout.close()
    journal = Journal.open(tmp_path)
    found = dict(journal.read(0, **ALL))
    assert list(found) == list(range(journal.next_seq))
    for line in acknowledged:
        seq, name = line.split()
        assert found[int(seq)].rstrip(b"x") == name.encode()
    await journal.close()
