"""What does the world look like from inside every sandbox of this zygote?

A fresh root on a small tmpfs: the system's programs and the runtimes, read-only, at their own paths, an /etc of
harmless files, five devices. The host's homes, data and other processes' files are not hidden there: they do not exist.
Runs once, in the zygote's own mount namespace, with the right to mount there (as root, or in its user namespace).
"""

import os
import shutil

from rambla_runtimes.sandbox import linux

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC_COPIED = (
    "ld.so.cache", "localtime", "timezone", "mime.types", "services", "protocols", "os-release", "debian_version",
    "ca-certificates.conf", "ssl/openssl.cnf",
)  # fmt: skip
_ETC_BOUND = ("/etc/ssl/certs", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/etc/alternatives")
_ETC_WRITTEN = {
    "passwd": "root:x:0:0:root:/:/bin/false\naction:x:1000:1000:action:/tmp:/bin/sh\n"
    "nobody:x:65534:65534:nobody:/:/bin/false\n",
    "group": "root:x:0:\naction:x:1000:\nnogroup:x:65534:\n",
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    "resolv.conf": "",
}
_DEVICES = ("null", "zero", "full", "random", "urandom")
_DEVICE_LINKS = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
                 "stderr": "/proc/self/fd/2", "shm": "/tmp"}  # fmt: skip
_BASE, _OLD, _NEW = "/tmp", "/old", "/new"
_ROOT_BYTES = 4 << 20


def enter_root(paths: list[str]) -> None:
    """Replace this process's root by a fresh one that holds the system and `paths`, all read-only.

    The old root is first moved aside, not away, so that anything can be bound from it, /tmp included.
    """
    real = {path: os.path.realpath(path) for path in paths}
    linux.mount("none", "/", None, linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("tmpfs", _BASE, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, f"size={_ROOT_BYTES},mode=755")
    for folder in (_OLD, _NEW):
        os.mkdir(_BASE + folder, 0o755)
    linux.pivot_root(_BASE, _BASE + _OLD)
    os.chdir("/")
    linux.mount("tmpfs", _NEW, "tmpfs", linux.MS_NOSUID | linux.MS_NODEV, f"size={_ROOT_BYTES},mode=755")
    for path in _SYSTEM:
        _show_system(path)
    for path, source in sorted(real.items(), key=lambda pair: len(pair[0])):  # what holds others comes first
        for target in sorted({path, source}):
            _bind(source, target)
    _make_etc()
    _make_devices()
    for folder in ("/proc", "/tmp"):
        os.makedirs(_NEW + folder, 0o755, exist_ok=True)
    linux.mount(_OLD + "/proc", _NEW + "/proc", None, linux.MS_BIND | linux.MS_REC)
    _forget_old_root()


def seal() -> None:
    """Make everything of the root read-only. Afterwards nothing can be mounted on what does not exist yet."""
    linux.seal_mount("/")


def _show_system(path: str) -> None:
    """A folder of the system, or the link into /usr that it is on a merged system."""
    old = _OLD + path
    if os.path.islink(old):
        os.symlink(os.readlink(old), _NEW + path)
    elif os.path.isdir(old):
        _bind(path, path)


def _bind(source: str, target: str) -> None:
    old, new = _OLD + source, _NEW + target
    if not os.path.lexists(old) or os.path.lexists(new):
        return  # absent on this host, or shown already as part of a folder above it
    linux.bind(old, new)


def _make_etc() -> None:
    os.makedirs(_NEW + "/etc/ssl", 0o755, exist_ok=True)
    for path in _ETC_BOUND:
        _bind(path, path)
    for name in _ETC_COPIED:
        source = f"{_OLD}/etc/{name}"
        if os.path.isfile(source) and os.access(source, os.R_OK):
            shutil.copyfile(source, f"{_NEW}/etc/{name}")
    for name, text in _ETC_WRITTEN.items():
        with open(f"{_NEW}/etc/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def _make_devices() -> None:
    os.makedirs(_NEW + "/dev", 0o755)
    for name in _DEVICES:
        _bind(f"/dev/{name}", f"/dev/{name}")
    for name, target in _DEVICE_LINKS.items():
        os.symlink(target, f"{_NEW}/dev/{name}")


def _forget_old_root() -> None:
    os.chdir(_NEW)
    linux.pivot_root(".", ".")  # stacks the old root on the new one (pivot_root(2), "pivot_root(".", ".")")
    linux.unmount(".")
    os.chdir("/")
