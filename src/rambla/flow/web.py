"""What happens when somebody visits a web action?

Find the action, through a binding if need be; one that is not exported is as absent. See that the visitor has what it
asks for, judge, and run it as the owner of the namespace in its name: theirs are the throttles, the usage and the
records. The visitor waits for the record, for a time. Which arguments a request becomes is `catalog/web_arguments`.
"""

import hmac
from typing import Any, NamedTuple

import msgspec

from rambla.catalog.web_arguments import web_arguments
from rambla.domain.access import Caller, Target
from rambla.domain.activation import Activation
from rambla.domain.errors import CircularBinding, NotAuthenticated, NotFound, WrongCollection
from rambla.domain.names import FullName
from rambla.domain.web import AUTH_HEADER, CUSTOM_OPTIONS, RAW_HTTP, REQUIRE_AUTH, WEB_EXPORT, WebRequest
from rambla.flow.guard import INVOKE, judge
from rambla.flow.invoke import begin, ended, work_intent
from rambla.flow.platform import Op, Platform
from rambla.flow.resolve import Runnable, judge_provider, runnable
from rambla.flow.task import Task

WEB = "action:web"
WAIT_MS = 60_000


class WebAnswer(NamedTuple):
    """`ended` is the record or the activation's id, or None: the platform itself answers, as browsers ask beforehand.

    `custom_options` says that the action speaks for itself to browsers of other origins.
    """

    ended: Activation | str | None
    custom_options: bool


async def visit(platform: Platform, op: Op, request: WebRequest) -> WebAnswer:
    """What a browser gets: the action's answer, or ours to OPTIONS unless the action wants to give it.

    Raises as `invoke_web` does.
    """
    found = await exported(platform, request.name)
    custom_options = found.action.annotations.get(CUSTOM_OPTIONS) is True
    if request.method == "OPTIONS" and not custom_options:
        return WebAnswer(None, custom_options)
    return WebAnswer(await _invoke(platform, op, request, found), custom_options)


async def invoke_web(platform: Platform, op: Op, request: WebRequest) -> Activation | str:
    """The finished record, or the activation's id if it did not end within WAIT_MS. `op` is the visitor's.

    Raises NotFound, NotAuthenticated, Refused, BadRequest, Throttled, TooManyConcurrent, Unavailable or StorageFailed;
    then nothing was run.
    """
    return await _invoke(platform, op, request, await exported(platform, request.name))


async def exported(platform: Platform, name: FullName) -> Runnable:
    """The web action of that name. Raises NotFound, whether it is absent or only not exported."""
    try:
        found = await runnable(platform, name)
    except (WrongCollection, CircularBinding) as error:
        raise NotFound() from error
    if found.action.annotations.get(WEB_EXPORT) is not True:
        raise NotFound()
    return found


async def _invoke(platform: Platform, op: Op, request: WebRequest, found: Runnable) -> Activation | str:
    name, annotations = request.name, found.action.annotations
    if request.method != "OPTIONS" and not _let_in(annotations.get(REQUIRE_AUTH, False), request, op.caller):
        raise NotAuthenticated()
    judged = await judge(platform, op, WEB, Target(name.namespace, str(name), exported=True))
    owner = Op(op.id, Caller(subject=name.namespace, namespace=name.namespace, source="web"))
    await judge_provider(platform, owner, INVOKE, found)
    arguments = web_arguments(
        request, found.defaults, raw=annotations.get(RAW_HTTP) is True, final=bool(annotations.get("final"))
    )
    intent = work_intent(platform, owner, judged, name, payload=b"", permission=WEB)
    return await ended(await begin(platform, Task.of(intent, found, arguments, op.id)), intent, WAIT_MS)


def _let_in(required: Any, request: WebRequest, visitor: Caller) -> bool:
    """Whether the visitor has what the annotation asks for: nothing, any namespace's key, or a secret in a header."""
    if isinstance(required, bool):
        return not required or bool(visitor.namespace)
    secret, given = secret_of(required), request.headers.get(AUTH_HEADER)
    return None not in (secret, given) and hmac.compare_digest(str(given).encode(), str(secret).encode())


def secret_of(required: Any) -> str | None:
    """What has to come as AUTH_HEADER, if the annotation asks for that."""
    if isinstance(required, bool) or not isinstance(required, str | int | float):
        return None
    return required if isinstance(required, str) else msgspec.json.encode(required).decode()
