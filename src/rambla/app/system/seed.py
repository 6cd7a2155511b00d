"""Are the system's packages there, as this version of the platform brings them?

Asked at every start. What is missing is made, what an older version made is replaced, and everything else is left as
it is. The namespace they lie in belongs to the platform: its key is random, and nobody is ever told it.
"""

import logging
from importlib import resources
from typing import Any

import msgspec

from rambla.catalog.merge import API_KEY, KIND
from rambla.domain.entities import BUILTIN, Action, AnyEntity, Exec, Package
from rambla.domain.errors import NamespaceDeleted
from rambla.domain.names import SYSTEM_NAMESPACE, FullName
from rambla.flow.platform import Platform
from rambla.flow.tend import new_namespace

log = logging.getLogger(__name__)
PYTHON = "python:3"


class BroughtAction(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Either `code`, a file of Python beside this one, or `builtin`, a key of the platform's builtins."""

    annotations: dict[str, Any]
    code: str = ""
    builtin: str = ""


class BroughtPackage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What lies in one that is not `shared` is reached by the web only."""

    annotations: dict[str, Any]
    actions: dict[str, BroughtAction]
    shared: bool = True


class Catalog(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`version` is raised whenever anything in it, or in the code of its actions, changes."""

    version: str
    packages: dict[str, BroughtPackage]


async def seed(platform: Platform) -> None:
    """See that the system's packages are there. Raises StorageFailed."""
    if await platform.namespaces.get(SYSTEM_NAMESPACE) is None:
        namespace = new_namespace(SYSTEM_NAMESPACE, platform.clock.now_ms(), platform.limits)
        try:
            await platform.namespaces.put(namespace)
        except NamespaceDeleted:
            log.warning("namespace %s was deleted: the system's packages are missing", SYSTEM_NAMESPACE)
            return
    for entity in brought(catalog(), platform.clock.now_ms()):
        current = await platform.entities.get(entity.name)
        if current is None or _number(current.version) < _number(entity.version):
            await platform.entities.put(entity, expected_revision=current.revision if current else None)


def catalog() -> Catalog:
    return msgspec.json.decode(_read("catalog.json"), type=Catalog)


def brought(catalog: Catalog, now_ms: int) -> list[AnyEntity]:
    """All that the catalogue means, each package before what lies in it."""
    entities: list[AnyEntity] = []
    for package, content in catalog.packages.items():
        common: dict[str, Any] = {"version": catalog.version, "updated_ms": now_ms}
        name = FullName(SYSTEM_NAMESPACE, "", package)
        entities.append(Package(name=name, publish=content.shared, annotations=content.annotations, **common))
        for action, wish in content.actions.items():
            program = _program(wish)
            annotations = {API_KEY: False, **wish.annotations, KIND: program.kind}
            full = FullName(SYSTEM_NAMESPACE, package, action)
            entities.append(Action(name=full, exec=program, annotations=annotations, **common))
    return entities


def _program(wish: BroughtAction) -> Exec:
    if wish.builtin:
        return Exec(kind=BUILTIN, code=wish.builtin)
    return Exec(kind=PYTHON, code=_read(wish.code).decode())


def _read(path: str) -> bytes:
    return resources.files("rambla.app.system").joinpath(path).read_bytes()


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
