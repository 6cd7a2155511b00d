"""Which names may things bear?

The rules are OpenWhisk's (core/entity/EntityName.scala): up to 256 word characters, spaces inside, `@ . & -`. A full
name is `namespace/[package/]name`; `_` stands for the caller's own namespace.
"""

import re

import msgspec

from rambla.domain.errors import BadRequest

NAME_CHARS_MAX = 256
DEFAULT_NAMESPACE = "_"
DEFAULT_PACKAGE = "default"
ACCOUNT_PREFIX = "AUTH_"
"""What Swift puts before a namespace to make its account. One that began so would pass for another's account."""
SYSTEM_NAMESPACE = "whisk.system"
"""The platform's own, with the packages that it brings along."""
NAME_PATTERN = "([A-Za-z0-9_]|[A-Za-z0-9_][A-Za-z0-9_@ .&-]{0,254}[A-Za-z0-9_@.&-])"
_NAME = re.compile(rf"\A{NAME_PATTERN}\Z")


class FullName(msgspec.Struct, frozen=True, order=True):
    """An entity's whole name. `package` is "" for an entity that lies directly in its namespace."""

    namespace: str
    package: str
    name: str

    @property
    def path(self) -> str:
        """`namespace` or `namespace/package`: what OpenWhisk calls an entity's namespace or path."""
        return f"{self.namespace}/{self.package}" if self.package else self.namespace

    def __str__(self) -> str:
        return f"{self.path}/{self.name}"


NOT_QUALIFIED = "The fully qualified name of the entity must contain at least the namespace and the name of the entity."


def check_name(name: str, what: str = "entity") -> str:
    """`name` itself, or BadRequest with OpenWhisk's text (whose spelling of "segment" clients match on)."""
    if len(name) > NAME_CHARS_MAX:
        subject = "Namespace" if what == "namespace" else "Name segement"
        raise BadRequest(detail=f"{subject} longer than allowed: {len(name)} > {NAME_CHARS_MAX}.")
    if not _NAME.match(name):
        subject = "The namespace" if what == "namespace" else "The name of the entity"
        raise BadRequest(detail=f"{subject} contains illegal characters.")
    return name


def is_name(name: str) -> bool:
    return _NAME.match(name) is not None


def check_new_namespace(name: str) -> str:
    """`name` itself, or BadRequest if no namespace may be given that name, with an object store or without."""
    if name == SYSTEM_NAMESPACE:
        raise BadRequest(detail=f"Namespace {name} is the platform's own.")
    if name == DEFAULT_NAMESPACE:
        raise BadRequest(detail=f"{name} is everybody's own namespace, so none may be named so.")
    if name.startswith(ACCOUNT_PREFIX):
        raise BadRequest(detail=f"A namespace may not be named {ACCOUNT_PREFIX}...")
    return check_name(name, "namespace")


def parse_full_name(text: str, default_namespace: str) -> FullName:
    """`/ns/name`, `[/]ns/pkg/name`, `pkg/name` or `name`; `_` as namespace means `default_namespace`.

    Raises BadRequest when a part is missing or bears a name that is not allowed.
    """
    parts = text.removeprefix("/").split("/")
    if not text.startswith("/") and len(parts) < 3:
        parts.insert(0, DEFAULT_NAMESPACE)
    if len(parts) not in (2, 3):
        raise BadRequest(detail=NOT_QUALIFIED)
    namespace = default_namespace if parts[0] == DEFAULT_NAMESPACE else check_name(parts[0], "namespace")
    package = check_name(parts[1]) if len(parts) == 3 else ""
    return FullName(namespace, package, check_name(parts[-1]))
