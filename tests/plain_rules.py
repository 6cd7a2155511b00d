"""What the platform's own layer, `defaults.yaml`, has to say of callers without roles, as plain Python.

The owner of a namespace may do everything in it, everybody may read and invoke what lies in a published package,
anybody may visit a web action, the operator may tend namespaces and accounts but see nothing inside namespaces, an
event source may deliver events, whoever is known may ask who they are, and nobody may anything else.
"""

from rambla.domain.access import Caller, Decision, Target

TENDING = {f"namespace:{verb}" for verb in ("list", "create", "delete", "key", "limits")}
KEEPING = {f"identity:{verb}" for verb in ("read", "revoke", "block", "alias", "user", "tokens-of-others")}
OPERATOR_PERMISSIONS = frozenset(
    {*TENDING, *KEEPING, "platform:status", "platform:program", "policy:publish", "policy:read"}
)
OWN_PERMISSIONS = frozenset({"identity:self", "identity:login", "identity:token"})  # about oneself
SOURCE_PERMISSIONS = frozenset({"trigger:deliver"})
PUBLIC_PERMISSIONS = frozenset({"package:list"})  # of another namespace, only its published packages are shown
WEB_PERMISSIONS = frozenset({"action:web"})  # whoever it is, known or not
SHARED_PERMISSIONS = frozenset({"package:read", "action:list", "action:read", "action:invoke"})

_OWNER = Decision(allowed=True, layer="defaults", rule="owner")
_OPERATOR = Decision(allowed=True, layer="defaults", rule="operator")
_SOURCE = Decision(allowed=True, layer="defaults", rule="event-source")
_SHARED = Decision(allowed=True, layer="defaults", rule="shared-package")
_WEB_EXPORT = Decision(allowed=True, layer="defaults", rule="web-export")
_PUBLIC = Decision(allowed=True, layer="defaults", rule="public-listing")
_SOMEBODY = Decision(allowed=True, layer="defaults", rule="somebody")
_OWN_TOKEN = Decision(allowed=True, layer="defaults", rule="own-token")
_DENIED = Decision(allowed=False, layer="defaults", rule="deny")


def decide(caller: Caller, permission: str, target: Target) -> Decision:
    """The decision and the name of the rule that made it."""
    if permission in WEB_PERMISSIONS:
        return _WEB_EXPORT if target.exported else _DENIED
    if permission == "identity:token":
        return _DENIED if caller.source == "event-source" else _OWN_TOKEN
    if permission in OWN_PERMISSIONS:
        return _SOMEBODY
    if caller.source == "operator":
        return _OPERATOR if permission in OPERATOR_PERMISSIONS else _DENIED
    if caller.source == "event-source":
        return _SOURCE if permission in SOURCE_PERMISSIONS else _DENIED
    if permission in OPERATOR_PERMISSIONS or permission in SOURCE_PERMISSIONS:
        return _DENIED
    if caller.namespace and caller.namespace == target.namespace:
        return _OWNER
    if target.shared and caller.namespace and permission in SHARED_PERMISSIONS:
        return _SHARED
    return _PUBLIC if permission in PUBLIC_PERMISSIONS else _DENIED
