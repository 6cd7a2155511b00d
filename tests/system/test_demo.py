"""The main job, told by the demo as a newcomer sees it."""

import importlib.util
import io
from pathlib import Path

import pytest
from PIL import Image

from rambla.cli.demo import picture
from system.running import rambla

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(importlib.util.find_spec("swift") is None, reason="OpenStack Swift is not installed"),
]
TIMEOUT_S = 150


def test_the_demo_makes_a_thumbnail_and_does_it_again_on_the_same_data(tmp_path: Path) -> None:
    for _ in range(2):
        done = rambla("demo", "--data", tmp_path / "demo", timeout_s=TIMEOUT_S)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "the thumbnail is right" in done.stdout
        for promised in ("GB-ms", "object:read", "object:write", "photos/rambla.jpg", "Isolation"):
            assert promised in done.stdout
        with Image.open(tmp_path / "demo" / "thumbnails" / "rambla.jpg") as thumbnail:
            assert thumbnail.size == (400, 300)


def test_the_demo_takes_a_picture_of_ones_own_with_a_difficult_name(tmp_path: Path) -> None:
    own = tmp_path / "mein Bild+100%.png"
    out = io.BytesIO()
    picture.draw((900, 600)).save(out, "PNG")
    own.write_bytes(out.getvalue())
    done = rambla("demo", "--data", tmp_path / "demo", "--image", own, timeout_s=TIMEOUT_S)
    assert done.returncode == 0, done.stdout + done.stderr
    with Image.open(tmp_path / "demo" / "thumbnails" / own.name) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("PNG", (400, 267))


def test_the_demo_refuses_what_is_no_picture_before_it_starts_anything(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_text("no picture")
    done = rambla("demo", "--data", tmp_path / "demo", "--image", tmp_path / "x.jpg")
    assert done.returncode == 1
    assert "x.jpg is not a valid picture" in done.stderr
    assert not (tmp_path / "demo").exists()
