"""What lies in the data folder, and who may open it?

One process at a time; the folder is its owner's alone. Secrets are files of mode 0600, made once with a random value.
"""

import fcntl
import os
import secrets
from pathlib import Path
from types import TracebackType

from rambla.domain.entities import Namespace
from rambla.domain.errors import BadSettings, DataFolderInUse
from rambla.kit.files import write_durably

FIRST_NAMESPACE = "guest"
_OTHERS_WRITE = 0o002


class DataFolder:
    """A lock on `path`, released when the process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Make the folder if absent, lock it, and close it to others. Raises DataFolderInUse or BadSettings."""
        self.path = path.absolute()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.stat().st_mode & _OTHERS_WRITE:
            raise BadSettings(name="data", detail=f"everybody may write to {self.path}. Fix: name a folder of its own")
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid = os.pread(self._lock, 20, 0).decode() or "unknown"
            os.close(self._lock)
            raise DataFolderInUse(folder=self.path, pid=pid) from error
        self.path.chmod(0o700)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)

    def __enter__(self) -> "DataFolder":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._lock)

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def swift(self) -> Path:
        return self.path / "swift"

    @property
    def containers(self) -> Path:
        """There while containers may be."""
        return self.path / "containers"

    @property
    def events_token(self) -> Path:
        return self.path / "events.token"

    @property
    def certificate(self) -> Path:
        """There while the platform serves https."""
        return self.path / "endpoint.pem"

    def secret(self, name: str) -> str:
        """The token kept in the file `name`, made at first use."""
        path = self.path / name
        if not path.exists():
            write_durably(path, f"{secrets.token_hex(32)}\n".encode())
        return path.read_text().strip()

    def write_endpoint(self, url: str) -> None:
        """Tell the command line where the server answers."""
        write_durably(self.path / "endpoint", f"{url}\n".encode())

    def write_certificate(self, text: str) -> None:
        """Tell the command line by which certificate it knows the server."""
        write_durably(self.certificate, text.encode())

    def remove_endpoint(self) -> None:
        for path in (self.path / "endpoint", self.certificate):
            path.unlink(missing_ok=True)

    def write_wskprops(self, url: str, namespace: Namespace) -> None:
        """What `wsk` and `rambla` read to reach `namespace` without being told more."""
        lines = f"APIHOST={url}\nAUTH={namespace.key}\nNAMESPACE={namespace.name}\n"
        write_durably(self.path / "wskprops", lines.encode())
