import httpx
import pytest

from rambla.flow.platform import Platform
from rambla.http.metrics import exposition
from rambla.policy.problems import Place, Problem
from rooms import OPERATOR_TOKEN

pytestmark = pytest.mark.anyio


def test_every_number_is_a_metric_once_and_nothing_else_is() -> None:
    status = {"a": {"b-c": 1, "B_C": 2, "text": "x", "on": True}, "list": ["x", "y"], "none": None, "f": 0.5}
    assert [line for line in exposition(status).splitlines() if not line.startswith("#")] == [
        "rambla_a_b_c 2",
        "rambla_a_on 1",
        "rambla_f 0.5",
        "rambla_list 2",
    ]


async def test_a_policy_that_is_not_accepted_is_a_metric(web: httpx.AsyncClient, platform: Platform) -> None:
    async def told() -> dict[str, str]:
        headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
        answer = await web.get("/platform/v1/metrics", headers=headers)
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        assert answer.text.endswith("\n")
        return dict(line.split() for line in answer.text.splitlines() if not line.startswith("#"))

    before = await told()
    assert before["rambla_policy_newest"] == before["rambla_policy_bundle"]
    platform.policy.refuse(7, [Problem(Place("x.yaml", 1, 1), "it is broken", "mend it")])
    after = await told()
    assert (after["rambla_policy_newest"], after["rambla_policy_problems"]) == ("7", "1")
    assert after["rambla_policy_bundle"] == before["rambla_policy_bundle"]
