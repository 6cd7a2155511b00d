"""What is asked of a web action?

A request as the action is to see it, whichever door it came by: `/web` or the API gateway. What it becomes as arguments
is worked out by `catalog/web_arguments.py`, what the action answers is rendered by `http/web_response.py`.
"""

from typing import Literal, get_args

import msgspec

from rambla.domain.names import FullName

Extension = Literal["http", "json", "html", "svg", "text"]
EXTENSIONS: tuple[Extension, ...] = get_args(Extension)
WEB_EXPORT = "web-export"
RAW_HTTP = "raw-http"
CUSTOM_OPTIONS = "web-custom-options"
REQUIRE_AUTH = "require-whisk-auth"
AUTH_HEADER = "x-require-whisk-auth"


class WebRequest(msgspec.Struct, frozen=True, kw_only=True):
    """`name` is the action as the path names it, so its namespace is the one that runs it, also through a binding.

    `method` is upper-case, the names of `headers` are lower-case. `path` is what follows the action, encoded as it
    came: "" or with a leading slash. `query` is what follows the question mark, encoded too. Who asks is the op's
    caller; `user` is what the action is told of them: their namespace, "" for somebody unknown.
    """

    name: FullName
    method: str
    headers: dict[str, str] = {}
    path: str = ""
    query: str = ""
    body: bytes = b""
    user: str = ""
    extension: Extension = "http"
