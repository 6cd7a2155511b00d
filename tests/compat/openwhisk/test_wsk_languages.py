"""Upstream's `WskUnicodeTests`, `WskMultiRuntimeTests` and `WskConsoleTests`: languages, and what they print."""

import io
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from compat.openwhisk.asking import User, base64_of, differs, pairs
from compat.openwhisk.programs import HELLO, NODE
from compat.openwhisk.records import a_record, printed

SNOW = "❄ ☃ ❄"
PYTHON_SNOW = """
def main(args):
    text = args['delimiter'] + ' ☃ ' + args['delimiter']
    print(text)
    return {'winter': text}
"""
NODE_SNOW = """
function main(args) {
  const text = args.delimiter + ' ☃ ' + args.delimiter;
  console.log(text);
  return { winter: text };
}
"""
JAVA_SNOW = """
import com.google.gson.JsonObject;
public class Unicode {
    public static JsonObject main(JsonObject args) {
        String delimiter = args.getAsJsonPrimitive("delimiter").getAsString();
        String text = delimiter + " ☃ " + delimiter;
        System.out.println(text);
        JsonObject result = new JsonObject();
        result.addProperty("winter", text);
        return result;
    }
}
"""
SHELL_SNOW = r"""#!/bin/sh
while read -r line; do
  delimiter=$(printf '%s' "$line" | sed 's/.*"delimiter": *"\([^"]*\)".*/\1/')
  echo "$delimiter ☃ $delimiter"
  echo "{\"winter\": \"$delimiter ☃ $delimiter\"}" >&3
done
"""
GREETING = "def main(args):\n    print('Hello ' + args['name'])\n    return args\n"
TICK = """
function main(params) {
  console.log(params.n);
  if (params.n === 0) console.log('Happy New Year!');
  return { n: params.n - 1 };
}
"""
COUNTDOWN = "def main(args):\n    return {'action': 'tick', 'params': args} if args['n'] >= 0 else {'params': {}}\n"


def packed(name: str, content: bytes) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return base64_of(buffer.getvalue())


@pytest.fixture(scope="session")
def jar(tmp_path_factory: pytest.TempPathFactory) -> str:
    gson = Path("/usr/share/java/gson.jar")
    if not shutil.which("javac") or not gson.exists():
        pytest.skip("needs a JDK and gson: apt-get install default-jdk-headless libgoogle-gson-java")
    folder = tmp_path_factory.mktemp("java")
    (folder / "Unicode.java").write_text(JAVA_SNOW, encoding="utf-8")
    subprocess.run(["javac", "-encoding", "UTF-8", "-cp", str(gson), "Unicode.java"], cwd=folder, check=True)
    return packed("Unicode.class", (folder / "Unicode.class").read_bytes())


@pytest.fixture(params=["python:3", NODE, "java:17", "native:1"])
def program(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The same action in a language that may be offered."""
    match request.param:
        case "java:17":
            return {"kind": "java:17", "code": request.getfixturevalue("jar"), "main": "Unicode"}
        case "native:1":
            return {"kind": "native:1", "code": packed("exec", SHELL_SNOW.encode())}
        case "python:3":
            return {"kind": "python:3", "code": PYTHON_SNOW}
        case _:
            return {"kind": NODE, "code": NODE_SNOW}


class TestWskUnicode:
    def test_ensure_that_utf_8_is_supported_in_source_files_input_params_logs_and_output_results(
        self, user: User, program: dict[str, Any]
    ) -> None:
        offered = [kind["kind"] for family in user.get("/").json["runtimes"].values() for kind in family]
        assert program["kind"] in offered
        assert user.put("actions/unicode", {"exec": program}).status == 200
        ended = user.ended(user.invoke("unicode", {"delimiter": "❄"})["activationId"])
        assert ended == a_record(user, "unicode", {"winter": SNOW}, kind=program["kind"], logs=[printed(SNOW)])


class TestWskMultiRuntime:
    def test_update_an_action_with_different_language_and_check_preserving_params(self, user: User) -> None:
        user.make_action("updated", HELLO, kind=NODE, parameters=pairs(name="this is a test"))
        user.make_action("updated", GREETING)
        ended = user.ended(user.invoke("updated")["activationId"])
        logs = [printed("Hello this is a test")]
        assert ended == a_record(user, "updated", {"name": "this is a test"}, version="0.0.2", logs=logs)


class TestWskConsole:
    def test_show_an_activation_log_message_for_hello_world(self, user: User) -> None:
        user.make_package("samples", publish=True)
        user.make_action("samples/helloWorld", HELLO, kind=NODE)
        whole = user.ended(user.invoke("samples/helloWorld", {"payload": "from the console!"})["activationId"])
        assert whole["logs"] == [printed("hello, from the console!!")]
        since = whole["start"] - 500
        found = user.activations(1, name="samples/helloWorld", since=since, limit=0, skip=0)
        assert found == [whole]
        user.get("activations", docs=True, name="samples/helloWorld", since=whole["start"] + 1).gives([])

    @differs("an action has no network by which it could invoke itself: what repeats is a composition")
    def test_show_repeated_activations(self, user: User) -> None:
        user.make_action("tick", TICK, kind=NODE)
        user.make_action("countdown", COUNTDOWN, annotations=pairs(conductor=True))
        whole = user.invoke("countdown", {"n": 3})
        found = user.activations(4, name="tick", since=whole["start"] - 500)
        lines = [one["logs"] for one in found[::-1]]
        counted = [[printed(str(n))] for n in (3, 2, 1)]
        assert lines == [*counted, [printed("0"), printed("Happy New Year!")]]
