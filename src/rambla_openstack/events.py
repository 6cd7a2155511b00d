"""Which changes of objects happen in this Swift proxy, and who wants to be told?

A paste filter, placed right after auth (`... tempauth|keystoneauth rambla_events copy ... slo dlo ...`): there it sees
one request per change that a user can see, with real names, also those that bulk, s3api, tempurl and formpost make. An
intent is durable before the object is touched and a mark follows, so that a crash in between loses nothing: `shipper`
asks Swift about intents without a mark. Only containers with a subscription that matches cost anything. Nothing is sent
from here, so a slow platform cannot slow Swift.
"""

import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from swift.common.swob import HTTPException, HTTPServiceUnavailable, Request
from swift.common.utils import InputProxy, config_true_value, get_logger
from swift.common.wsgi import WSGIContext

from rambla_openstack import changes, notification, outbox
from rambla_openstack.changes import Change
from rambla_openstack.commit import GroupCommit
from rambla_openstack.outbox import encode_line
from rambla_openstack.records import Intent, Mark

DEFAULT_SPOOL = "/var/spool/rambla-events"


class _Afterwards:
    """A response body that calls `then` once, when it has been read, broken off or closed."""

    def __init__(self, body: Iterable[bytes], then: Callable[[], None]) -> None:
        self._body, self._iterator, self._then = body, iter(body), then
        self._over = False

    def __iter__(self) -> "_Afterwards":
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._iterator)
        except BaseException:  # also the end, a disconnected client and a killed green thread
            self._finish()
            raise

    def close(self) -> None:
        try:
            getattr(self._body, "close", lambda: None)()
        finally:
            self._finish()

    def _finish(self) -> None:
        if not self._over:
            self._over = True
            self._then()


class EventFilter:
    def __init__(self, app: Any, conf: dict[str, str]) -> None:
        self.app = app
        self.logger = get_logger(conf, log_route="rambla_events")
        self._spool = Path(conf.get("spool", DEFAULT_SPOOL))
        self._spool_bytes_max = int(conf.get("spool_bytes_max", outbox.SPOOL_BYTES_MAX))
        self._fail = on_failure(conf)
        self._numbers = itertools.count(1)
        self._commit: GroupCommit | None = None
        self._pid = 0

    def __call__(self, env: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(env)
        try:
            if notification.is_meant(request):
                answer: Iterable[bytes] = notification.answer(request, self.app)(env, start_response)
                return answer
            change = changes.of(request, self.app)
            if change is None:
                return self._pass_on(env, start_response)
            intent = self._intend(request, change)
        except HTTPException as refusal:
            refused: Iterable[bytes] = refusal(env, start_response)
            return refused
        return self._watch(change, intent, env, start_response)

    def _pass_on(self, env: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body: Iterable[bytes] = self.app(env, start_response)
        return body

    def _outbox(self) -> GroupCommit:
        """Made on first use and again after a fork: filters are built before the proxy forks its workers."""
        if self._commit is None or self._pid != os.getpid():
            self._pid = os.getpid()
            self._numbers = itertools.count(1)
            self._commit = GroupCommit(self._spool, self.logger, spool_bytes_max=self._spool_bytes_max)
        return self._commit

    def _intend(self, request: Any, change: Change) -> Intent | None:
        """The intent, durable; None if the request will be refused anyway, or if the outbox failed and may."""
        if not changes.is_authorized(request, change):
            return None
        commit = self._outbox()
        intent = change.intent(next(self._numbers))
        try:
            commit.durable(encode_line(intent.to_record()))
        except (OSError, ValueError) as error:
            self._outbox_failed(change, error)
            if self._fail:
                raise HTTPServiceUnavailable(
                    request=request, body="The event outbox cannot be written.\n", headers={"Retry-After": "5"}
                ) from error
            return None
        return intent

    def _watch(
        self, change: Change, intent: Intent | None, env: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        counted = env["wsgi.input"] = InputProxy(env["wsgi.input"])
        context = WSGIContext(self.app)
        try:
            body: Iterable[bytes] = context._app_call(env)
        except BaseException:  # also Timeout and GreenletExit: whatever ended it, the object may be there
            self._mark(change, intent, Mark(0, "ask"))
            raise
        response = changes.Response(
            context._get_status_int(), dict(context._response_headers), env, counted.bytes_received
        )
        if change.is_decided_by_body(response.status):
            body = _Afterwards(body, lambda: self._mark(change, intent, Mark(0, "ask")))
        else:
            # Now and not when the body has been read: s3api's DeleteObjects never reads it.
            self._mark(change, intent, change.mark(response))
        start_response(context._response_status, context._response_headers, context._response_exc_info)
        return body

    def _mark(self, change: Change, intent: Intent | None, mark: Mark) -> None:
        if intent is not None:
            self._outbox().soon(encode_line(mark.numbered(intent.number).to_record()))
        elif mark.verdict == "done":
            self._tell_late(change, mark)

    def _tell_late(self, change: Change, mark: Mark) -> None:
        """It happened though no intent was written: the outbox had failed, or auth changed its mind. Try once more."""
        intent = change.intent(next(self._numbers))
        try:
            lines = encode_line(intent.to_record()) + encode_line(mark.numbered(intent.number).to_record())
            self._outbox().durable(lines)
        except (OSError, ValueError) as error:
            self._outbox_failed(change, error)

    def _outbox_failed(self, change: Change, error: Exception) -> None:
        self.logger.increment("outbox_failed")
        self.logger.error(
            "rambla_events: outbox failed for %s of %s/%s/%s (%s): %s",
            *(change.event, change.account, change.container, change.name),
            "request refused" if self._fail else "event may be lost",
            error,
        )


def on_failure(conf: dict[str, str]) -> bool:
    """Whether a request is refused when its intent cannot be written."""
    choice = conf.get("on_outbox_failure", "pass")
    if choice not in ("pass", "fail"):
        raise ValueError(f"rambla_events: on_outbox_failure must be 'pass' or 'fail', not {choice!r}")
    return choice == "fail"


def filter_factory(global_conf: dict[str, str], **local_conf: str) -> Callable[[Any], Any]:
    """Called by paste, twice in a proxy process: so nothing is opened here."""
    conf = {**global_conf, **local_conf}
    on_failure(conf)

    def make(app: Any) -> Any:
        return app if config_true_value(conf.get("disabled", "no")) else EventFilter(app, conf)

    return make
