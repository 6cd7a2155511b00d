"""May this caller do that to this target?

The built-in rules until policies are written in files: the owner of a namespace may do everything in it, everybody may
read and invoke what lies in a published package, anybody may visit a web action, the operator may tend namespaces but
see nothing inside them, an event source may deliver events, and nobody may anything else.
Pure: a decision depends on the arguments alone.
"""

from rambla.domain.access import Caller, Decision, Target

OPERATOR_PERMISSIONS = frozenset(
    {"namespace:list", "namespace:create", "namespace:delete", "namespace:key", "platform:status"}
)
SOURCE_PERMISSIONS = frozenset({"trigger:deliver"})
PUBLIC_PERMISSIONS = frozenset({"package:list"})  # of another namespace, only its published packages are shown
WEB_PERMISSIONS = frozenset({"action:web"})  # whoever it is, known or not
SHARED_PERMISSIONS = frozenset({"package:read", "action:list", "action:read", "action:invoke"})

_OWNER = Decision(allowed=True, rule="defaults/owner")
_OPERATOR = Decision(allowed=True, rule="defaults/operator")
_SOURCE = Decision(allowed=True, rule="defaults/event-source")
_SHARED = Decision(allowed=True, rule="defaults/shared-package")
_WEB_EXPORT = Decision(allowed=True, rule="defaults/web-export")
_PUBLIC = Decision(allowed=True, rule="defaults/public-listing")
_DENIED = Decision(allowed=False, rule="defaults/deny")


def decide(caller: Caller, permission: str, target: Target) -> Decision:
    """The decision and the name of the rule that made it."""
    if permission in WEB_PERMISSIONS:
        return _WEB_EXPORT if target.exported else _DENIED
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
