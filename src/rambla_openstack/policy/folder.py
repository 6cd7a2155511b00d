"""Which policy is in force in this process, and how old is it?

Follows the files that the agent writes: looks at them when a decision is wanted and `reload_s` have passed since the
last look, verifies what is new, compiles what this process has been asked for, and takes it over in one step. What is
broken, forged, older or gone leaves the last good policy in force, and is logged once. Decisions are made by any thread
at once; two that find something new do the same work twice. The lock is for the step of taking over alone.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import ref

from oslo_policy import policy

from rambla_openstack.policy import pinned
from rambla_openstack.policy.pinned import Pinned
from rambla_openstack.policy.rules import ServiceRules
from rambla_openstack.policy.services import ServiceFiles, files_of
from rambla_openstack.policy.signed import (
    BUNDLE_BYTES_MAX,
    STATEMENT_BYTES_MAX,
    Bundle,
    Statement,
    Untrusted,
    bundle_of,
    statement_of,
)

BUNDLE = "bundle.json"
STATEMENT = "newest.json"
CONFIG_BYTES_MAX = 64 * 1024
LOG = logging.getLogger(__name__)
_Stamp = tuple[int, int, int]
_Asked = tuple[str, "ref[Any]"]
_Compiled = tuple[ServiceFiles, ServiceRules]


class InForce:
    """A bundle, and what it says to the services that were asked for, by the Enforcer that asked."""

    def __init__(self, bundle: Bundle, before: "InForce | None" = None) -> None:
        """Compiles what was asked of the bundle `before`. Raises as reading does."""
        self.bundle = bundle
        self._known: dict[_Asked, _Compiled | None] = {}
        for (service, asking), old in (before._known if before else {}).items():
            if (enforcer := asking()) is not None:
                self._known[service, asking] = _compiled(files_of(bundle, service), enforcer, old)

    def of(self, service: str, enforcer: policy.Enforcer) -> ServiceRules | None:
        """Compiled when first asked for. None: the bundle says nothing to this service. Raises as reading does."""
        asked, known = (service, ref(enforcer)), self._known
        if asked not in known:
            found = _compiled(files_of(self.bundle, service), enforcer)
            known = self._known = {**known, asked: found}  # another one, as somebody may be reading that before
        compiled = known[asked]
        return compiled[1] if compiled else None


def _compiled(files: ServiceFiles | None, enforcer: policy.Enforcer, old: _Compiled | None = None) -> _Compiled | None:
    """`old`, if its files are the same."""
    if files is None:
        return None
    return old if old and old[0] == files else (files, ServiceRules(files, enforcer))


class PolicyFolder:
    """`config` is read like the folder's files: again when it changes, and a broken one changes nothing."""

    def __init__(
        self,
        config: Path,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._wall, self._monotonic = wall, monotonic
        self._pinned: Pinned | None = None
        self._in_force: InForce | None = None
        self._statement: Statement | None = None
        self._stamps: dict[Path, _Stamp] = {}
        self._look_at = float("-inf")
        self._told: dict[str, str] = {}
        self._lock = threading.Lock()

    def rules(self, service: str, enforcer: policy.Enforcer) -> ServiceRules | None:
        """What decides for this service now. None, and the log says why: nothing may be allowed."""
        now = self._monotonic()
        if now >= self._look_at:
            self._look(now)
        in_force = self._in_force
        if in_force is None or self._is_too_old():
            return None
        try:
            found = in_force.of(service, enforcer)
        except Exception as error:  # whatever oslo.policy raises for files that it cannot read
            self._tell(service, f"bundle {in_force.bundle.number} has no policy of {service} that can be read: {error}")
            return None
        self._tell(service, "" if found else f"bundle {in_force.bundle.number} says nothing to {service}")
        return found

    def age_s(self) -> float | None:
        """Since the platform last said that this policy is the newest, as it did when it published it."""
        return self._wall() - self._statement.at_ms / 1000 if self._statement else None

    def renew_lock(self) -> None:
        """After a fork: a child must not wait for a thread that only its parent has."""
        self._lock = threading.Lock()

    def _is_too_old(self) -> bool:
        max_age_s = self._pinned.max_age_s if self._pinned else 0
        if not max_age_s:
            return False
        age_s = self.age_s()
        is_too_old = age_s is None or age_s > max_age_s
        self._tell("age", f"nothing is allowed: there was no news for more than {max_age_s:g} s" if is_too_old else "")
        return is_too_old

    def _look(self, now: float) -> None:
        """Nobody else looks meanwhile, except where nothing is in force and everybody needs it."""
        self._look_at = now + (self._pinned.reload_s if self._pinned and self._in_force else 0)
        is_new = self._try(self._config, CONFIG_BYTES_MAX, self._configure)
        if self._pinned is not None:
            is_new |= self._try(self._pinned.folder / BUNDLE, BUNDLE_BYTES_MAX, self._take_bundle, always=is_new)
            self._try(self._pinned.folder / STATEMENT, STATEMENT_BYTES_MAX, self._take_statement, always=is_new)
            self._look_at = now + self._pinned.reload_s

    def _try(self, path: Path, bytes_max: int, take: Callable[[bytes], None], *, always: bool = False) -> bool:
        """Read a file if it has changed, or `always`. Whether something was taken from it."""
        try:
            stamp = _stamp(path)
            if stamp == self._stamps.get(path) and not always:
                return False
            self._stamps[path] = stamp
            with path.open("rb") as file:
                take(file.read(bytes_max + 1))
        except Exception as error:  # as above; and a daemon goes on with what it has, whatever is wrong with a file
            self._tell(str(path), f"{path}: {error}; what was read before stays in force")
            return False
        self._tell(str(path), "")
        return True

    def _configure(self, data: bytes) -> None:
        self._pinned = pinned.read(data.decode())

    def _take_bundle(self, data: bytes) -> None:
        assert self._pinned is not None
        fresh = InForce(bundle_of(data, self._pinned.keys), self._in_force)
        with self._lock:
            self._take_over(fresh)

    def _take_over(self, fresh: InForce) -> None:
        now = self._in_force.bundle if self._in_force else None
        if now and fresh.bundle.number < now.number:
            raise Untrusted(f"it is bundle {fresh.bundle.number}, and bundle {now.number} was here already")
        if now and fresh.bundle.number == now.number:
            if fresh.bundle.hash != now.hash:
                raise Untrusted(f"it is another bundle {now.number} than the one that was here before")
            return
        self._in_force = fresh
        self._statement = Statement(fresh.bundle.number, fresh.bundle.hash, fresh.bundle.at_ms)
        LOG.info("rambla: bundle %d is in force", fresh.bundle.number)

    def _take_statement(self, data: bytes) -> None:
        """One that names another bundle says nothing of the age of this one; an older one says nothing new."""
        assert self._pinned is not None
        statement, in_force = statement_of(data, self._pinned.keys), self._in_force
        if in_force is None or not statement.names(in_force.bundle):
            return
        if self._statement is None or statement.at_ms > self._statement.at_ms:
            self._statement = statement
            LOG.debug("rambla: bundle %d was the newest %.1f s ago", statement.number, self.age_s())

    def _tell(self, what: str, problem: str) -> None:
        """Log a problem once, and that it is over."""
        if problem != self._told.get(what, ""):
            LOG.error("rambla: %s", problem) if problem else LOG.info("rambla: %s: it is well again", what)
            self._told[what] = problem


def _stamp(path: Path) -> _Stamp:
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size


CURRENT = PolicyFolder(pinned.path())
os.register_at_fork(after_in_child=CURRENT.renew_lock)
