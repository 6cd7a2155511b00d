"""Which arguments does a run get?

OpenWhisk's order, weakest first: the package's defaults, the action's, then what the caller or the trigger gave. Those
marked `init` go to the environment instead. With the annotation `final`, a default that has a value cannot be
overridden. Pure; payloads are JSON objects as bytes and are only parsed where there is something to merge.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from rambla.domain.entities import Action, Package, Parameter
from rambla.domain.errors import BadRequest, MalformedContent

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
RESERVED = "Request defines parameters that are not allowed (e.g., reserved properties)."


def defaults_of(action: Action, package: Package | None) -> tuple[Parameter, ...]:
    """The package's and the action's parameters, the action's winning."""
    return inherited(package.parameters if package else (), action.parameters)


def inherited(base: tuple[Parameter, ...], own: tuple[Parameter, ...]) -> tuple[Parameter, ...]:
    """Both, `own` winning."""
    return tuple({parameter.key: parameter for parameter in (*base, *own)}.values()) if base else own


def merge(defaults: Iterable[Parameter], payload: bytes, *, final: bool = False) -> bytes:
    """`payload`, a JSON object or nothing, over `defaults`. Without any it is given back as it came, and not looked at.

    Raises BadRequest if it names a final default, MalformedContent if there is something to merge and it is no object.
    """
    fixed = {parameter.key: parameter for parameter in defaults if not parameter.init}
    if not payload:
        payload = b"{}"
    if not fixed:
        return payload
    given = parse_object(payload)
    if final and any(fixed[key].value is not None for key in given if key in fixed):
        raise BadRequest(detail=RESERVED)
    merged: dict[str, Any] = {key: parameter.value for key, parameter in fixed.items()}
    return msgspec.json.encode(merged | given)


def environment_of(defaults: Iterable[Parameter]) -> dict[str, str]:
    """The `init` parameters as environment variables; values that are no text are given as JSON."""
    return {
        parameter.key: parameter.value
        if isinstance(parameter.value, str)
        else msgspec.json.encode(parameter.value).decode()
        for parameter in defaults
        if parameter.init
    }


def parse_object(payload: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _object.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedContent(detail=str(error)) from error
