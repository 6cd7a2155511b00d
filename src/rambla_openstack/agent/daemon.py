"""How does one daemon come by the policy of a bundle?

Its files are compared with what they must be; what differs is shown to the validator first, then written, and the
daemon is told if it must be. Files of the policy directory go only if the agent wrote them. What somebody changed here
is put right and told.
"""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from rambla_openstack.agent import files
from rambla_openstack.agent.memory import Memory
from rambla_openstack.agent.settings import DaemonSettings
from rambla_openstack.agent.wanted import Wanted, wanted
from rambla_openstack.policy.services import files_of
from rambla_openstack.policy.signed import Bundle, Untrusted

State = Literal["in-force", "refused", "failed"]
COMMAND_S = 60
REFUSED_S = 60
DETAIL_CHARS_MAX = 500
DETAIL_LINES_MAX = 5
CHECK_PREFIX = ".check-"


class Refused(ValueError):
    """The validator takes these files for wrong. The text is what it said."""


@dataclass(frozen=True, slots=True)
class Outcome:
    state: State
    detail: str = ""


class Daemon:
    """`settle` may be called at any time and as often as one likes. `folder` has room for what a validator reads."""

    def __init__(self, settings: DaemonSettings, memory: Memory, folder: Path) -> None:
        self.settings = settings
        self.applied = memory.of(settings.name)
        self._memory, self._folder = memory, folder
        self._refused: tuple[str, float, Outcome] | None = None
        self._told: tuple[int, str] = (0, "")
        for each in filter(None, (settings.policy_file.parent, settings.policy_dir)):
            files.clear(each)

    def settle(self, bundle: Bundle) -> Outcome:
        """Make the daemon's files equal to the bundle's; what came of it."""
        try:
            found = files_of(bundle, self.settings.service)
            if found is None:
                raise Untrusted(f"bundle {bundle.number} says nothing to {self.settings.service}")
            outcome = self._settle(bundle, wanted(found, self.settings))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return Outcome("failed", _short(str(error)))
        return outcome

    def _settle(self, bundle: Bundle, want: Wanted) -> Outcome:
        if self._refused and self._refused[0] == want.digest and time.monotonic() < self._refused[1]:
            return self._refused[2]
        applied, changed = self.applied, self._changed(want)
        try:
            if changed and want.digest != applied.digest:
                self._validate(want)
        except Refused as refused:
            outcome = Outcome("refused", _short(str(refused)))
            self._refused = want.digest, time.monotonic() + REFUSED_S, outcome
            return outcome
        self._refused = None
        if changed and want.digest == applied.digest:
            moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            self._told = bundle.number, f"{', '.join(changed)} was changed here, and put right at {moment}"
        if changed or want.digest != applied.digest:
            self._write(want, changed)
            self._run(self.settings.reload, {})
        if (want.digest, bundle.number, bundle.hash) != (applied.digest, applied.number, applied.hash):
            applied.digest, applied.number, applied.hash = want.digest, bundle.number, bundle.hash
            self._memory.save()
        return Outcome("in-force", "; ".join(filter(None, (self._told_of(bundle), self._strangers(want)))))

    def _changed(self, want: Wanted) -> list[str]:
        """The names of files that are not as they must be."""
        directory = self.settings.policy_dir
        if want.directory and directory is None:
            raise ValueError("the bundle has files for policy_dir, which is not set for this daemon")
        found = [] if files.read(self.settings.policy_file) == want.policy else [self.settings.policy_file.name]
        if directory is not None:
            found += [name for name, text in want.directory.items() if files.read(directory / name) != text]
            found += [name for name in self._gone(want) if (directory / name).exists()]
        return found

    def _gone(self, want: Wanted) -> list[str]:
        return [name for name in self.applied.written if name not in want.directory]

    def _validate(self, want: Wanted) -> None:
        """Raises Refused."""
        if not self.settings.validator:
            return
        with TemporaryDirectory(prefix=CHECK_PREFIX, dir=self._folder) as name:
            folder = Path(name) / "policy.d"
            folder.mkdir()
            file = Path(name) / "policy.yaml"
            file.write_bytes(want.policy)
            for each, text in want.directory.items():
                (folder / each).write_bytes(text)
            self._run(self.settings.validator, {"{file}": str(file), "{dir}": str(folder)})

    def _write(self, want: Wanted, changed: list[str]) -> None:
        """The directory first: that the policy file is new makes oslo.policy read both again."""
        applied, directory = self.applied, self.settings.policy_dir
        gone = self._gone(want)
        applied.digest, applied.written = "", sorted({*applied.written, *want.directory})
        self._memory.save()
        if directory is not None and (gone or want.directory):
            directory.mkdir(mode=0o755, exist_ok=True)
            for name, text in want.directory.items():
                if name in changed:
                    files.put(directory / name, text)
            for name in gone:
                (directory / name).unlink(missing_ok=True)
            applied.time_ns = files.touch(directory, applied.time_ns)
            applied.written = sorted(want.directory)
        if self.settings.policy_file.name in changed:
            mode = 0o640 if self.settings.mode == "ask" else 0o644  # the address may hold a secret
            applied.time_ns = files.put(self.settings.policy_file, want.policy, mode=mode, after_ns=applied.time_ns)

    def _run(self, command: tuple[str, ...], words: dict[str, str]) -> None:
        """Raises Refused, OSError or SubprocessError."""
        if not command:
            return
        filled = []
        for part in command:
            for word, value in words.items():
                part = part.replace(word, value)
            filled.append(part)
        done = subprocess.run(
            filled,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=COMMAND_S,
            check=False,
            text=True,
            errors="replace",
        )
        if done.returncode:
            raise Refused(_told(done.stdout, done.stderr) or f"{command[0]} ended with {done.returncode}")

    def _told_of(self, bundle: Bundle) -> str:
        return self._told[1] if self._told[0] == bundle.number else ""

    def _strangers(self, want: Wanted) -> str:
        """Files that oslo.policy reads and nobody published: they are somebody's, and overrule what was."""
        directory = self.settings.policy_dir
        if directory is None or not directory.is_dir():
            return ""
        names = sorted(path.name for path in directory.iterdir() if not path.name.startswith("."))
        found = [name for name in names if name not in want.directory]
        return f"{directory.name} has what no bundle has: {', '.join(found)}" if found else ""


def _told(said: str, complained: str) -> str:
    """What a program said, or else how its complaint ended: a traceback's last line is the one that says why."""
    return said if said.strip() else "\n".join(complained.splitlines()[-DETAIL_LINES_MAX:])


def _short(text: str) -> str:
    """The first lines."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[:DETAIL_LINES_MAX])[:DETAIL_CHARS_MAX]
