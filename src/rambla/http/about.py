"""What does the platform tell of itself, and to whom?

To everyone: which API this is, its limits and its runtimes, which OpenWhisk's clients read before anything else. To the
owner of a namespace: what that namespace may use.
"""

from typing import Any

from starlette.responses import Response

from rambla.flow import read
from rambla.flow.platform import Platform
from rambla.http import wire
from rambla.http.call import Call, answer

BUILD = "2026-11-23T00:00:00Z"  # wsk's own tests want it to begin with "20"
MB = 2**20


async def root(call: Call[None]) -> Response:
    """`wsk` and `wskdeploy` take the kinds of action and their defaults from here."""
    limits, ranges = call.platform.limits, _action_limits(call.platform)
    return answer(
        {
            "description": "OpenWhisk",
            "support": {"github": "", "slack": ""},
            "api_paths": ["/api/v1"],
            "limits": {
                "actions_per_minute": limits.invocations_per_minute,
                "concurrent_actions": limits.concurrent_invocations,
                "triggers_per_minute": limits.fires_per_minute,
                "sequence_length": read.SEQUENCE_LENGTH_MAX,
                **ranges,
                **{f"default_{name}": value for name, value in ranges.items()},
            },
            "runtimes": _runtimes(),
        }
    )


async def api(call: Call[None]) -> Response:
    return answer(
        {
            "description": "OpenWhisk API",
            "api_version": "1.0.0",
            "api_version_path": "v1",
            "build": BUILD,
            "buildno": "rambla",
            "swagger_paths": {"ui": "/docs", "api-docs": "/api-docs"},
        }
    )


async def ping(call: Call[None]) -> Response:
    return Response("pong", media_type="text/plain")


async def namespaces(call: Call[None]) -> Response:
    return answer([await read.own_namespace(call.platform, call.op)])


async def limits(call: Call[None]) -> Response:
    namespace, ranges = await read.namespace_limits(call.platform, call.op, call.namespace)
    return answer(wire.namespace_limits(namespace, call.platform.limits, ranges))


def _action_limits(platform: Platform) -> dict[str, int]:
    """Durations in ms, memory and logs in bytes."""
    allowed = read.action_ranges(platform)
    in_units = {
        "duration": allowed.timeout_ms,
        "memory": tuple(mb * MB for mb in allowed.memory_mb),
        "logs": tuple(mb * MB for mb in allowed.logs_mb),
    }
    return {
        f"{end}_action_{name}": bound
        for name, bounds in in_units.items()
        for end, bound in zip(("min", "max"), bounds, strict=True)
    }


def _runtimes() -> dict[str, list[dict[str, Any]]]:
    return {
        family: [
            {
                "kind": kind.name,
                "image": f"rambla/{kind.name}",
                "deprecated": False,
                "default": kind.default,
                "attached": True,
                "requireMain": kind.main_required,
            }
            for kind in kinds
        ]
        for family, kinds in read.kinds_offered().items()
    }
