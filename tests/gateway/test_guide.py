"""The guide tells what works."""

import re
from pathlib import Path

import yaml

from rambla.domain.names import FullName
from rambla.gateway.api import ActionTarget
from rambla.gateway.document import imported
from rambla.gateway.routes import api_of

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "publish-an-api.md"


def test_the_document_that_the_guide_writes_by_hand_is_an_api() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    api = api_of(imported(yaml.safe_load(text)), "guest", 0)
    (route,) = api.routes
    assert (api.base_path, route.method, route.path) == ("/club", "GET", "/books/{isbn}")
    assert route.target == ActionTarget(FullName("guest", "", "book"), "http", tells_path=True)
