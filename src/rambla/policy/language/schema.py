"""What does an editor need to know of a layer?

A JSON Schema (draft 2020-12) of the readable language, for completion and for marks while typing. It tells the shape;
what a condition may say and whether names exist is told by loading.
"""

from typing import Any

from rambla.policy.language.layers import LEVELS, MODES
from rambla.policy.terms import SCOPES

_PATTERN = {
    "type": "string",
    "pattern": r"^(=.+|\*|[^*]+(:\*)?)$",
    "description": "a permission 'resource:verb', or 'resource:*', or '*' for all",
}
_CONDITION = {
    "type": ["string", "boolean", "number"],
    "description": "for instance: member of target.project and caller.trust >= 2",
    "examples": ["member of target.project", 'caller.source == "ldap"', "admin or rule owner", "everybody"],
}


def _one_or_several(item: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [item, {"type": "array", "items": item}]}


_MODE = {"enum": list(MODES), "description": "how it goes with what a layer above says of it"}
_ROLE = {
    "type": ["object", "null"],
    "additionalProperties": False,
    "properties": {
        "includes": {
            **_one_or_several({"type": "string"}),
            "description": "roles that whoever holds this one holds too",
        },
        "may": {**_one_or_several(_PATTERN), "description": "what the role is allowed"},
        "never": {**_one_or_several(_PATTERN), "description": "what it is denied, whatever else allows it"},
        "mode": _MODE,
    },
}
_RULE = {
    "anyOf": [
        _one_or_several(_CONDITION),
        {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "allow": {**_one_or_several(_CONDITION), "description": "allowed if any of these certainly holds"},
                "deny": {**_one_or_several(_CONDITION), "description": "denied if any of these might hold"},
                "scope": {**_one_or_several({"enum": list(SCOPES)}), "description": "for callers of these scopes only"},
                "mode": _MODE,
            },
        },
    ]
}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "A layer of a Rambla policy",
    "type": "object",
    "additionalProperties": False,
    "required": ["layer"],
    "properties": {
        "layer": {"enum": list(LEVELS), "description": "where it stands, from the top"},
        "roles": {"type": ["object", "null"], "additionalProperties": _ROLE},
        "rules": {"type": ["object", "null"], "propertyNames": _PATTERN, "additionalProperties": _RULE},
        "locks": {**_one_or_several(_PATTERN), "description": "what lower layers may narrow and not loosen"},
    },
}
