"""What do OpenStack's own settings say of whom one is in a cloud?

`clouds.yaml`, with `secure.yaml` beside it, as openstacksdk finds and merges them; or the variables OS_*, which make
the cloud `envvars`. Of the ways to log in: a password, an application credential, a token. Where Keystone is does not
matter here: the platform asks its own.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from rambla.cli.errors import CliError

ENVIRONMENT = "envvars"
_NAMES = ("clouds.yaml", "clouds.yml")
_PREFIX = "OS_"
_PASSWORD = ("password", "v3password")
_TOKEN = ("token", "v3token")
_CREDENTIAL = "v3applicationcredential"


def login_of(name: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The body of a login as that cloud says. CliError if it says too little."""
    if name == ENVIRONMENT:
        given = ((key, value) for key, value in environment.items() if key.startswith(_PREFIX))
        auth = {key.removeprefix(_PREFIX).lower(): value for key, value in given}
        kind = auth.get("auth_type", "")
    else:
        cloud = _cloud(name, environment)
        auth, kind = _texts(cloud.get("auth")), str(cloud.get("auth_type") or "")
    kind = kind or (_CREDENTIAL if "application_credential_id" in auth else "token" if "token" in auth else "password")
    if kind in _PASSWORD:
        user, password = _need(name, auth, "username"), _need(name, auth, "password")
        domain = auth.get("user_domain_name") or auth.get("domain_name") or ""
        project = auth.get("project_name") or auth.get("tenant_name") or ""
        return {"method": "password", "user": user, "password": password, "domain": domain, "project": project}
    if kind == _CREDENTIAL:
        found = {part: _need(name, auth, f"application_credential_{part}") for part in ("id", "secret")}
        return {"method": "application-credential", **found}
    if kind in _TOKEN:
        return {"method": "keystone-token", "token": _need(name, auth, "token")}
    known = ", ".join(("password", _CREDENTIAL, "v3token"))
    raise CliError(f"cloud '{name}' logs in by '{kind}', which is not known here; there are: {known}")


def _cloud(name: str, environment: Mapping[str, str]) -> dict[str, Any]:
    for path in _places(environment):
        if path.is_file():
            found = _read(path).get(name)
            if not isinstance(found, dict):
                raise CliError(f"{path} has no cloud '{name}'")
            secure = path.with_name("secure.yaml")
            hidden = _read(secure).get(name) if secure.is_file() else None
            return _merged(found, hidden if isinstance(hidden, dict) else {})
    raise CliError(f"there is no clouds.yaml that could have a cloud '{name}'")


def _places(environment: Mapping[str, str]) -> Iterator[Path]:
    if environment.get("OS_CLIENT_CONFIG_FILE"):
        yield Path(environment["OS_CLIENT_CONFIG_FILE"])
    home = Path(environment.get("HOME") or "/")
    user = Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "openstack"
    for folder in (Path(), user, Path("/etc/openstack")):
        yield from (folder / name for name in _NAMES)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise CliError(f"{path} is not YAML") from None  # what it says may hold a secret
    clouds = found.get("clouds") if isinstance(found, dict) else None
    return clouds if isinstance(clouds, dict) else {}


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(one[key], other[key]) for key in one.keys() & other.keys() if isinstance(other[key], dict)}
    return {**one, **other, **both}


def _texts(auth: object) -> dict[str, str]:
    return {str(key): str(value) for key, value in auth.items()} if isinstance(auth, dict) else {}


def _need(cloud: str, auth: Mapping[str, str], key: str) -> str:
    if not auth.get(key):
        raise CliError(f"cloud '{cloud}' says not what its {key} is")
    return auth[key]
