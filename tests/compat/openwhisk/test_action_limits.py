"""Upstream's `ActionLimitsTests`: which limits an action may have, and what happens at them."""

import itertools
from typing import Any

import pytest

from compat.openwhisk.asking import ECHO, ID, MB, MISSING, User, an_action, matching
from compat.openwhisk.programs import NODE, SLEEP
from compat.openwhisk.records import APPLICATION_ERROR, LIMITS, a_record, failed, printed

WARNED = printed("The action did not initialize or run as expected. Log data might be missing.", "stderr")
MANY_LINES = """
function main(params) {
  const lines = params.bytes / 16 || 1;
  for (let line = 0; line < lines; line += 1) console.log('123456789abcdef');
  return { lines };
}
"""
LARGE_RESULT = "def main(args):\n    return {'msg': args['char'] * args['size']}\n"
OPEN_FILES = """
const fs = require('fs');
function main({ wanted }) {
  const files = [];
  try {
    while (files.length < wanted) files.push(fs.openSync('/dev/zero', 'r'));
    return { opened: files.length };
  } catch (error) {
    return { error: { opened: files.length, code: error.code, errno: error.errno, syscall: error.syscall } };
  } finally {
    files.forEach((file) => fs.closeSync(file));
  }
}
"""
FILL_MEMORY = """
function main({ megabytes }) {
  gc();
  let blocks = [];
  for (let block = 0; block < megabytes * 16; block += 1) blocks.push(new Uint8Array(65536).fill(block));
  const filled = blocks.length / 16;
  blocks = [];
  gc();
  return { filled };
}
"""
LOG_ON_AND_ON = """
function main() {
  let line = 0;
  setInterval(() => console.log(`[${line += 1}] The quick brown fox`), 20);
  return new Promise((resolve) => setTimeout(resolve, 60000));
}
"""
ALLOWED = [
    {
        field: value
        for field, value in zip(("timeout", "memory", "logs", "concurrency"), values, strict=True)
        if value is not None
    }
    for values in itertools.product((None, 100, 300_000), (None, 128, 512), (None, 0, 10), (None, 1))
]
REFUSED: list[tuple[dict[str, int], str]] = [
    ({"timeout": 0}, "duration 0 milliseconds below allowed threshold of 100 milliseconds"),
    ({"timeout": 301_000}, "duration 301000 milliseconds exceeds allowed threshold of 300000 milliseconds"),
    ({"timeout": 3_000_000}, "duration 3000000 milliseconds exceeds allowed threshold of 300000 milliseconds"),
    ({"memory": 0}, "memory size 0 MB below allowed threshold of 128 MB"),
    ({"concurrency": 0}, "concurrency 0 below allowed threshold of 1"),
    ({"memory": 513}, "memory size 513 MB exceeds allowed threshold of 512 MB"),
    ({"memory": 2560}, "memory size 2560 MB exceeds allowed threshold of 512 MB"),
    ({"logs": 50}, "log size 50 MB exceeds allowed threshold of 10 MB"),
    ({"concurrency": 2**31 - 1}, "concurrency 2147483647 exceeds allowed threshold of 1"),
]


def body(limits: dict[str, int], code: str = ECHO) -> dict[str, Any]:
    return {"exec": {"kind": "python:3", "code": code}, "limits": limits}


class TestActionLimits:
    def test_allow_creation_of_an_action_with_these_limits(self, user: User) -> None:
        for number, limits in enumerate(ALLOWED):
            shown = an_action(user, f"a{number}", limits={**LIMITS, **limits})
            user.put(f"actions/a{number}", body(limits)).gives(shown)
            user.get(f"actions/a{number}").gives(shown)

    @pytest.mark.parametrize(("limits", "text"), REFUSED)
    def test_reject_creation_of_an_action_with_these_limits(
        self, user: User, limits: dict[str, int], text: str
    ) -> None:
        user.put("actions/a", body(limits)).refuses(400, text)
        user.get("actions/a").refuses(404, MISSING)

    def test_error_with_a_proper_warning_if_the_action_exceeds_its_time_limits(self, user: User) -> None:
        limits = {**LIMITS, "timeout": 500}
        user.make_action("a", SLEEP, limits=limits)
        response = failed("The action exceeded its time limits of 500 milliseconds.")
        answer = user.post("actions/a", {"ms": 30_000}, blocking=True)
        ran = {"limits": limits, "timeout": True}
        record = answer.gives(a_record(user, "a", {}, response=response, logs=[WARNED], ran=ran), 502)
        assert 500 <= record["duration"] < 30_000

    def test_succeed_on_an_action_staying_within_its_time_limits(self, user: User) -> None:
        limits = {**LIMITS, "timeout": 2000}
        user.make_action("a", SLEEP, limits=limits)
        answer = user.post("actions/a", {"ms": 500}, blocking=True)
        record = answer.gives(a_record(user, "a", {"slept": 500}, ran={"limits": limits}))
        assert record["duration"] >= 500

    def test_succeed_but_truncate_logs_if_log_size_exceeds_its_limit(self, user: User) -> None:
        limits = {**LIMITS, "logs": 1}
        user.make_action("a", MANY_LINES, kind=NODE, limits=limits)
        record = user.invoke("a", {"bytes": 2 * MB})
        *lines, last = record["logs"]
        assert last == printed(
            f"Logs were truncated because the total bytes size exceeds the limit of {MB} bytes.", "stderr"
        )
        assert all(line == printed("123456789abcdef") for line in lines)
        assert 0 < len(lines) < 2 * MB // 16
        logs = record["logs"]
        assert record == a_record(user, "a", {"lines": 2 * MB // 16}, kind=NODE, logs=logs, ran={"limits": limits})

    def test_successfully_invoke_an_action_with_a_payload_close_to_the_limit_1_mb(self, user: User) -> None:
        user.make_action("a")
        payload = {"p": "a" * (MB - 750)}
        user.post("actions/a", payload, blocking=True).gives(a_record(user, "a", payload))

    @pytest.mark.parametrize("blocking", [True, False])
    def test_succeed_but_truncate_result_if_result_exceeds_its_limit(self, user: User, blocking: bool) -> None:
        user.make_action("a", LARGE_RESULT)
        answer = user.post("actions/a", {"size": MB, "char": "a"}, blocking=blocking)
        text = matching(
            rf"The action produced a response that exceeded the allowed length: {MB + 10} > {MB} bytes\. "
            r'The truncated response was: \{"msg": ?"a+'
        )
        shown = a_record(user, "a", {}, response=failed(text, APPLICATION_ERROR))
        if blocking:
            answer.gives(shown, 502)
        else:
            assert user.ended(answer.gives({"activationId": ID}, 202)["activationId"]) == shown

    def test_succeed_with_one_log_line(self, user: User) -> None:
        user.make_action("a", MANY_LINES, kind=NODE)
        answer = user.post("actions/a", blocking=True)
        answer.gives(a_record(user, "a", {"lines": 1}, kind=NODE, logs=[printed("123456789abcdef")]))

    def test_fail_on_creating_an_action_with_exec_which_is_too_big(self, user: User) -> None:
        text = f"exec larger than allowed: {48 * MB + 1} > {48 * MB} bytes."
        user.put("actions/a", body({}, "a" * (48 * MB + 1))).refuses(413, text)
        user.get("actions/a").refuses(404, MISSING)

    def test_successfully_invoke_an_action_when_it_is_within_nofile_limit(self, user: User) -> None:
        user.make_action("a", OPEN_FILES, kind=NODE)
        user.post("actions/a", {"wanted": 994}, blocking=True, result=True).gives({"opened": 994})

    def test_fail_to_invoke_an_action_when_it_exceeds_nofile_limit(self, user: User) -> None:
        user.make_action("a", OPEN_FILES, kind=NODE)
        answer = user.post("actions/a", {"wanted": 1025}, blocking=True, result=True)
        opened = answer.json["error"]["opened"]
        answer.gives({"error": {"opened": opened, "code": "EMFILE", "errno": -24, "syscall": "open"}}, 502)
        assert 994 <= opened < 1024

    def test_be_able_to_run_memory_intensive_actions_multiple_times_by_running_the_gc_in_the_action(
        self, user: User
    ) -> None:
        user.make_action("a", FILL_MEMORY, kind=NODE, limits={"memory": 512})
        for _ in range(10):
            user.post("actions/a", {"megabytes": 128}, blocking=True, result=True).gives({"filled": 128})

    def test_be_able_to_run_a_memory_intensive_actions(self, user: User) -> None:
        user.make_action("a", FILL_MEMORY, kind=NODE, limits={"memory": 512})
        user.post("actions/a", {"megabytes": 456}, blocking=True, result=True).gives({"filled": 456})

    def test_be_aborted_when_exceeding_its_memory_limits(self, user: User) -> None:
        limits = {**LIMITS, "memory": 128}
        user.make_action("a", "def main(args):\n    return {'size': len(b'x' * 2**28)}\n", limits=limits)
        response = failed("The action exhausted its memory and was aborted.")
        answer = user.post("actions/a", blocking=True)
        answer.gives(a_record(user, "a", {}, response=response, logs=[WARNED], ran={"limits": limits}), 502)

    def test_interrupt_the_heavy_logging_action_within_its_time_limits(self, user: User) -> None:
        limits = {**LIMITS, "timeout": 1000}
        user.make_action("a", LOG_ON_AND_ON, kind=NODE, limits=limits)
        answer = user.post("actions/a", blocking=True)
        *lines, last = answer.json["logs"]
        assert last == WARNED
        assert lines == [printed(f"[{number}] The quick brown fox") for number in range(1, len(lines) + 1)]
        assert lines != []
        response = failed("The action exceeded its time limits of 1000 milliseconds.")
        ran = {"limits": limits, "timeout": True}
        shown = a_record(user, "a", {}, kind=NODE, response=response, logs=[*lines, last], ran=ran)
        assert answer.gives(shown, 502)["duration"] < 60_000
