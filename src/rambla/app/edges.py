"""Which edges beside OpenWhisk's API are served on the same port?

Rows for the HTTP table whose meaning lies in other edges; `app` alone knows both.
"""

from rambla.http.body import Body
from rambla.http.endpoint import Endpoint, handing_to
from rambla.sources.deliveries import BODY_BYTES_MAX, Deliveries, deliver

EDGES = (
    Endpoint(
        "POST",
        "/sources/v1/events",
        "trigger:deliver",
        handing_to(deliver),
        "which events were accepted, and which never will be",
        Body(Deliveries, lambda _: BODY_BYTES_MAX),
    ),
)
