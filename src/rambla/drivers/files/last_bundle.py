"""The bundle in force, as JSON in the data folder. (port: rambla.policy.ports.LastBundle)"""

from pathlib import Path
from threading import Lock

import msgspec

from rambla.domain.errors import StorageFailed
from rambla.kit.files import write_durably
from rambla.policy.bundle import Bundle
from rambla.policy.problems import Place, Problem, broken

NAME = "policy.last"
_decoder = msgspec.json.Decoder(Bundle)


class FileLastBundle:
    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._saving = Lock()

    def load(self) -> Bundle | None:
        try:
            return _decoder.decode(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageFailed(detail=f"{self._path}: {error.strerror}") from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise broken([Problem(Place(NAME), "it was changed", f"delete {NAME}: the store has it too")]) from error

    def save(self, bundle: Bundle) -> None:
        try:
            with self._saving:
                write_durably(self._path, msgspec.json.encode(bundle))
        except OSError as error:
            raise StorageFailed(detail=f"{self._path}: {error.strerror}") from error
