"""Under which path does the server keep a thing?

Pure. Names are checked before they become part of an address, and quoted. `_` is the key's own namespace.
"""

from urllib.parse import quote

from rambla.domain.names import FullName, parse_full_name


def entity_path(collection: str, name: str, namespace: str = "_") -> str:
    """`/api/v1/namespaces/NS/COLLECTION/[PACKAGE/]NAME`; BadRequest for a name nothing can bear."""
    full = parse_full_name(name, namespace)
    return f"{collection_path(collection, full.namespace)}/{quote(inner_path(full), safe='/')}"


def inner_path(name: FullName) -> str:
    return f"{name.package}/{name.name}" if name.package else name.name


def collection_path(collection: str, namespace: str = "_") -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/{collection}"


def platform_path(*parts: str) -> str:
    """`/platform/v1/PART/…`: what only an operator may ask."""
    return "/".join(["/platform/v1", *(quote(part, safe="") for part in parts)])


def policy_path(*parts: str) -> str:
    """`/policy/v1/PART/…`: what whoever decides elsewhere may ask."""
    return "/".join(["/policy/v1", *(quote(part, safe="") for part in parts)])


def identity_path(*parts: str) -> str:
    """`/identity/v1/PART/…`. The server knows where a user's name with slashes in it ends."""
    return "/".join(["/identity/v1", *(quote(part, safe="") for part in parts)])


def absolute(name: str) -> str:
    """A name as rules refer to it: `/_/[package/]name`."""
    return f"/{parse_full_name(name, '_')}"
