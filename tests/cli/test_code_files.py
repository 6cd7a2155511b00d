"""What code a file, a folder or a zip holds."""

import base64
import io
import os
import zipfile
from pathlib import Path

import pytest

from rambla.cli import code_files
from rambla.cli.errors import CliError


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def names_in(code: code_files.Code) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(code.text))) as archive:
        return archive.namelist()


@pytest.mark.parametrize(
    ("name", "kind"), [("a.py", "python:default"), ("a.JS", "nodejs:default"), ("a.mjs", "nodejs:default"), ("a", None)]
)
def test_a_source_file_is_sent_as_it_is_and_its_ending_tells_the_kind(
    tmp_path: Path, name: str, kind: str | None
) -> None:
    (tmp_path / name).write_bytes("grüße\r\n".encode())
    assert code_files.read(tmp_path / name) == code_files.Code("grüße\r\n", kind)


@pytest.mark.parametrize(
    ("landmark", "kind"),
    [
        ("__main__.py", "python:default"),
        ("package.json", "nodejs:default"),
        ("index.js", "nodejs:default"),
        ("META-INF/MANIFEST.MF", "java:default"),
        ("exec", "native:default"),
    ],
)
def test_the_file_a_runtime_starts_with_tells_the_kind_of_a_folder(tmp_path: Path, landmark: str, kind: str) -> None:
    assert code_files.read(write(tmp_path, {landmark: "", "lib/x.txt": ""})).kind == kind


def test_equal_folders_make_equal_zips_whenever_they_were_written(tmp_path: Path) -> None:
    files = {"__main__.py": "x = 1", "b/c.py": "", "a.txt": "a"}
    first = write(tmp_path / "one", files)
    second = write(tmp_path / "two", dict(reversed(files.items())))
    os.utime(second / "a.txt", (1, 1))
    assert code_files.zip_folder(first) == code_files.zip_folder(second)


def test_caches_and_version_control_stay_out_of_a_zip(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"__main__.py": "", "__pycache__/a.pyc": "", ".git/config": "", "p/__pycache__/b.pyc": "", "c.pyc": ""},
    )
    assert names_in(code_files.read(tmp_path)) == ["__main__.py"]


def test_a_program_stays_executable_in_a_zip(tmp_path: Path) -> None:
    write(tmp_path, {"exec": "#!/bin/sh", "data": ""})
    (tmp_path / "exec").chmod(0o700)
    with zipfile.ZipFile(io.BytesIO(code_files.zip_folder(tmp_path))) as archive:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archive.infolist()}
    assert modes == {"exec": 0o755, "data": 0o644}


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"secret": "s", "code/__main__.py": ""})
    (tmp_path / "code" / "stolen").symlink_to(tmp_path / "secret")
    with pytest.raises(CliError, match="leads out of"):
        code_files.read(tmp_path / "code")


def test_a_link_to_a_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"other/x": "", "code/__main__.py": ""})
    (tmp_path / "code" / "other").symlink_to(tmp_path / "other")
    with pytest.raises(CliError, match="link to a folder"):
        code_files.read(tmp_path / "code")


def test_a_pipe_in_the_folder_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CliError, match="not a regular file"):
        code_files.read(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CliError, match="holds no files"):
        code_files.read(tmp_path)


def test_what_is_neither_text_nor_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "a.zip").write_bytes(b"PK not really")
    with pytest.raises(CliError, match="neither UTF-8 text nor"):
        code_files.read(tmp_path / "a.bin")
    with pytest.raises(CliError, match="not a valid zip"):
        code_files.read(tmp_path / "a.zip")


def test_code_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "big.py").open("wb") as file:
        file.truncate(code_files.CODE_BYTES_MAX + 1)
    with pytest.raises(CliError, match="code larger than allowed"):
        code_files.read(tmp_path / "big.py")


def test_a_folder_over_the_limit_is_refused_before_it_is_packed(tmp_path: Path) -> None:
    with (tmp_path / "big.py").open("wb") as file:
        file.truncate(code_files.SOURCE_BYTES_MAX + 1)
    with pytest.raises(CliError, match="at most"):
        code_files.read(tmp_path)
