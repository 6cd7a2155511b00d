"""Which edges beside OpenWhisk's API are served on the same port?

Rows for the HTTP table whose meaning lies in other edges; `app` alone knows both.
"""

from typing import Any

from rambla.http.body import Body
from rambla.http.endpoint import Endpoint, Gives, handing_to
from rambla.sources.deliveries import BODY_BYTES_MAX, Deliveries, deliver

EDGES = (
    Endpoint(
        "POST",
        "/sources/v1/events",
        "trigger:deliver",
        handing_to(deliver),
        Gives("which events were accepted, and which never will be", dict[str, Any]),
        Body(Deliveries, lambda _: BODY_BYTES_MAX),
    ),
)
