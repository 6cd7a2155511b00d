"""Which policy is meant, which person, which target?

A policy is named by its folder or file, or by the number of a bundle, or is the one in force. Only a bundle needs the
platform; what lies in files is read and compiled right here.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio

from rambla.app.edges import EDGES
from rambla.cli.client import operator_client
from rambla.cli.options import value_of
from rambla.cli.paths import platform_path
from rambla.cli.policy import TESTS, Problems, existing, lines_of_refusals, named_files, texts_of, yaml_in
from rambla.domain.errors import BadRequest, BrokenPolicy
from rambla.flow.sessions import LOGIN
from rambla.http.endpoint import PUBLIC
from rambla.http.endpoints import ENDPOINTS
from rambla.policy import accept, tables
from rambla.policy.bundle import files_of
from rambla.policy.policies import Policies
from rambla.policy.policy import Policy
from rambla.policy.ports import ELSEWHERE
from rambla.policy.problems import nearest
from rambla.policy.tables import Table

# Whoever logs in at a public endpoint is asked about as soon as it is known who they are.
PERMISSIONS = frozenset(endpoint.permission for endpoint in (*ENDPOINTS, *EDGES)) - {PUBLIC} | {LOGIN}
"""What the platform's endpoints ask for."""


def policies_of(source: str | None, data: Path) -> Policies:
    """Those of a path or of a bundle's number; None is what is in force. Raises CliError."""
    if source is not None and not source.isdecimal():
        return policies_in([existing(source)])
    with problems_told():
        return accept.compiled(files_of(anyio.run(_published, source, data)), ELSEWHERE)


def policies_in(paths: Sequence[Path]) -> Policies:
    """Raises CliError with all that is wrong."""
    with problems_told():
        return accept.compiled(files_of(texts_of(paths)), ELSEWHERE)


def policy_for(*, source: str | None, data: Path, service: str, **_: Any) -> Policy:
    """That of an OpenStack service, or the platform's own. Raises CliError or NoSuchService."""
    return policies_of(source, data).of(service)


def policy_in(paths: Sequence[Path]) -> Policy:
    """The platform's own. Raises as `policies_in` does."""
    return policies_in(paths).own


def table_in(folder: Path) -> Table:
    """The tables in the folder `tests` beside the policy; an empty one if there are none."""
    root = folder / TESTS if folder.is_dir() else folder.parent / TESTS
    paths = yaml_in(root) if root.is_dir() else []
    with problems_told():
        return tables.read_all({f"{TESTS}/{name}": path.read_text(encoding="utf-8") for path, name in paths})


def table_of(source: str | None) -> Table:
    """The tables beside a policy that is named by its path."""
    if source is None or source.isdecimal():
        return Table({}, {}, ())
    return table_in(Path(source))


def caller_for(
    name: str,
    *,
    source: str | None,
    service: str,
    roles: Sequence[str],
    caller: Sequence[tuple[str, str]],
    **_: Any,
) -> Mapping[str, Any]:
    """A person of the tables, or one of that name, or the user of an OpenStack service with that id, with what the
    options say over it."""
    said = {key: value_of(text) for key, text in caller} | ({"roles": list(roles)} if roles else {})
    if service:
        return {"user_id": name, "roles": [], **said}
    return {**(table_of(source).people.get(name) or tables.person(name, {})), **said}


def target_for(
    name: str, *, source: str | None, service: str, about: Sequence[tuple[str, str]], **_: Any
) -> Mapping[str, Any]:
    """As `caller_for`; for an OpenStack service what lies in the project with that id."""
    said = {key: value_of(text) for key, text in about}
    if service:
        return {"project_id": name, **said}
    return {**(table_of(source).targets.get(name) or tables.target(name, {})), **said}


def more_permissions(service: str) -> frozenset[str]:
    """What is asked for beyond what the rules name; a service asks for what it registers."""
    return frozenset() if service else PERMISSIONS


def is_asked(permission: str, service: str) -> bool:
    """Whether anybody asks for it; the platform's rules have parts too that nobody does."""
    return bool(service) or ":" in permission


def unasked(policy: Policy) -> list[tuple[str, str]]:
    """Permissions of the platform's own resources that no endpoint asks for, and what was perhaps meant."""
    resources = {permission.partition(":")[0] for permission in PERMISSIONS}
    named = [each for each in policy.book.permissions if ":" in each and each not in PERMISSIONS]
    found = [each for each in named if each.partition(":")[0] in resources]
    return [(each, nearest(each, PERMISSIONS) or "see docs/reference/api.md") for each in found]


@contextmanager
def problems_told() -> Iterator[None]:
    try:
        yield
    except (BrokenPolicy, BadRequest) as error:
        raise Problems(str(error).splitlines()) from error


async def _published(number: str | None, data: Path) -> dict[str, str]:
    async with operator_client(data) as client:
        if number is None:
            number = str((await client.call("GET", platform_path("status")))["policy"]["bundle"])
        return await named_files(client, number)


async def replayed(source: str, days: int, data: Path) -> Any:
    """What that policy decides otherwise of the calls of the last days."""
    async with operator_client(data) as client:
        body = {"files": await named_files(client, source), "days": days}
        async with lines_of_refusals():
            return await client.call("POST", platform_path("policy", "journal"), body=body)
