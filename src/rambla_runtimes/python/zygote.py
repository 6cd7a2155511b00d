"""How is a Python sandbox ready in a few milliseconds?

A zygote is one warm, single-threaded interpreter behind the walls of `jail`; each sandbox is a fork of it that isolates
itself before it reads anything. Started by the platform as `python -I zygote.py CONTROL_FD`. The control channel is a
SOCK_SEQPACKET socket: first the configuration, then `start` (with the sandbox's stream, stdout, stderr and control
group files) and `kill`; in the other direction `ready` once and `exit` for each end. It never runs user code itself.
"""

import array
import fcntl
import gc
import json
import os
import resource
import select
import shutil
import signal
import socket
import sys
import tempfile
from dataclasses import replace
from typing import Any, NoReturn

# With -I neither this folder nor the package is on the path; once imported, it need not be, and user code sees none.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
from rambla_runtimes.native import worker as native
from rambla_runtimes.python import warm, worker
from rambla_runtimes.sandbox import enclosure, frames, isolation, linux

del sys.path[0]

_MESSAGE_BYTES_MAX = 65536
_DESCRIPTORS_MAX = 8
_STREAM, _FIRST_FREE, _SPARE = 3, 4, 64
_ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
Message = dict[str, Any]


class Zygote:
    """Starts, kills and buries sandboxes, one request at a time."""

    def __init__(self, control: socket.socket, config: Message, plan: isolation.Plan) -> None:
        self._control, self._config, self._plan = control, config, plan
        self._numbers: dict[int, int] = {}
        self._folders: dict[int, str] = {}
        self._own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY) if plan.namespaces else -1
        self._woken, waker = socket.socketpair()
        waker.setblocking(False)
        self._waker = waker
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)

    def serve(self) -> None:
        """Until the platform hangs up; then the caller ends, and every sandbox with it."""
        poll = select.poll()
        for source in (self._control, self._woken):
            poll.register(source, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._woken.fileno() in ready:
                self._woken.recv(4096)
                self._bury()
            if self._control.fileno() in ready and not self._obey():
                return

    def _obey(self) -> bool:
        text, descriptors = _receive(self._control)
        if not text:
            return False
        request = json.loads(text)
        if request["op"] == "start":
            self._start(request, descriptors)
        else:
            self._kill(request["id"])
        return True

    def _start(self, request: Message, descriptors: list[int]) -> None:
        plan = self._plan
        try:
            plan = self._plan_for(request)
            if plan.namespaces:
                linux.unshare(linux.CLONE_NEWPID)  # of the children; pid 1 in it is the fork below
            pid = os.fork()
        except OSError as error:  # no memory, or a limit of the host's: this start fails, the zygote lives
            sys.stderr.write(f"zygote: {error}\n")
            self._tell({"op": "exit", "id": request["id"], "status": -1})
            pid = -1
        if not pid:
            become_sandbox(plan, request, descriptors, self._config)
        if plan.namespaces:
            linux.setns(self._own_pids, linux.CLONE_NEWPID)
        for descriptor in descriptors:
            os.close(descriptor)
        if pid > 0:
            self._numbers[pid] = request["id"]
            if not plan.namespaces:
                self._folders[pid] = plan.folder
        elif plan.folder != self._plan.folder:
            os.rmdir(plan.folder)

    def _plan_for(self, request: Message) -> isolation.Plan:
        memory = 0 if request["grouped"] else request["memory_bytes"]
        plan = replace(self._plan, memory_bytes=memory, grants=request["grants"], nice=not request["weighed"])
        return plan if plan.namespaces else replace(plan, folder=tempfile.mkdtemp(prefix="rambla-"))

    def _kill(self, number: int) -> None:
        """We are the parent, so until we bury it the pid is nobody else's."""
        for pid in [pid for pid, known in self._numbers.items() if known == number]:
            self._end(pid)

    def _end(self, pid: int) -> None:
        for end in (os.kill,) if self._plan.namespaces else (os.killpg, os.kill):
            try:
                end(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass  # it has not made its process group yet, or all of it is gone

    def _bury(self) -> None:
        while True:
            try:
                info = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if info is None:
                return
            if not self._plan.namespaces and info.si_pid in self._numbers:
                self._end(info.si_pid)
            _, status = os.waitpid(info.si_pid, 0)
            shutil.rmtree(self._folders.pop(info.si_pid, ""), ignore_errors=True)
            number = self._numbers.pop(info.si_pid, None)
            if number is not None:
                self._tell({"op": "exit", "id": number, "status": os.waitstatus_to_exitcode(status)})

    def _tell(self, message: Message) -> None:
        self._control.send(json.dumps(message).encode())


def _receive(control: socket.socket) -> tuple[bytes, list[int]]:
    item = array.array("i")
    space = socket.CMSG_SPACE(_DESCRIPTORS_MAX * item.itemsize)
    try:
        text, ancillary, _, _ = control.recvmsg(_MESSAGE_BYTES_MAX, space, socket.MSG_CMSG_CLOEXEC)
    except ConnectionError:
        return b"", []
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            item.frombytes(data[: len(data) - len(data) % item.itemsize])
    return text, list(item)


def become_sandbox(plan: isolation.Plan, request: Message, descriptors: list[int], config: Message) -> NoReturn:
    """In the fork: join the control groups, arrange the descriptors, isolate, greet, and split into init and worker."""
    status = 1
    try:
        stream = _arrange(descriptors)
        _isolate(plan, stream)
        child = os.fork()
        status = _init(child) if child else _work(request, stream, plan, config)
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode(errors="replace"))
    finally:
        os._exit(status)


def _arrange(descriptors: list[int]) -> socket.socket:
    """Nothing, stdout, stderr and the stream become 0 to 3; everything else is closed."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    stream, stdout, stderr, *groups = descriptors
    for group in groups:
        os.write(group, b"0")
    nothing = os.open("/dev/null", os.O_RDONLY)
    # Copied above anything arranged here first, so that no dup2 overwrites a source that is still needed.
    sources = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, _SPARE) for file in (nothing, stdout, stderr, stream)]
    for target, source in enumerate(sources):
        os.dup2(source, target, inheritable=target < _STREAM)
    os.closerange(_FIRST_FREE, 65536)
    return socket.socket(fileno=_STREAM)


def _isolate(plan: isolation.Plan, stream: socket.socket) -> None:
    """Isolate and say so to the platform; or say why not and end."""
    try:
        isolation.isolate(plan, lambda listener: _hand_over(listener, stream))
    except OSError as error:
        stream.sendall(frames.frame(frames.BROKEN, 0, str(error).encode()))
        os._exit(1)
    stream.sendall(frames.frame(frames.HELLO, 0, b""))


def _hand_over(listener: socket.socket, stream: socket.socket) -> None:
    """The kernel counts descriptors on their way per user, all sandboxes together, against the limit of open files of
    the one that sends (unix(7), ETOOMANYREFS): with a sandbox's own limit, any other could be in the way."""
    with listener:
        socket.send_fds(stream, [frames.frame(frames.LISTENER, 0, b"")], [listener.fileno()])


def _init(worker_pid: int) -> int:
    """Process 1 of the sandbox: bury orphans until the worker ends; then the kernel ends whatever is left."""
    os.closerange(0, _SPARE)
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == worker_pid:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _work(request: Message, stream: socket.socket, plan: isolation.Plan, config: Message) -> int:
    os.environ.clear()
    os.environ.update(_ENVIRONMENT, HOME=plan.folder, TMPDIR=plan.folder)
    tempfile.tempdir = None
    kind, memory_mb = request["kind"], request["memory_bytes"] >> 20
    if kind in ("nodejs", "java"):
        command = _node(config, memory_mb) if kind == "nodejs" else _java(config, memory_mb)
        os.set_inheritable(_STREAM, True)
        os.execv(config[kind], command)  # noqa: S606 - there is no shell in this, and nothing of the user's
    if kind in ("native", "skeleton"):
        native.serve(stream, skeleton=kind == "skeleton")
    else:
        worker.serve(stream)
    return 0


def _node(config: Message, memory_mb: int) -> list[str]:
    """As in OpenWhisk, code may collect its garbage itself."""
    size = f"--max-old-space-size={max(16, memory_mb * 3 // 4)}"
    return ["node", "--expose-gc", size, config["node_worker"], str(_STREAM)]


def _java(config: Message, memory_mb: int) -> list[str]:
    """Soon ready rather than fast in the long run; the opened packages let it take over stream and variables."""
    return [
        "java", f"-Xmx{max(16, memory_mb // 2)}m", "-Xss512k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
        "-XX:-UsePerfData", "-Xshare:auto", "-Dfile.encoding=UTF-8", "-Dsun.stdout.encoding=UTF-8",
        "-Dsun.stderr.encoding=UTF-8", "--add-opens=java.base/java.io=ALL-UNNAMED",
        "--add-opens=java.base/java.util=ALL-UNNAMED", "-cp", config["java_path"], "Launcher", str(_STREAM),
    ]  # fmt: skip


def main() -> NoReturn:
    control = socket.socket(fileno=int(sys.argv.pop()))
    config = json.loads(control.recv(_MESSAGE_BYTES_MAX))
    files_max = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (files_max, files_max))
    try:
        level, parts = enclosure.enclose(config)  # from here on in a process of its own, behind the walls
    except OSError as error:
        control.send(json.dumps({"op": "failed", "why": str(error)}).encode())
        os._exit(1)
    plan = enclosure.plan_for(level, parts, config)
    warm.up()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]  # TextIOWrapper
    zygote = Zygote(control, config, plan)
    control.send(json.dumps({"op": "ready", "level": level, "parts": parts, "python": sys.version.split()[0]}).encode())
    gc.collect()
    gc.freeze()
    gc.enable()
    zygote.serve()
    os._exit(0)


if __name__ == "__main__":
    main()
