"""One action in each language, and in a container image: the same JSON in and out, and the same words for what fails.

A Java jar and a Go program are compiled here; the shell script speaks the ActionLoop by hand.
"""

import base64
import io
import json
import os
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import imagekit
from enginekit import a_program, a_run, act, error_of
from rambla.app.engines import Engines
from rambla.domain.activation import RunResult

pytestmark = pytest.mark.anyio
SKELETON = "blackbox:docker.io/openwhisk/dockerskeleton:latest"
BYTES = base64.b64encode(bytes(range(256))).decode()
GIVEN = {"text": "Zoë 你好 🎈", "number": 1.5, "list": [1, None, True], "bytes": BYTES}
PYTHON = """
import os, sys, time
def main(args):
    print("out ü"); print("err ü", file=sys.stderr)
    do = args.get("do")
    if do == "error": return {"error": "mine"}
    if do == "crash": os._exit(3)
    if do == "hang": time.sleep(60)
    if do == "memory":
        kept = []
        while True: kept.append(bytearray(1 << 20))
    return args
"""
NODE = """
function main(args) {
  console.log("out ü"); console.error("err ü");
  if (args.do === "error") return {error: "mine"};
  if (args.do === "crash") process.exit(3);
  if (args.do === "hang") return new Promise(() => setInterval(() => {}, 1000));
  if (args.do === "memory") { const kept = []; for (;;) kept.push(Buffer.alloc(1 << 20, 1)); }
  return args;
}
"""
JAVA = """
import com.google.gson.JsonObject;
import java.util.*;
public class Act {
    public static JsonObject main(JsonObject args) throws Exception {
        System.out.println("out ü"); System.err.println("err ü");
        String todo = args.has("do") ? args.get("do").getAsString() : "";
        switch (todo) {
            case "error": args.remove("do"); args.addProperty("error", "mine"); return args;
            case "crash": System.exit(3); break;
            case "hang": Thread.sleep(60000); break;
            case "memory": List<byte[]> kept = new ArrayList<>(); while (true) kept.add(new byte[1 << 20]);
        }
        return args;
    }
}
"""
SHELL = r"""#!/bin/bash
while read -r line; do
  echo "out ü"; echo "err ü" >&2
  value="${line#*\"value\": }"; value="${value%%, \"namespace\"*}"
  case "$line" in
    *'"do": "error"'*) value='{"error": "mine"}' ;;
    *'"do": "crash"'*) exit 3 ;;
    *'"do": "hang"'*) sleep 60 ;;
    *'"do": "memory"'*) exec python3 -c 'kept = []
while True: kept.append(bytearray(1 << 20))' ;;
  esac
  echo "$value" >&3
done
"""
SKELETON_SHELL = """#!/bin/bash
echo "out ü"; echo "err ü" >&2
case "$1" in
  *'"do": "error"'*) echo '{"error": "mine"}' ;;
  *'"do": "crash"'*) kill -9 $PPID; sleep 1 ;;
  *'"do": "hang"'*) sleep 60 ;;
  *'"do": "memory"'*) python3 -c 'kept = []
while True: kept.append(bytearray(1 << 20))'; kill -9 $PPID; sleep 1 ;;
  *) cat ;;
esac
"""
GO = """package main
import ("bufio"; "encoding/json"; "fmt"; "os"; "time")
func main() {
	in, out := bufio.NewReader(os.Stdin), os.NewFile(3, "answers")
	for {
		line, err := in.ReadBytes('\\n')
		if err != nil { return }
		var request struct { Value map[string]any `json:"value"` }
		json.Unmarshal(line, &request)
		fmt.Println("out ü"); fmt.Fprintln(os.Stderr, "err ü")
		answer := any(request.Value)
		switch request.Value["do"] {
		case "error": answer = map[string]string{"error": "mine"}
		case "crash": os.Exit(3)
		case "hang": time.Sleep(time.Minute)
		case "memory":
			kept := [][]byte{}
			for { block := make([]byte, 1<<20); for at := range block { block[at] = 1 }; kept = append(kept, block) }
		}
		text, _ := json.Marshal(answer)
		out.Write(append(text, '\\n'))
	}
}
"""


@dataclass(frozen=True)
class Language:
    kind: str
    code: str
    binary: bool = False
    main: str = ""


def packed(files: dict[str, str | bytes]) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="session")
def jar(tmp_path_factory: pytest.TempPathFactory) -> str:
    gson = Path("/usr/share/java/gson.jar")
    if not shutil.which("javac") or not gson.exists():
        pytest.skip("needs a JDK and gson: apt-get install default-jdk-headless libgoogle-gson-java")
    folder = tmp_path_factory.mktemp("java")
    (folder / "Act.java").write_text(JAVA)
    subprocess.run(["javac", "-encoding", "UTF-8", "-cp", str(gson), "Act.java"], cwd=folder, check=True)
    return packed({"Act.class": (folder / "Act.class").read_bytes()})


@pytest.fixture(scope="session")
def go_program(tmp_path_factory: pytest.TempPathFactory) -> str:
    if not shutil.which("go"):
        pytest.skip("needs Go: apt-get install golang-go")
    folder = tmp_path_factory.mktemp("go")
    (folder / "act.go").write_text(GO)
    environment = {**os.environ, "CGO_ENABLED": "0", "GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod"}
    subprocess.run(["go", "build", "-o", "exec", "act.go"], cwd=folder, check=True, env=environment)
    return packed({"exec": (folder / "exec").read_bytes()})


@pytest.fixture(params=["python", "nodejs", "java", "shell", "skeleton", "go", "image"])
def language(request: pytest.FixtureRequest, engines: Engines) -> Language:
    name = request.param
    if name in ("nodejs", "java") and name not in engines.health().runtimes:
        pytest.skip(engines.health().parts[name])
    match name:
        case "java":
            return Language("java:17", request.getfixturevalue("jar"), binary=True, main="Act")
        case "go":
            return Language("go:1.20", request.getfixturevalue("go_program"), binary=True)
        case "shell":
            return Language("native:1", packed({"exec": SHELL}), binary=True)
        case "skeleton":
            return Language(SKELETON, SKELETON_SHELL)
        case "image":
            request.getfixturevalue("images")
            return Language(imagekit.KIND, "table")
        case "nodejs":
            return Language("nodejs:20", NODE)
        case _:
            return Language("python:3", PYTHON)


async def run(engines: Engines, language: Language, timeout_ms: int = 60_000, **given: Any) -> RunResult:
    program = a_program(language.code, language.kind, binary=language.binary, main=language.main)
    return await act(engines, program, a_run(given, timeout_ms=timeout_ms))


async def test_the_same_json_comes_out_and_logs_on_both_streams(engines: Engines, language: Language) -> None:
    result = await run(engines, language, **GIVEN)
    assert (result.status, json.loads(result.result)) == ("success", GIVEN), result
    assert {(line.stream, line.text) for line in result.logs} == {("stdout", "out ü"), ("stderr", "err ü")}


async def test_an_error_is_the_applications(engines: Engines, language: Language) -> None:
    result = await run(engines, language, do="error")
    assert (result.status, error_of(result)) == ("application error", "mine")


async def test_a_crash_is_told(engines: Engines, language: Language) -> None:
    result = await run(engines, language, do="crash")
    expected = "The action did not produce a valid response and exited unexpectedly."
    assert (result.status, error_of(result)) == ("action developer error", expected)


async def test_what_takes_too_long_is_ended(engines: Engines, language: Language) -> None:
    result = await run(engines, language, timeout_ms=5000, do="hang")
    assert result.timed_out
    assert error_of(result).startswith("The action exceeded its time limits of 5000 milliseconds")


async def test_what_takes_too_much_memory_is_ended(engines: Engines, language: Language) -> None:
    groups = engines.health().parts["control groups"]
    if not groups.startswith("works") and language.kind not in ("python:3", "java:17", imagekit.KIND):
        pytest.skip(f"only control groups bound it: {groups}")
    result = await run(engines, language, do="memory")
    assert (result.status, error_of(result)) == (
        "action developer error",
        "The action exhausted its memory and was aborted.",
    ), result.logs


@pytest.mark.parametrize(
    ("code", "binary", "why"),
    [
        ("", False, "Missing main/no code to execute."),
        ("package main", False, "source code is not compiled here: send a program, or a zip with one named 'exec'"),
        (packed({"other": "x"}), True, "the zip file has no program 'exec' at its root"),
        (packed({"../exec": "x"}), True, "the zip file reaches outside: '../exec'"),
        (packed({"exec": "no program"}), True, "exec cannot be started: Exec format error"),
    ],
)
async def test_a_program_that_is_none_is_refused_with_the_reason(
    engines: Engines, code: str, binary: bool, why: str
) -> None:
    result = await run(engines, Language("native:1", code, binary))
    assert error_of(result) == f"Initialization has failed due to: {why}"


async def test_a_program_is_started_once_and_told_its_context(engines: Engines) -> None:
    script = '#!/bin/bash\nn=0\nwhile read -r line; do n=$((n+1)); echo "{\\"n\\": $n, \\"pid\\": $$}" >&3; done\n'
    sandbox = await engines.start("native:1", 256, grants=False)
    assert await sandbox.init(a_program(script, "native:1"), a_run()) is None
    first, second = [json.loads((await sandbox.run(a_run())).result) for _ in range(2)]
    assert (first["n"], second["n"], first["pid"]) == (1, 2, second["pid"])
    await sandbox.close()


@pytest.mark.parametrize(
    ("main", "why"),
    [("Absent", "java.lang.ClassNotFoundException: Absent"), ("Act#other", "java.lang.NoSuchMethodException")],
)
async def test_a_java_action_without_its_entry_is_refused(engines: Engines, jar: str, main: str, why: str) -> None:
    if "java" not in engines.health().runtimes:
        pytest.skip(engines.health().parts["java"])
    assert why in error_of(await run(engines, Language("java:17", jar, binary=True, main=main)))
