"""How is a web action visited, and what does it see of its visitor?

Each case of a web action is run by somebody unknown and by somebody who proves who they are, as upstream runs them.
"""

import json
from typing import Any

import httpx

from compat.openwhisk.asking import API, ECHO, ID, Answer, Like, User, base64_of, pairs
from system.running import TLS

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")
"""Those whose answers have a body; HEAD is beside them."""
CORS = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "OPTIONS, GET, DELETE, POST, PUT, HEAD, PATCH",
    "access-control-allow-headers": "Authorization, Origin, X-Requested-With, Content-Type, Accept, User-Agent",
}
NO_CORS = dict.fromkeys(CORS)
ACTIVATED = {"x-openwhisk-activation-id": ID}
NOT_FOUND = "The requested resource does not exist."
NO_ROUTE = "The requested resource could not be found."
NOT_ALLOWED = "Request defines parameters that are not allowed (e.g., reserved properties)."
ANSWERING = "import json\ndef main(args):\n    return json.loads(args['result'])\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\xff"
PNG_BASE64 = base64_of(PNG)


class Visitor:
    """Who asks for web actions of `owner`'s, with the key of `known` if that is somebody.

    Paths are as in `User.visit`; those that begin with `/` name the namespace too, and whole addresses are addresses.
    """

    def __init__(self, owner: User, known: User | None) -> None:
        self.owner = owner
        self.known = known
        auth = (known.key.partition(":")[0], known.key.partition(":")[2]) if known else None
        base = f"{owner.server.url}{API}/web"
        self.client = httpx.Client(base_url=base, auth=auth, timeout=90, trust_env=False, verify=TLS)

    def send(self, method: str, path: str, **options: Any) -> Answer:
        whole = path if path.startswith(("/", "http:")) else f"/{self.owner.namespace}/{path}"
        answer = self.client.request(method, whole, **options)
        return Answer(answer.status_code, answer.headers, answer.content, is_rest=False)

    def get(self, path: str, **options: Any) -> Answer:
        return self.send("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self.send("POST", path, **options if body is None else {"json": body, **options})

    def answered(self, result: Any, extension: str = "http", method: str = "GET", **options: Any) -> Answer:
        """What comes of an action's result, by the action of `make_answering`."""
        return self.send(method, f"proxy/answering.{extension}", params={"result": json.dumps(result)}, **options)

    def seen(self, method: str = "GET", content_type: str | None = None, path: str = "", **fields: Any) -> Any:
        """The arguments of an action that is visited, beside `fields`."""
        about = {"__ow_method": method.lower(), "__ow_headers": headers_seen(content_type), "__ow_path": path}
        return {**about, **({"__ow_user": self.known.namespace} if self.known else {}), **fields}


def headers_seen(content_type: str | None) -> Like:
    """Lower-case, with that content type or none, and never with a key of this platform."""

    def fits(headers: Any) -> bool:
        names_are_lower = all(name == name.lower() for name in headers)
        has_all = {"host", "accept", "user-agent"} <= headers.keys() and "authorization" not in headers
        return names_are_lower and has_all and headers.get("content-type") == content_type

    return Like(f"headers of a request with {content_type}", fits)


def make_web(user: User, name: str, code: str = ECHO, /, parameters: Any = None, **annotations: Any) -> None:
    """An exported action whose parameters are final; `raw_http` stands for `raw-http`."""
    given = {"web-export": True, "final": True, **{key.replace("_", "-"): annotations[key] for key in annotations}}
    user.make_action(name, code, annotations=pairs(given), parameters=pairs(parameters or {}))


def make_proxy(user: User) -> None:
    """The package of upstream's cases: `export_c` gives back what it sees, `raw_export_c` is raw, `c` is not exported.

    Upstream's answer OPTIONS themselves, and so do these.
    """
    user.make_package("proxy", parameters=pairs(x="X", z="z"))
    for name in ("proxy/export_c", "export_c"):
        make_web(user, name, parameters=DEFAULTS, web_custom_options=True)
    make_web(user, "proxy/raw_export_c", parameters=DEFAULTS, web_custom_options=True, raw_http=True)
    user.make_action("proxy/c")
    user.make_action("c")


def make_answering(user: User, **annotations: Any) -> None:
    user.make_package("proxy")
    make_web(user, "proxy/answering", ANSWERING, **{"web_custom_options": True, **annotations})


DEFAULTS = {"y": "Y", "z": "Z", "empty": None}
PROXY = {"x": "X", **DEFAULTS}
"""What actions of the package get beside what the visitor says."""
