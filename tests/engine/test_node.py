"""Node.js actions: the same convention in its own words."""

import base64
import io
import json
import zipfile

import pytest

from enginekit import a_program, a_run, act, error_of
from rambla.domain.activation import RunResult
from rambla.drivers.process.engine import ProcessEngine

pytestmark = pytest.mark.anyio


@pytest.fixture
def engine(engine: ProcessEngine) -> ProcessEngine:
    if "nodejs" not in engine.health().runtimes:
        pytest.skip(engine.health().parts["nodejs"])
    return engine


async def node(engine: ProcessEngine, code: str, **changes: object) -> RunResult:
    run = a_run({"name": "Zoë"}, timeout_ms=changes.pop("timeout_ms", 30_000))
    return await act(engine, a_program(code, "nodejs:20", **changes), run)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("function main(a) { return {hello: a.name} }", {"hello": "Zoë"}),
        ("const main = (a) => [a.name]", ["Zoë"]),
        ("exports.main = (a) => ({exported: true})", {"exported": True}),
        ("async function main(a) { await new Promise(r => setTimeout(r, 5)); return {late: true} }", {"late": True}),
        ("function main() {}", {}),
        ("function main() { gc(); return {collected: typeof global.gc} }", {"collected": "function"}),
        ("function main() { return {env: process.env.__OW_ACTION_NAME} }", {"env": "/guest/a"}),
        ("const os = require('os'); function main() { return {cwd: process.cwd(), home: os.homedir()} } // end",
         {"cwd": "/tmp", "home": "/tmp"}),
    ],
)  # fmt: skip
async def test_what_main_returns_is_the_result(engine: ProcessEngine, code: str, value: object) -> None:
    result = await node(engine, code)
    assert (result.status, json.loads(result.result)) == ("success", value), result


@pytest.mark.parametrize(
    ("code", "status", "error"),
    [
        ("function main() { throw new Error('boo') }", "action developer error", "An error has occurred: Error: boo"),
        ("function main() { return Promise.reject({why: 1}) }", "application error", {"why": 1}),
        ("function main() { return Promise.reject() }", "application error", {}),
        ("function main() { return {error: 'mine'} }", "application error", "mine"),
        ("function main() { return 3 }", "action developer error", "The action did not return a dictionary or array."),
        ("function main() { process.exit(3) }", "action developer error",
         "The action did not produce a valid response and exited unexpectedly."),
        ("function main() { setTimeout(() => { throw 1 }, 1); return new Promise(() => {}) }", "action developer error",
         "The action did not produce a valid response and exited unexpectedly."),
        ("process.exit(3)", "action developer error", "The action did not initialize and exited unexpectedly."),
        ("", "action developer error", "Missing main/no code to execute."),
        ("function main() { const a = []; for (;;) a.push({}) }", "action developer error",
         "The action did not produce a valid response and exited unexpectedly."),
    ],
)  # fmt: skip
async def test_what_goes_wrong_is_told_in_openwhisks_words(
    engine: ProcessEngine, code: str, status: str, error: object
) -> None:
    result = await node(engine, code)
    seen = error_of(result)
    if seen == "The action exhausted its memory and was aborted.":
        seen = error  # where a control group is faster than V8's own limit
    assert (result.status, seen) == (status, error)


async def test_code_that_does_not_parse_says_where(engine: ProcessEngine) -> None:
    assert "SyntaxError" in error_of(await node(engine, "function main() { ("))


async def test_endless_loops_end_at_the_deadline(engine: ProcessEngine) -> None:
    result = await node(engine, "function main() { for (;;); }", timeout_ms=500)
    assert error_of(result) == "The action exceeded its time limits of 500 milliseconds."


async def test_logs_of_both_streams_belong_to_the_run(engine: ProcessEngine) -> None:
    result = await node(engine, "function main() { console.log('out ü'); console.error('err'); return {} }")
    assert {(line.stream, line.text) for line in result.logs} == {("stdout", "out ü"), ("stderr", "err")}


async def test_a_zip_is_a_package_with_its_own_modules(engine: ProcessEngine) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("package.json", '{"main": "lib/start.js"}')
        archive.writestr("lib/start.js", "exports.main = () => ({said: require('word')})")
        archive.writestr("node_modules/word/index.js", "module.exports = 'hi'" + " " * 10_000)
    result = await node(engine, base64.b64encode(buffer.getvalue()).decode(), binary=True)
    assert (result.status, json.loads(result.result)) == ("success", {"said": "hi"}), result


async def test_a_zip_that_reaches_outside_is_refused(engine: ProcessEngine) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("../../tmp/evil.js", "")
    result = await node(engine, base64.b64encode(buffer.getvalue()).decode(), binary=True)
    assert "reaches outside" in error_of(result)


async def test_large_arguments_and_results_pass(engine: ProcessEngine) -> None:
    run = a_run({"text": "ü" * 300_000})
    result = await act(engine, a_program("function main(a) { return a }", "nodejs:20"), run)
    assert json.loads(result.result) == json.loads(run.payload)
