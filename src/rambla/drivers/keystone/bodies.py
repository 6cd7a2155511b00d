"""How is Keystone asked for a token?

The bodies of `POST /v3/auth/tokens` (Identity API v3). Pure.
"""

from typing import Any, TypeAlias

from rambla.domain.proofs import ApplicationCredential, Password

Body: TypeAlias = dict[str, Any]


def by_password(proof: Password, usual_domain: str, *, project_domain: str = "") -> Body:
    """Domains and projects by name; a project is of the user's domain unless another is said."""
    domain = proof.domain or usual_domain
    user = {"name": proof.user, "domain": {"name": domain}}
    identity: Body = {"methods": ["password"], "password": {"user": {**user, "password": proof.password}}}
    if proof.code:
        identity["methods"].append("totp")
        identity["totp"] = {"user": {**user, "passcode": proof.code}}
    if not proof.project:
        return {"auth": {"identity": identity}}
    project = {"name": proof.project, "domain": {"name": project_domain or domain}}
    return {"auth": {"identity": identity, "scope": {"project": project}}}


def by_application_credential(proof: ApplicationCredential) -> Body:
    method = "application_credential"
    return {"auth": {"identity": {"methods": [method], method: {"id": proof.id, "secret": proof.secret}}}}
