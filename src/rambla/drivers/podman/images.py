"""Which image is meant, and with what flags does it run?

Pure. A name is checked against the grammar of references (distribution/reference), as podman would take others for
options or for places on this host. The flags take everything away that an action needs not: what is left is listed in
docs/explanation/isolation.md.
"""

import re

import msgspec

_NAME_CHARS_MAX = 255
_PART = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(
    rf"(?:[A-Za-z0-9][A-Za-z0-9.-]*(?::\d{{1,5}})?/)?(?:{_PART}/)*{_PART}"
    r"(?::\w[\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?",
    re.ASCII,
)
_TRANSPORTS = {
    "atomic", "containers-storage", "dir", "docker", "docker-archive", "docker-daemon", "oci", "oci-archive", "ostree",
    "sif", "tarball",
}  # fmt: skip
"""What podman takes for a way to a file of this host if it stands alone before a colon (containers-transports(5))."""
_FILES_MAX = 1024
_USERS_PROCESSES_MAX = 4096
_WRITABLE = ("/tmp", "/run", "/var/tmp", "/action")  # noqa: S108 - the container's own


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What was found to work on this host. `runtime` "" is podman's default; `first_id` 0 is no user namespace."""

    runtime: str = ""
    first_id: int = 0
    swap_bounded: bool = True


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """One container. `label` marks it as ours; `folder` gets two files, NAME.pid and NAME.id."""

    name: str
    label: str
    folder: str
    memory_mb: int
    processes_max: int
    api_host: str = ""


def is_reference(name: str) -> bool:
    """Whether `name` can only mean an image: with a registry, without one, or a digest."""
    found = _REFERENCE.fullmatch(name) if len(name) <= _NAME_CHARS_MAX else None
    return found is not None and not (":" in name and name.partition(":")[0] in _TRANSPORTS)


def run_options(means: Means, wish: Wish) -> list[str]:
    """What stands between `podman` and the image's name."""
    memory = f"{wish.memory_mb}m"
    # Counted by user and user namespace. Where that is shared with others the bound is a far one.
    of_user = wish.processes_max if means.first_id else _USERS_PROCESSES_MAX
    return [
        "--log-level=error",
        *([f"--runtime={means.runtime}"] if means.runtime else []),
        "run",
        "--detach",
        f"--name={wish.name}",
        f"--label={wish.label}",
        f"--pidfile={wish.folder}/{wish.name}.pid",
        f"--cidfile={wish.folder}/{wish.name}.id",
        "--pull=never",
        "--log-driver=passthrough",
        *_isolation(means),
        f"--memory={memory}",
        *([f"--memory-swap={memory}"] if means.swap_bounded else []),
        f"--pids-limit={wish.processes_max}",
        # Given always: podman's defaults are above what a host without CAP_SYS_RESOURCE may set.
        f"--ulimit=nofile={_FILES_MAX}:{_FILES_MAX}",
        f"--ulimit=nproc={of_user}:{of_user}",
        "--ulimit=core=0:0",
        *([f"--env=__OW_API_HOST={wish.api_host}"] if wish.api_host else []),
    ]


def _isolation(means: Means) -> list[str]:
    ids = f"0:{means.first_id}:65536"
    return [
        *([f"--uidmap={ids}", f"--gidmap={ids}"] if means.first_id else []),
        "--network=none",
        "--ipc=none",
        "--cgroupns=private",
        "--read-only",
        "--read-only-tmpfs=false",
        *(f"--tmpfs={folder}:rw,exec,nosuid,nodev,mode=1777" for folder in _WRITABLE),
        "--tmpfs=/dev/shm:rw,noexec,nosuid,nodev,mode=1777",
        "--image-volume=tmpfs",
        "--cap-drop=all",
        "--security-opt=no-new-privileges",
        "--no-hosts",
        "--no-healthcheck",
        "--systemd=false",
        "--http-proxy=false",
        "--restart=no",
    ]
