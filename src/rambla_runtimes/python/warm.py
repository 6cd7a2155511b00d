"""Which modules does user code find already imported?

Those that most actions import and that cost milliseconds: forked with the zygote, they cost a sandbox nothing. Every
module makes each fork dearer by its memory, so this list is short. Nothing here may start a thread.
"""

import gc
import importlib

_MODULES = (
    "base64", "collections", "concurrent.futures", "contextlib", "csv", "dataclasses", "datetime", "decimal",
    "email.message", "functools", "hashlib", "hmac", "http.client", "io", "itertools", "json", "logging", "math",
    "os", "pathlib", "random", "re", "shutil", "socket", "ssl", "string", "struct", "subprocess", "tempfile",
    "threading", "time", "traceback", "typing", "urllib.parse", "urllib.request", "uuid", "zipfile", "zoneinfo",
)  # fmt: skip


def up() -> None:
    gc.disable()  # a collection in between would touch what the forks are to share
    for name in _MODULES:
        importlib.import_module(name)
