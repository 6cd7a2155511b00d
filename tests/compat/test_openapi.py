"""Whatever a client sends that the OpenAPI description allows, or does not allow: is the answer as described?

schemathesis generates requests from the description, against a real server, and compares every answer with it. No
answer is a failure of ours (5xx), but for an action's own error, which OpenWhisk tells as 502. Names are mostly drawn
from those that exist, or nothing but 404 would be tested.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks

from system.running import GUEST, Guest, Running, serving

REQUESTS = 1300
"""Of each of the four tests: more than 5,000 together."""
PER_ROUND = 25
ECHO = "def main(args):\n    return args\n"
MODES = [GenerationMode.POSITIVE, GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
NAMES = {
    "name": ["a", "a", "p", "t", "r", "absent"],
    "package": ["p", "p", "b", "absent"],
    "namespace": ["_", "_", "guest", "other"],
}
PLATFORMS_NAMES = {"namespace": ["other", "absent"]}
AREAS = {
    "actions": "/actions",
    "packages": "/packages",
    "triggers and rules": "/triggers|/rules",
    "the rest": "/activations|/limits|/platform/|^/policy/|^/api/|^/$|^/ping",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serving(tmp_path_factory.mktemp("openapi") / "data", "--object-store", "none") as running:
        yield running


class Client:
    """Who asks: the owner of `guest`, and the operator for what is the operator's."""

    def __init__(self, server: Running) -> None:
        self.server = server
        self.statuses: Counter[int] = Counter()

    def make_entities(self) -> None:
        """What the names in NAMES mean, before each round."""
        with self.server.client() as client, self.server.operator() as operator:
            operator.put("/platform/v1/namespaces/other")
            guest = Guest(client)
            client.put(f"{GUEST}/packages/p?overwrite=true", json={"publish": True})
            guest.put("a", ECHO)
            guest.put("p/a", ECHO)
            client.put(f"{GUEST}/packages/b", json={"binding": {"namespace": "_", "name": "p"}})
            client.put(f"{GUEST}/triggers/t?overwrite=true", json={})
            client.put(f"{GUEST}/rules/r?overwrite=true", json={"trigger": "/_/t", "action": "/_/a"})

    def ask(self, case: Any) -> None:
        """Raises where the answer is not as described."""
        if case.operation.path.startswith(("/platform/", "/policy/")):
            token = (self.server.data / "operator.token").read_text().strip()
            answer = case.call(base_url=self.server.url, headers={"Authorization": f"Bearer {token}"})
        else:
            answer = case.call(base_url=self.server.url, auth=tuple(self.server.key.split(":")))
        self.statuses[answer.status_code] += 1
        assert answer.status_code < 500 or "x-openwhisk-activation-id" in answer.headers, answer.text
        case.validate_response(answer, checks=CHECKS)


def operations(server: Running, area: str) -> list[Any]:
    """The operations of an area; one that several areas would name belongs to the first."""
    schema = schemathesis.openapi.from_url(f"{server.url}/api/v1/api-docs")
    found = [result.ok() for result in schema.get_all_operations()]
    return [one for one in found if next(name for name in AREAS if re.search(AREAS[name], one.path)) == area]


@pytest.mark.timeout(900)
@pytest.mark.parametrize("area", AREAS)
def test_every_answer_is_as_described(server: Running, area: str) -> None:
    client = Client(server)
    for round_ in itertools.count():
        client.make_entities()
        for operation in operations(server, area):
            with suppress(Unsatisfiable):  # where nothing can be sent that is not allowed
                try_out(client, operation, MODES[round_ % len(MODES)], round_)
        if client.statuses.total() >= REQUESTS:
            break
    print(area, dict(client.statuses))
    assert client.statuses[200] > REQUESTS / 10


def try_out(client: Client, operation: Any, mode: GenerationMode, round_: int) -> None:
    names = PLATFORMS_NAMES if operation.path.startswith("/platform/") else NAMES

    @seed(round_)
    @settings(
        max_examples=PER_ROUND,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
    def run(case: Any, data: st.DataObject) -> None:
        if data.draw(st.integers(0, 5)) < 5:
            for part in {*(case.path_parameters or {})} & {*names}:
                case.path_parameters[part] = data.draw(st.sampled_from(names[part]))
        client.ask(case)

    run()
