"""The npm package `openwhisk`, which is OpenWhisk's own JavaScript client, against a live server over plain HTTP.

Each of its upstream integration scenarios, written anew in `openwhisk_client.js`, is a test here.
"""

import base64
import io
import json
import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from npmkit import installed
from system.running import serving

CLIENT = "openwhisk@3.21.9"
SCRIPT = Path(__file__).parent / "openwhisk_client.js"
SCENARIOS = re.findall(r"^  '(\w+: .*?)':", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def client() -> Path:
    return installed("javascript-client", CLIENT)


@pytest.fixture(scope="module")
def outcomes(client: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong in each scenario, "" if nothing did."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.js", "exports.main = (a) => ({zipped: a.n})")
    with serving(tmp_path_factory.mktemp("client") / "data", "--object-store", "none") as server:
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        environment = kept | {
            "__OW_API_HOST": server.url,
            "__OW_API_KEY": server.key,
            "__OW_NAMESPACE": "guest",
            "__OW_APIGW_TOKEN": "true",
            "RAMBLA_TEST_ZIP": base64.b64encode(packed.getvalue()).decode(),
        }
        done = subprocess.run(
            ["node", str(SCRIPT), str(client)], capture_output=True, text=True, env=environment, timeout=150
        )
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(told) == len(SCENARIOS), done.stderr
    return {each["name"]: each["error"] for each in told}


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_the_javascript_client_finds_what_it_expects(outcomes: dict[str, str], scenario: str) -> None:
    assert outcomes[scenario] == ""
