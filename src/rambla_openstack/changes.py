"""Is this request a change of an object that somebody wants to know of, and what came of it?

Reads a request as it passes right after auth (see `events`), and the answer to it. What counts as done is a table of
statuses found by watching Swift 2.38: a 202 to a PUT means that a newer object was there already, a 202 or 200 whose
result is in the body means that Swift must be asked. It reads container metadata from the cache; it writes nothing.
"""

from dataclasses import dataclass
from typing import Any

from swift.common.constraints import check_utf8
from swift.common.request_helpers import check_path_header
from swift.common.swob import HTTPException, Request, wsgi_to_str
from swift.common.utils import config_true_value
from swift.proxy.controllers.base import get_container_info

from rambla_openstack.notification import SYSMETA_NAME
from rambla_openstack.records import Intent, Mark
from rambla_openstack.subscriptions import Subscription, stored

SOURCE = "RE"
_SLO_SIZE = "HTTP_X_OBJECT_SYSMETA_SLO_SIZE"
_DONE = {"PUT": 201, "COPY": 201, "POST": 202, "DELETE": 204}
_IN_BODY = {"PUT": 202, "DELETE": 200}
_CUT_OFF = (408, 499)


@dataclass(frozen=True, slots=True)
class Response:
    """What came back: `env` as the filters right of us left it, and the bytes they read of the request."""

    status: int
    headers: dict[str, str]
    env: dict[str, Any]
    bytes_received: int

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers.items() if key.lower() == name), "")


@dataclass(frozen=True, slots=True)
class Change:
    """A change under way. Names are native text; `wsgi_path` is the object's path as WSGI has it."""

    method: str
    account: str
    container: str
    name: str
    wsgi_path: str
    event: str
    timestamp: str
    targets: tuple[Subscription, ...]
    write_acl: str | None
    sync_key: str | None
    tells_in_body: bool = False
    names_version: bool = False
    look: str = ""
    user: str = ""
    address: str = ""
    request_id: str = ""

    def intent(self, number: int) -> Intent:
        return Intent(
            number=number,
            account=self.account,
            container=self.container,
            name=self.name,
            event=self.event,
            timestamp=self.timestamp,
            targets=tuple((item.trigger, item.events) for item in self.targets),
            look=self.look,
            user=self.user,
            address=self.address,
            request_id=self.request_id,
        )

    def is_decided_by_body(self, status: int) -> bool:
        """Whether the status says nothing yet: a large object's heartbeat, or the list of what was deleted."""
        return self.tells_in_body and _IN_BODY.get(self.method) == status

    def mark(self, response: Response) -> Mark:
        """How it ended. After an answer that leaves doubt (a replica may have kept the object), ask Swift."""
        if response.status >= 500 or response.status in _CUT_OFF:
            return Mark(0, "ask")
        if response.status != _DONE[self.method]:
            return Mark(0, "void")
        version = response.header("x-object-version-id")
        if self.method == "DELETE":
            makes_marker = bool(version) and not self.names_version and self.event.startswith("ObjectRemoved:")
            return Mark(0, "done", "ObjectRemoved:DeleteMarkerCreated" if makes_marker else "", version=version)
        etag = response.header("etag").strip('"')
        return Mark(0, "done", size=self._size(response), etag=etag, version=version)

    def _size(self, response: Response) -> int | None:
        """Bytes stored, None if only Swift knows: a manifest's own length is not the object's, a copy sent nothing."""
        if self.event == "ObjectCreated:CompleteMultipartUpload":
            size = response.env.get(_SLO_SIZE, "")
            return int(size) if size.isdigit() else None
        if self.event not in ("ObjectCreated:Put", "ObjectCreated:Post") or self.names_version:
            return None
        return response.bytes_received


def of(request: Any, app: Any) -> Change | None:
    """The change that `request` is about to make, if a subscription may match it. Fixes the request's timestamp.

    Raises HTTPBadRequest if the request carries a timestamp that is none.
    """
    if request.method not in _DONE:
        return None
    env = request.environ
    path = _target_path(request)
    if path is None or not _is_for_users(path, env.get("swift.source", "")):
        return None
    account, container, name = (wsgi_to_str(part) for part in path)
    wsgi_path = "/v1/" + "/".join(path)
    env.setdefault("swift.infocache", {})  # shared, so that the proxy sees the same container as we do
    info = get_container_info({**env, "PATH_INFO": wsgi_path}, app, swift_source=SOURCE)
    sysmeta = info.get("sysmeta") or {}
    targets = tuple(item for item in stored(sysmeta.get(SYSMETA_NAME, "")) if item.wants_name(name))
    event, look = _event(request), _look(request)
    if event == "ObjectRemoved:Delete" and sysmeta.get("versions-enabled") and "version-id" not in request.params:
        event, look = "ObjectRemoved:DeleteMarkerCreated", ""
    targets = tuple(item for item in targets if any(map(item.wants_event, _possible(event))))
    if not targets:
        return None
    return Change(
        method=request.method,
        account=account,
        container=container,
        name=name,
        wsgi_path=wsgi_path,
        event=event,
        timestamp=request.ensure_x_timestamp().internal,
        targets=targets,
        write_acl=info.get("write_acl"),
        sync_key=info.get("sync_key"),
        tells_in_body=_tells_in_body(request),
        names_version="version-id" in request.params,
        look=look,
        user=env.get("HTTP_X_USER_ID") or _second(env.get("REMOTE_USER") or ""),
        address=env.get("REMOTE_ADDR") or "",
        request_id=env.get("swift.trans_id") or "",
    )


def is_authorized(request: Any, change: Change) -> bool:
    """Whether the proxy will let this request write, by the rule the proxy itself applies (controllers/obj.py).

    So a stranger's requests cannot fill the outbox. Works on a copy: authorising may change a request.
    """
    authorize = request.environ.get("swift.authorize")
    if authorize is None:
        return True
    method = "PUT" if change.method == "COPY" else change.method
    probe = Request({**request.environ, "PATH_INFO": change.wsgi_path, "REQUEST_METHOD": method})
    probe.acl = change.write_acl
    probe.environ["swift_sync_key"] = change.sync_key
    return bool(authorize(probe) is None)


def _target_path(request: Any) -> tuple[str, str, str] | None:
    """Account, container and object that will change, as WSGI strings. A COPY changes its destination."""
    try:
        version, account, container, name = request.split_path(4, 4, True)
        if request.method == "COPY":
            if "Destination-Account" in request.headers:
                (account,) = check_path_header(request, "Destination-Account", 1, "")
            container, name = check_path_header(request, "Destination", 2, "")
    except (ValueError, AttributeError, HTTPException):
        return None  # what is wrong with it is told by whoever serves it
    return (account, container, name) if version in ("v1", "v1.0") else None


def _is_for_users(path: tuple[str, str, str], source: str) -> bool:
    """Not the cloud's own accounts, not reserved names, not the parts of an S3 multipart upload."""
    account, container, name = path
    if account.startswith(".") or container.startswith("\x00") or name.startswith("\x00"):
        return False
    if source == "S3" and container.endswith("+segments"):
        return False
    return all(check_utf8(wsgi_to_str(part)) for part in path)


def _event(request: Any) -> str:
    if request.method == "POST":
        return "ObjectMetadata:Post"
    if request.method == "DELETE":
        # The expirer's own pipeline has no auth; a user who sends this header is a user who deletes.
        expires = "swift.authorize" not in request.environ and "X-If-Delete-At" in request.headers
        return "LifecycleExpiration:Delete" if expires else "ObjectRemoved:Delete"
    if request.method == "COPY" or request.headers.get("X-Copy-From"):
        return "ObjectCreated:Copy"
    if request.params.get("multipart-manifest") == "put":
        return "ObjectCreated:CompleteMultipartUpload"
    return "ObjectCreated:Post" if request.environ.get("swift.source") == "FP" else "ObjectCreated:Put"


def _tells_in_body(request: Any) -> bool:
    """Whether the true result may come in the body: a large object made with heartbeats, or deleted with its parts."""
    manifest = request.params.get("multipart-manifest")
    if request.method == "PUT":
        return manifest == "put" and bool(config_true_value(request.params.get("heartbeat")))
    return str(manifest) == "delete"


def _possible(event: str) -> tuple[str, ...]:
    """Names the event may have in the end. Whether a deletion leaves a marker is certain only afterwards."""
    if event.startswith("ObjectRemoved:"):
        return ("ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated")
    return (event,)


def _look(request: Any) -> str:
    """The query with which a HEAD sees what this request writes, and not what that points to."""
    if "version-id" in request.params and request.method == "DELETE":
        return f"version-id={request.params['version-id']}"
    is_link = request.method == "DELETE" or "X-Symlink-Target" in request.headers
    return "symlink=get" if is_link else ""


def _second(groups: str) -> str:
    """The user among tempauth's groups `account,account:user,...`; otherwise all there is."""
    parts = groups.split(",")
    return parts[1] if len(parts) > 1 else parts[0]
