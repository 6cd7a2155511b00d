"""What do tests of the engine say again and again? Runs, programs and one activation from start to end."""

import json
import sys
from pathlib import Path
from typing import Any

from rambla.domain.activation import RunResult
from rambla.drivers.process import environments
from rambla.engine.ports import Engine, Program, Run

_TMP = Path("/tmp")


def bare_tmp() -> list[str]:
    """What /tmp holds in a sandbox that has written nothing: nothing, but the way to a runtime that lies below it."""
    shown = (environments.default_folder(), environments.RUNTIMES, Path(sys.base_prefix))
    return sorted({path.parts[2] for path in shown if _TMP in path.parents})


def a_run(payload: dict[str, Any] | None = None, **changes: Any) -> Run:
    given: dict[str, Any] = {
        "activation_id": "0" * 32,
        "payload": json.dumps(payload or {}).encode(),
        "context": {"namespace": "guest", "action_name": "/guest/a", "activation_id": "0" * 32},
        "timeout_ms": 30_000,
        "log_bytes_max": 10 << 20,
        "result_bytes_max": 1 << 20,
    }
    return Run(**(given | changes))


def a_program(code: str, kind: str = "python:3", **changes: Any) -> Program:
    given: dict[str, Any] = {"kind": kind, "name": "a", "main": "", "code": code, "binary": False}
    return Program(**(given | changes))


async def act(engine: Engine, program: Program, run: Run | None = None, memory_mb: int = 256) -> RunResult:
    """Start a sandbox, load `program`, run it once, close it."""
    run = run or a_run()
    sandbox = await engine.start(program.kind, memory_mb, grants=bool(run.grants))
    try:
        return await sandbox.init(program, run) or await sandbox.run(run)
    finally:
        await sandbox.close()


async def value_of(engine: Engine, code: str, **changes: Any) -> Any:
    """The result of Python `code` that must succeed."""
    result = await act(engine, a_program(code), a_run(**changes))
    assert result.status == "success", (result.result, [line.text for line in result.logs])
    return json.loads(result.result)


def error_of(result: RunResult) -> Any:
    return json.loads(result.result)["error"]
