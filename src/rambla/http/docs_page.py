"""How does the table of endpoints read for a person with a browser?

One page without scripts, styles or anything from elsewhere. `openapi.py` tells machines the same. Pure.
"""

from collections.abc import Iterable
from html import escape

from rambla.http.endpoint import Endpoint

_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>API of Rambla</title>
<h1>API of Rambla</h1>
<p>OpenWhisk's REST API, and what is Rambla's own. For programs: <a href="../api-docs">OpenAPI 3.1</a>.</p>
<table border="1" cellpadding="4">
<tr><th>method<th>path<th>permission<th>gives
{rows}
</table>
</html>
"""


def page(endpoints: Iterable[Endpoint]) -> str:
    return _PAGE.format(rows="\n".join(map(_row, endpoints)))


def _row(endpoint: Endpoint) -> str:
    cells = (endpoint.method, endpoint.path, endpoint.permission or "public", endpoint.gives.text)
    return "<tr>" + "".join(f"<td>{escape(cell)}" for cell in cells)
