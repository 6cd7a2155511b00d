"""How is the policy asked over HTTP?

In two ways: in JSON, one question or many; and as oslo.policy's HttpCheck asks (oslo_policy/_external.py, 6.0.1), by a
form whose fields are JSON texts or by one JSON object, answered `True` or `False` as plain text.
"""

from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta
from starlette.responses import Response

from rambla.domain.access import Decision
from rambla.domain.errors import MalformedContent, UnsupportedMedia
from rambla.domain.json_text import decode_once
from rambla.flow.check import OWN, Check, check
from rambla.http import shapes
from rambla.http.body import MB
from rambla.http.call import Call, answer

BODY_BYTES_MAX = MB
CHECKS_MAX = 1000
FIELDS_MAX = 10
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
Rule = Annotated[str, Meta(min_length=1, max_length=500)]  # what was asked for is remembered, so it has a length


class HttpCheckBody(msgspec.Struct, frozen=True):
    rule: Rule
    target: dict[str, Any]
    credentials: dict[str, Any]


class CheckBody(msgspec.Struct, frozen=True):
    """Without a service it is the platform's own policy that is asked."""

    rule: Rule
    service: str = OWN
    target: dict[str, Any] = {}
    credentials: dict[str, Any] = {}


class ChecksBody(msgspec.Struct, frozen=True):
    checks: Annotated[list[CheckBody], Meta(max_length=CHECKS_MAX)]


async def check_one(call: Call[CheckBody]) -> Response:
    number, (decision,) = await check(call.platform, call.op, [_check(call.body)])
    return answer(shapes.CheckedAlone(**_fields(decision), bundle=number))


async def check_many(call: Call[ChecksBody]) -> Response:
    number, decisions = await check(call.platform, call.op, [_check(one) for one in call.body.checks])
    return answer(shapes.Checks(bundle=number, decisions=[shapes.Checked(**_fields(one)) for one in decisions]))


async def http_check(call: Call[bytearray]) -> Response:
    body = _read(bytes(call.body), call.request.headers.get("content-type", ""))
    wanted = Check(call.service, body.rule, body.target, body.credentials)
    _, (decision,) = await check(call.platform, call.op, [wanted])
    return Response(str(decision.allowed), media_type="text/plain")


def _check(body: CheckBody) -> Check:
    return Check(body.service, body.rule, body.target, body.credentials)


def _fields(decision: Decision) -> dict[str, Any]:
    return msgspec.structs.asdict(decision)


def _read(raw: bytes, content_type: str) -> HttpCheckBody:
    """Raises UnsupportedMedia, MalformedContent or TooLarge."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == JSON:
        asked: HttpCheckBody = decode_once(raw, HttpCheckBody)
        return asked
    if kind != FORM:
        raise UnsupportedMedia()
    fields = _form(raw)
    for name in HttpCheckBody.__struct_fields__:
        if name not in fields:
            raise MalformedContent(detail=f"the form has no field '{name}'")
    return HttpCheckBody(
        rule=decode_once(fields["rule"].encode(), Rule),
        target=decode_once(fields["target"].encode(), dict[str, Any]),
        credentials=decode_once(fields["credentials"].encode(), dict[str, Any]),
    )


def _form(raw: bytes) -> dict[str, str]:
    """The fields by name, each of which may come once."""
    try:
        pairs = parse_qsl(raw.decode("ascii"), True, True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise MalformedContent(detail=f"this is no form: {error}") from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise MalformedContent(detail="a field of the form comes twice")
    return fields
