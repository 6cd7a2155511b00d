"""Python actions: OpenWhisk's calling convention, its texts, and every way to fail."""

import base64
import io
import json
import tempfile
import zipfile
from pathlib import Path

import pytest

from enginekit import a_program, a_run, act, error_of, value_of
from rambla.drivers.process import environments
from rambla.drivers.process.engine import ProcessEngine, ProcessSettings, open_engine

pytestmark = pytest.mark.anyio
NOT_A_DICT = "The action did not return a dictionary or array."
EXITED = "The action did not produce a valid response and exited unexpectedly."
MISSING = "The action did not initialize or run as expected. Log data might be missing."


def zipped(**files: str) -> str:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(buffer.getvalue()).decode()


async def test_main_gets_the_payload_and_its_dictionary_is_the_result(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("def main(args): return {'sum': args['a'] + 1}"), a_run({"a": 41}))
    assert (result.status, json.loads(result.result)) == ("success", {"sum": 42})


async def test_a_list_is_a_result_too(engine: ProcessEngine) -> None:
    assert await value_of(engine, "def main(args): return [1, 'two']") == [1, "two"]


async def test_unicode_passes_unchanged_in_arguments_results_and_logs(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("def main(a):\n print(a['t'])\n return a"), a_run({"t": "Grüße 🎈 \u2028"}))
    assert json.loads(result.result) == {"t": "Grüße 🎈 \u2028"}
    assert result.logs[0].text == "Grüße 🎈 \u2028"


async def test_another_main_may_be_named(engine: ProcessEngine) -> None:
    program = a_program("def other(args): return {'ran': 'other'}", main="other")
    assert json.loads((await act(engine, program)).result) == {"ran": "other"}


async def test_a_zip_is_unpacked_and_may_import_its_own_modules(engine: ProcessEngine) -> None:
    code = zipped(**{
        "__main__.py": "import helper, bundled\ndef main(args): return {'said': helper.WORD + bundled.WORD}",
        "helper.py": "WORD = 'hi'",
        "virtualenv/lib/python3.11/site-packages/bundled.py": "WORD = '!'",
        "virtualenv/lib/python3.12/site-packages/bundled.py": "WORD = '!'",
        "virtualenv/lib/python3.13/site-packages/bundled.py": "WORD = '!'",
        "virtualenv/lib/python3.14/site-packages/bundled.py": "WORD = '!'",
    })  # fmt: skip
    result = await act(engine, a_program(code, binary=True))
    assert json.loads(result.result) == {"said": "hi!"}, result


async def test_the_listed_packages_can_be_imported(engine: ProcessEngine) -> None:
    code = (
        "import PIL.Image, requests, swiftclient, boto3\ndef main(a): return {'size': PIL.Image.new('L', (3, 4)).size}"
    )
    assert await value_of(engine, code) == {"size": [3, 4]}


async def test_a_runtime_below_tmp_is_found_in_a_sandbox_with_a_tmp_of_its_own(runtimes: None) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        (Path(folder) / "python3").symlink_to(environments.default_folder().resolve() / "python3")
        engine = await open_engine(ProcessSettings(runtimes=folder))
        try:
            code = "import os, sys\ndef main(a): return os.listdir(sys.prefix)"
            assert "pyvenv.cfg" in await value_of(engine, code)
        finally:
            await engine.close()


async def test_the_environment_holds_the_context_and_the_init_parameters(engine: ProcessEngine) -> None:
    program = a_program("import os\ndef main(args): return dict(os.environ)", env={"COLOUR": "red"})
    environment = json.loads((await act(engine, program)).result)
    assert environment["__OW_ACTION_NAME"] == "/guest/a"
    assert environment["COLOUR"] == "red"


async def test_a_sandbox_is_reused_and_its_state_stays_with_it(engine: ProcessEngine) -> None:
    sandbox = await engine.start("python:3", 128, grants=False)
    code = "n = 0\ndef main(args):\n global n\n n += 1\n print('run', n)\n return {'n': n}"
    assert await sandbox.init(a_program(code), a_run()) is None
    for expected in (1, 2, 3):
        result = await sandbox.run(a_run())
        assert json.loads(result.result) == {"n": expected}
        assert [line.text for line in result.logs] == [f"run {expected}"]
    await sandbox.close()


async def test_both_streams_are_logged_from_python_children_and_c_code(engine: ProcessEngine) -> None:
    code = """
import ctypes, os, subprocess, sys
print("loading")
def main(args):
    print("out"); print("err", file=sys.stderr); os.write(1, b"raw\\n")
    subprocess.run(["sh", "-c", "echo child; echo child-err >&2"])
    libc = ctypes.CDLL(None); libc.puts(b"c"); libc.fflush(None)
    print("unfinished", end="")
    return {}
"""
    result = await act(engine, a_program(code))
    lines = {(line.stream, line.text) for line in result.logs}
    assert lines == {
        ("stdout", "loading"), ("stdout", "out"), ("stderr", "err"), ("stdout", "raw"), ("stdout", "child"),
        ("stderr", "child-err"), ("stdout", "c"), ("stdout", "unfinished"),
    }  # fmt: skip


async def test_a_million_lines_are_cut_at_the_limit_and_the_run_succeeds(engine: ProcessEngine) -> None:
    code = "def main(args):\n for i in range(1_000_000): print('line', i)\n return {'done': True}"
    result = await act(engine, a_program(code), a_run(log_bytes_max=100_000))
    assert result.status == "success"
    assert 500 < len(result.logs) < 5000
    assert result.logs[-1].text == "Logs were truncated because the total bytes size exceeds the limit of 100000 bytes."


async def test_an_error_key_is_an_application_error(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("def main(args): return {'error': {'why': 'no'}}"))
    assert (result.status, error_of(result)) == ("application error", {"why": "no"})


async def test_an_exception_is_the_applications_error_with_a_traceback_of_its_own_lines(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("def main(args):\n    raise ValueError('not today')"))
    assert (result.status, error_of(result)) == ("application error", "not today")
    text = "\n".join(line.text for line in result.logs)
    assert "raise ValueError('not today')" in text
    assert "worker.py" not in text


@pytest.mark.parametrize("value", ["None", "3", "'text'", "iter([])"])
async def test_only_dictionaries_and_lists_are_results(engine: ProcessEngine, value: str) -> None:
    result = await act(engine, a_program(f"def main(args): return {value}"))
    assert (result.status, error_of(result)) == ("action developer error", NOT_A_DICT)
    assert result.logs[-1].text == MISSING


@pytest.mark.parametrize("value", ["{'a': float('nan')}", "{'a': {1}}", "a", "{'a': '\\ud800'}", "deep"])
async def test_what_json_cannot_say_is_a_developer_error(engine: ProcessEngine, value: str) -> None:
    code = "a = {}\na['a'] = a\ndeep = []\nfor _ in range(10**5): deep = [deep]\ndef main(args): return " + value
    result = await act(engine, a_program(code))
    assert result.status == "action developer error"
    assert error_of(result).startswith("The action did not produce a valid JSON or JSON Array response: ")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("", "Missing main/no code to execute."),
        ("def main(:", "Initialization has failed due to: SyntaxError: "),
        ("x = 1", "Initialization has failed due to: the action has no function 'main'."),
        ("1 / 0", "Initialization has failed due to: ZeroDivisionError: division by zero"),
        ("import no_such_thing", "Initialization has failed due to: ModuleNotFoundError: "),
    ],
)
async def test_code_that_cannot_be_loaded_says_why(engine: ProcessEngine, code: str, reason: str) -> None:
    result = await act(engine, a_program(code))
    assert result.status == "action developer error"
    assert error_of(result).startswith(reason)
    assert result.init_ms is not None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (base64.b64encode(b"not a zip").decode(), "cannot unpack the zip file"),
        (zipped(**{"other.py": ""}), "Zip file does not include __main__.py."),
        (zipped(**{"../../evil.py": "", "__main__.py": ""}), "the zip file reaches outside"),
        (zipped(**{"/etc/evil.py": "", "__main__.py": ""}), "the zip file reaches outside"),
    ],
)
async def test_a_bad_zip_says_why(engine: ProcessEngine, code: str, reason: str) -> None:
    result = await act(engine, a_program(code, binary=True))
    assert result.status == "action developer error"
    assert reason in error_of(result)


@pytest.mark.parametrize(
    "crash",
    ["os._exit(0)", "sys.exit(1)", "os.kill(os.getpid(), 9)", "ctypes.string_at(0)", "os.abort()", "os.close(3)"],
)
async def test_a_crash_is_that_activations_developer_error(engine: ProcessEngine, crash: str) -> None:
    code = (
        f"import ctypes, os, sys\ndef main(args):\n print('before', flush=True)\n {crash}\n import time; time.sleep(20)"
    )
    sandbox = await engine.start("python:3", 128, grants=False)
    assert await sandbox.init(a_program(code), a_run()) is None
    result = await sandbox.run(a_run())
    assert (result.status, error_of(result)) == ("action developer error", EXITED)
    assert [line.text for line in result.logs][:: len(result.logs) - 1] == ["before", MISSING]
    assert not sandbox.alive
    await sandbox.close()
    assert await value_of(engine, "def main(args): return {'well': True}") == {"well": True}


async def test_a_crash_while_loading_is_told_as_such(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("import os\nos._exit(3)"))
    assert error_of(result) == "The action did not initialize and exited unexpectedly."


async def test_an_endless_loop_is_ended_at_its_deadline(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("def main(args):\n print('on')\n while True: pass"), a_run(timeout_ms=300))
    assert result.timed_out
    assert error_of(result) == "The action exceeded its time limits of 300 milliseconds."
    assert result.logs[0].text == "on"


async def test_endless_loading_is_ended_too(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("while True: pass"), a_run(timeout_ms=300))
    assert error_of(result) == "The action exceeded its time limits of 300 milliseconds during initialization."


async def test_a_memory_bomb_is_told_as_such(engine: ProcessEngine) -> None:
    code = "def main(args):\n hoard = []\n while True: hoard.append(bytearray(1 << 20))"
    result = await act(engine, a_program(code), memory_mb=128)
    assert (result.status, error_of(result)) == (
        "action developer error",
        "The action exhausted its memory and was aborted.",
    )


async def test_recursion_without_end_is_an_ordinary_exception(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("def main(args): return main(args)"))
    assert result.status == "application error"
    assert "recursion" in error_of(result)


async def test_a_result_that_is_too_large_is_an_application_error_with_its_beginning(engine: ProcessEngine) -> None:
    result = await act(engine, a_program("def main(args): return {'a': 'x' * (2 << 20)}"))
    assert result.status == "application error"
    start = "The action produced a response that exceeded the allowed length: 2097160 > 1048576 bytes. "
    assert error_of(result).startswith(start + 'The truncated response was: {"a":"xxx')


async def test_the_size_limit_itself_is_allowed(engine: ProcessEngine) -> None:
    assert len((await value_of(engine, "def main(args): return {'a': 'x' * ((1 << 20) - 8)}"))["a"]) == (1 << 20) - 8


HOSTILE = """
import os, struct, time
def frame(body, size=None, job=2, kind=19):
    return struct.pack("<IIBBH", len(body) if size is None else size, job, kind, 0, 0) + body
def main(args):
    os.write(3, {what})
    time.sleep({nap})
    return {{"honest": True}}
"""


@pytest.mark.parametrize(
    "what",
    [
        "b'garbage' * 1000",
        "frame(b'', size=0xffffffff)",
        "frame(b'{}', job=99)",
        "frame(b'nonsense', kind=77)",
        "frame(b'{}') + frame(b'{}')",
    ],
)
async def test_hostile_frames_end_the_sandbox_and_nothing_else(engine: ProcessEngine, what: str) -> None:
    sandbox = await engine.start("python:3", 128, grants=False)
    assert await sandbox.init(a_program(HOSTILE.format(what=what, nap=20)), a_run()) is None
    result = await sandbox.run(a_run(timeout_ms=10_000))
    assert not result.timed_out
    assert not sandbox.alive or result.status == "success"
    await sandbox.close()
    assert await value_of(engine, "def main(args): return {'well': True}") == {"well": True}


@pytest.mark.parametrize("forged", ["b'{'", "b'3'", "b'{\"a\":NaN}'", 'b\'{"a":"\\xff"}\'', "b'[' * 100000"])
async def test_forged_results_that_are_not_json_never_enter(engine: ProcessEngine, forged: str) -> None:
    result = await act(engine, a_program(HOSTILE.format(what=f"frame({forged})", nap=0)))
    assert result.status == "action developer error"
    assert error_of(result).startswith("The action did not produce a valid JSON or JSON Array response: ")


async def test_children_of_user_code_do_not_get_the_control_descriptor(engine: ProcessEngine) -> None:
    code = """
import subprocess
def main(args):
    done = subprocess.run("ls /proc/self/fd", shell=True, capture_output=True, text=True, close_fds=False)
    return {"fds": done.stdout.split()}
"""
    assert await value_of(engine, code) == {"fds": ["0", "1", "2", "3"]}  # 3 is the folder that ls itself reads


async def test_exit_statuses_of_children_reach_user_code(engine: ProcessEngine) -> None:
    assert await value_of(
        engine, "import subprocess\ndef main(a): return {'c': subprocess.call(['sh', '-c', 'exit 7'])}"
    ) == {"c": 7}


async def test_two_sandboxes_draw_different_random_numbers(engine: ProcessEngine) -> None:
    code = "import random, uuid, ssl\ndef main(a): return [random.random(), str(uuid.uuid4()), ssl.RAND_bytes(8).hex()]"
    one, two = await value_of(engine, code), await value_of(engine, code)
    assert all(left != right for left, right in zip(one, two, strict=True))
