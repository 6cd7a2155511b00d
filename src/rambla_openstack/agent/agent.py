"""How do the daemons of a host come by a new policy, and the platform to know that they have?

`step` does a round: bring the daemons' files in line with the bundle on this host, report what changed, and wait for
the platform to have a newer one. What is verified is kept in the folder for the check inside daemons: the statement
first, then its bundle. When the platform is away, or says what nobody can believe, the last good bundle stays in force.
"""

import contextlib
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rambla_openstack.agent import files, status
from rambla_openstack.agent.daemon import CHECK_PREFIX, Daemon, Outcome
from rambla_openstack.agent.memory import NAME, Memory
from rambla_openstack.agent.platform import Platform
from rambla_openstack.agent.settings import Settings
from rambla_openstack.client import Failed
from rambla_openstack.pauses import Pause
from rambla_openstack.policy import pinned
from rambla_openstack.policy.pinned import Pinned
from rambla_openstack.policy.signed import Bundle, Statement, Untrusted, bundle_of, statement_of

BUNDLE, STATEMENT = "bundle.json", "newest.json"
AWAY_S = 8
"""A host that was cut off has the newest policy about this long after it is back, at most."""
WORKERS = 4


def log(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} agent: {text}\n")
    sys.stderr.flush()


class Agent:
    """`step` is called by one thread at a time. Its folder is the one that `policy.conf` names, and is its own."""

    def __init__(self, settings: Settings) -> None:
        """Raises OSError or ValueError if `policy.conf` or a certificate cannot be read."""
        self._settings = settings
        self._pinned = _pinned(settings)
        self._folder = self._pinned.folder
        self._memory = Memory(self._folder / NAME)
        self._daemons = [Daemon(each, self._memory, self._folder) for each in settings.daemons]
        self._workers = ThreadPoolExecutor(WORKERS)
        self._platform = Platform(settings)
        self._following, self._reporting = Pause(AWAY_S), Pause(AWAY_S)
        self._bundle: Bundle | None = None
        self._data = b""
        self._problem = self._refusal = self._misread = ""
        self._documents: list[dict[str, Any]] = []
        self._reported: list[dict[str, Any]] = []
        self._report_at = 0.0
        self._load()

    def step(self) -> float:
        """For how many seconds there is nothing to do."""
        self._configure()
        documents = list(self._workers.map(self._settled, self._daemons))
        self._note(documents)
        self._report(documents)
        if not self._following.is_over(time.monotonic()):
            return min(self._settings.watch_s, self._following.left_s(time.monotonic()))
        self._follow()
        return 0.0

    def close(self) -> None:
        self._workers.shutdown()
        self._platform.close()

    # --- the bundle ---

    def _load(self) -> None:
        """The bundle that was here before."""
        self._folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        for left in self._folder.glob(f"{CHECK_PREFIX}*"):
            shutil.rmtree(left, ignore_errors=True)
        try:
            data = files.read(self._folder / BUNDLE)
            if data is not None:
                bundle = bundle_of(data, self._pinned.keys)
                if bundle.number < self._memory.highest:
                    raise Untrusted(f"it is bundle {bundle.number}, and bundle {self._memory.highest} was here already")
                self._bundle, self._data = bundle, data
        except (OSError, Untrusted) as error:
            self._tell(f"{BUNDLE}: {error}; it is fetched again")

    def _configure(self) -> None:
        """A key that was added opens what was refused before, so it is tried at once."""
        try:
            fresh = _pinned(self._settings)
        except (OSError, ValueError) as error:
            self._misread = f"{self._settings.policy_conf}: {error}; the keys before stay trusted"
            self._tell(self._misread)
            return
        if fresh.keys != self._pinned.keys:
            self._following.succeed()
        self._pinned, self._misread = fresh, ""

    def _follow(self) -> None:
        """Wait for news, and take it over."""
        known = self._bundle.number if self._bundle else 0
        try:
            data = self._platform.newest(known, self._settings.watch_s)
            statement = statement_of(data, self._pinned.keys)
            self._take(statement, data)
        except (Failed, OSError) as error:
            self._fail(str(error))
        except Untrusted as error:
            self._refusal = f"what the platform says is not believed: {error}"
            self._fail(self._refusal)
        else:
            self._following.succeed()
            self._refusal = ""
            self._tell(self._misread)

    def _take(self, statement: Statement, data: bytes) -> None:
        """Raises Failed, Untrusted or OSError, after which everything is as it was."""
        floor = max(self._memory.highest, self._bundle.number if self._bundle else 0)
        if statement.number < floor:
            raise Untrusted(f"it is at bundle {statement.number}, and bundle {floor} was here already")
        if statement.number == 0:
            return
        if self._bundle is None or self._bundle.number < statement.number:
            self._fetch(statement, data)
        elif not statement.names(self._bundle):
            raise Untrusted(f"it has another bundle {statement.number} than the one that was here before")
        else:
            files.put(self._folder / STATEMENT, data)
            self._restore()

    def _fetch(self, statement: Statement, data: bytes) -> None:
        fetched = self._platform.bundle(statement.number)
        bundle = bundle_of(fetched, self._pinned.keys)
        if not statement.names(bundle):
            raise Untrusted(f"it has another bundle {statement.number} than it said")
        files.put(self._folder / STATEMENT, data)
        files.put(self._folder / BUNDLE, fetched)
        self._bundle, self._data = bundle, fetched
        self._memory.highest = bundle.number
        self._memory.save()
        log(f"bundle {bundle.number} is here")

    def _restore(self) -> None:
        """A local change of the bundle is put right, and told."""
        if files.read(self._folder / BUNDLE) != self._data:
            files.put(self._folder / BUNDLE, self._data)
            log(f"{BUNDLE} was changed here, and put right")

    # --- the daemons ---

    def _outcome(self, daemon: Daemon) -> Outcome:
        if self._bundle is None:
            return Outcome("failed", self._problem or "no policy is here yet")
        outcome = daemon.settle(self._bundle)
        return Outcome("refused", self._refusal) if self._refusal and outcome.state == "in-force" else outcome

    def _settled(self, daemon: Daemon) -> dict[str, Any]:
        """What is reported of it. Several at once, as a validator takes seconds."""
        outcome, settings, applied = self._outcome(daemon), daemon.settings, daemon.applied
        return {
            "daemon": settings.name,
            "service": settings.service,
            "mode": settings.mode,
            "number": applied.number,
            "hash": applied.hash,
            "state": outcome.state,
            "detail": outcome.detail,
        }

    # --- telling ---

    def _report(self, documents: list[dict[str, Any]]) -> None:
        now = time.monotonic()
        if not self._reporting.is_over(now) or (documents == self._reported and now < self._report_at):
            return
        try:
            self._platform.report({"host": self._settings.host, "daemons": documents})
        except Failed as error:
            if self._reporting.is_well:
                log(f"not reported: {error}")
            self._reporting.fail(now)
            return
        self._reporting.succeed()
        self._reported, self._report_at = documents, now + self._settings.heartbeat_s

    def _note(self, documents: list[dict[str, Any]]) -> None:
        """For people: what changed in the log, and how things are in a file."""
        for document in documents:
            if document not in self._documents:
                log("{daemon}: bundle {number} {state} {detail}".format(**document).rstrip())
        self._documents = documents
        with contextlib.suppress(OSError):
            status.write(self._folder, self._problem, documents)

    def _fail(self, problem: str) -> None:
        self._following.fail(time.monotonic())
        self._tell(problem)

    def _tell(self, problem: str) -> None:
        if problem != self._problem:
            log(problem or "all is well again")
        self._problem = problem


def _pinned(settings: Settings) -> Pinned:
    return pinned.read(Path(settings.policy_conf).read_text())
