"""How do events get from Swift's outboxes to the platform?

An ordinary process beside Swift's proxy: reads what the filter wrote, asks Swift about changes whose end is not known,
posts events in batches, and deletes what is settled. At least once: whatever is not accepted or rejected by the
platform is sent again, for ever, with growing pauses. Its memory (`memory.json` in the spool) is saved before anything
is deleted. `python -m rambla_openstack.shipper --spool DIR --config FILE`; the file is read again when it changes.
"""

import argparse
import contextlib
import json
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rambla_openstack import outbox
from rambla_openstack.client import Failed
from rambla_openstack.pauses import PAUSE_FIRST_S, Pause
from rambla_openstack.pending import Found, Key, Open, Queue, verdict
from rambla_openstack.process import die_with_parent, keep_private
from rambla_openstack.waiting import Delivery
from rambla_openstack.wire import Intake, Receipt, Settings, Swift

READ_BYTES = 1024 * 1024
OPEN_MAX = 20_000
ASK_MAX = 64
STATUS_EVERY_S = 1.0
SAVE_EVERY_S = 0.5


def log(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} shipper: {text}\n")
    sys.stderr.flush()


@dataclass
class Counters:
    sent: int = 0
    rejected: int = 0
    damaged_bytes: int = 0
    last_error: str = ""


class Shipper:
    """`step` does a round of everything and says whether there may be more to do at once."""

    def __init__(self, spool: Path, config: Path, *, grace_s: float = 30.0) -> None:
        self._spool, self._config = spool, config
        self._config_stamp: tuple[int, ...] = ()
        self._settings: Settings | None = None
        self._queue = Queue(grace_s=grace_s)
        self._intake: Intake | None = None
        self._swift: Swift | None = None
        self._pauses = {"intake": Pause(), "swift": Pause()}
        self._counters = Counters()
        self._reasons: set[str] = set()
        self._status_at = 0.0
        self._is_saved = True
        self._saved_at = 0.0
        self._done_with: list[Path] = []
        self._load()

    def step(self) -> bool:
        now = time.monotonic()
        self._configure()
        is_busy = self._read(now)
        self._ask(now)
        is_busy |= self._send(now)
        if self._done_with or (not self._is_saved and now - self._saved_at >= SAVE_EVERY_S):
            self._save(now)
        if now - self._status_at >= STATUS_EVERY_S:
            self._status_at = now
            self._write_status(now)
        return is_busy

    def close(self) -> None:
        self._save(time.monotonic())
        self._write_status(time.monotonic())
        self._disconnect()

    # --- settings ---

    def _configure(self) -> None:
        """Read the configuration again if it has changed. A broken one leaves the last good one in force, loudly."""
        try:
            status = self._config.stat()
            stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
            if stamp == self._config_stamp:
                return
            self._config_stamp = stamp
            document = json.loads(self._config.read_text())
            settings = Settings.from_document(document, Path(document["token_file"]).read_text().strip())
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._fail(f"{self._config}: {error!r}; the settings before stay in force")
            return
        if settings != self._settings:
            self._settings = settings
            self._disconnect()
            self._intake = Intake(settings.intake_url, settings.token, settings.certificate)
            self._swift = Swift(settings)
            for pause in self._pauses.values():
                pause.succeed()

    def _disconnect(self) -> None:
        for client in (self._intake, self._swift):
            if client is not None:
                client.close()

    # --- reading ---

    def _read(self, now: float) -> bool:
        """Take in what the writers wrote, as far as there is room for it."""
        found = False
        for folder in outbox.writer_folders(self._spool):
            if self._queue.ready.is_full() or len(self._queue.open) >= OPEN_MAX:
                break
            is_alive = outbox.is_writer_alive(folder)  # before the reading: what a dead one wrote is all there
            found |= self._read_writer(folder, is_alive, now)
        return found

    def _read_writer(self, folder: Path, is_alive: bool, now: float) -> bool:
        paths = outbox.segments(folder)
        name, offset = self._queue.positions.get(folder.name, ("", 0))
        for index, path in enumerate(paths):
            if path.name < name:
                self._done_with.append(path)
                continue
            start = offset if path.name == name else 0
            is_finished = not is_alive or index < len(paths) - 1
            used, is_at_end = self._read_segment(path, start, is_finished, now)
            if used or path.name != name:
                self._queue.positions[folder.name] = (path.name, start + used)
                self._is_saved = False
            if not is_at_end:
                return True
        if not is_alive:
            self._end_writer(folder, now)
        return False

    def _read_segment(self, path: Path, start: int, is_finished: bool, now: float) -> tuple[int, bool]:
        """Bytes used up, and whether there is nothing more to read at present."""
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(READ_BYTES)
        is_at_end = len(data) < READ_BYTES
        records, used, damaged = outbox.decode_lines(data, finished=is_finished and is_at_end)
        if damaged:
            self._counters.damaged_bytes += damaged
            log(f"{path}: {damaged} damaged bytes left out near {start}")
        self._queue.take(path.parent.name, records, now)
        return used, is_at_end

    def _end_writer(self, folder: Path, now: float) -> None:
        """Everything is read and its writer is gone. The folder goes when the memory is saved and nothing is open."""
        self._queue.orphan(folder.name, now)
        if not self._queue.holds(folder.name):
            self._done_with.append(folder)

    # --- asking ---

    def _ask(self, now: float) -> None:
        pause = self._pauses["swift"]
        if self._swift is None or not pause.is_over(now):
            return
        for _, (key, entry) in zip(range(ASK_MAX), self._queue.due(now), strict=False):
            try:
                found = self._swift.find(entry.intent)
            except Failed as error:
                self._fail(str(error))
                self._queue.ask_later(key, now, PAUSE_FIRST_S)
                pause.fail(now)
                return
            pause.succeed()
            self._conclude(key, entry, found, now)
            self._is_saved = False

    def _conclude(self, key: Key, entry: Open, found: Found | None, now: float) -> None:
        mark = verdict(entry, found)
        if mark is not None:
            self._queue.deliver(key, mark)
        elif entry.mark is None:  # the writer lives and may still be at it
            self._queue.ask_later(key, now)
        else:
            self._queue.drop(key)

    # --- sending ---

    def _send(self, now: float) -> bool:
        """Post one batch. Whether there is more to send at once."""
        pause = self._pauses["intake"]
        if self._intake is None or not pause.is_over(now):
            return False
        chosen = self._queue.ready.batch(now)
        if not chosen:
            return False
        try:
            receipt = self._intake.post(chosen)
        except Failed as error:
            self._fail(str(error))
            self._config_stamp = ()  # the token's file may have changed
            if error.too_much:
                pause.succeed()  # it is there, and may take what others have
                self._queue.ready.refuse(chosen, now)
            pause.fail(now)
            return False
        pause.succeed()
        self._settle(chosen, receipt, now)
        return True

    def _settle(self, chosen: list[Delivery], receipt: Receipt, now: float) -> None:
        verdicts = receipt.verdicts
        self._queue.ready.names_triggers = receipt.names_triggers
        settled = self._queue.ready.settle(chosen, verdicts, now)
        self._is_saved = False
        accepted = sum(item.key in verdicts and not verdicts[item.key].reason for item in chosen)
        self._counters.sent += accepted
        self._counters.rejected += settled - accepted
        for item in chosen:
            if item.key in verdicts and verdicts[item.key].reason:
                self._log_rejection(item, verdicts[item.key].reason)
        left = sum(item.key not in verdicts for item in chosen)
        if left:
            self._fail(f"the platform said nothing of {left} of {len(chosen)} events")
        elif not self._queue.ready.is_stuck:
            self._counters.last_error = ""

    def _log_rejection(self, delivery: Delivery, reason: str) -> None:
        if reason not in self._reasons and len(self._reasons) < 1000:
            self._reasons.add(reason)
            log(f"rejected: {reason} (first {delivery.id} for {delivery.trigger}; not logged again)")

    def _fail(self, text: str) -> None:
        if text != self._counters.last_error:
            log(text)
        self._counters.last_error = text

    # --- memory ---

    def _save(self, now: float) -> None:
        """Save the memory; after that, and only then, delete what it no longer needs."""
        self._saved_at = now
        there = {folder.name for folder in outbox.writer_folders(self._spool)}
        self._queue.positions = {name: at for name, at in self._queue.positions.items() if name in there}
        try:
            outbox.replace_file(self._spool / "memory.json", json.dumps(self._queue.to_document()))
        except OSError as error:  # a full disk: deleting is what helps, but not before the memory is safe
            self._fail(f"memory not saved: {error}")
            return
        self._is_saved = True
        done, self._done_with = self._done_with, []
        for path in done:
            if path.is_dir():
                outbox.remove_writer(path)
            else:
                path.unlink(missing_ok=True)

    def _load(self) -> None:
        path = self._spool / "memory.json"
        try:
            self._queue.load(json.loads(path.read_text()), time.monotonic())
        except FileNotFoundError:
            return
        except ValueError as error:  # begin again with what the segments still hold: repeats, but no loss of these
            log(f"{path}: {error}; starting with the segments that are left")
            self._queue = Queue(grace_s=self._queue.grace_s)

    def _write_status(self, now: float) -> None:
        entries = self._queue.open.values()
        oldest = min((entry.intent.timestamp for entry in entries), default="")
        status = {
            "at_ms": time.time_ns() // 1_000_000,
            "waiting": len(self._queue.ready),
            "open": len(entries),
            "unread_bytes": self._unread_bytes(),
            "oldest_open_s": max(0.0, round(time.time() - float(oldest.partition("_")[0]), 3)) if oldest else 0.0,
            "oldest_waiting": min((str(item.event.get("time", "")) for item in self._queue.ready), default=""),
            "sent": self._counters.sent,
            "rejected": self._counters.rejected,
            "damaged_bytes": self._counters.damaged_bytes,
            "nonsense_records": self._queue.nonsense,
            "last_error": self._counters.last_error,
        }
        fresh = self._spool / ".status.json.new"
        with contextlib.suppress(OSError):  # for people only
            fresh.write_text(json.dumps(status))
            fresh.replace(self._spool / "status.json")

    def _unread_bytes(self) -> int:
        unread = 0
        for path, size in outbox.scan(self._spool):
            name, offset = self._queue.positions.get(path.parent.name, ("", 0))
            unread += 0 if path.name < name else size - (offset if path.name == name else 0)
        return unread


def run(shipper: Shipper, idle_s: float) -> None:
    """Until SIGTERM or SIGINT, which end it after the current step."""
    ending = False

    def end(*_: object) -> None:
        nonlocal ending
        ending = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    print("ready", flush=True)
    while not ending:
        if not shipper.step() and not ending:
            time.sleep(idle_s)
    shipper.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="rambla-swift-shipper", description=__doc__)
    parser.add_argument("--spool", type=Path, required=True, help="the filter's outbox folder")
    parser.add_argument(
        "--config", type=Path, required=True, help="JSON: intake_url, token_file, swift: url, user, key"
    )
    parser.add_argument("--grace-seconds", type=float, default=30.0, help="before Swift is asked about a slow request")
    parser.add_argument("--idle-seconds", type=float, default=0.02, help="pause when there is nothing to do")
    parser.add_argument("--parent-pid", type=int, help="end when this parent does")
    options = parser.parse_args()
    keep_private()
    die_with_parent(options.parent_pid)
    try:
        with outbox.only_reader(options.spool):
            run(Shipper(options.spool, options.config, grace_s=options.grace_seconds), options.idle_seconds)
    except BlockingIOError:
        raise SystemExit(f"another shipper already reads {options.spool}") from None


if __name__ == "__main__":
    main()
