"""The demo's own parts: its picture, its action, its server, its report."""

import io
import sys
from pathlib import Path

import pytest
from PIL import Image

from rambla.cli.demo import command, picture, report, resize, server, story
from rambla.cli.demo.steps import Steps
from rambla.cli.errors import CliError

pytestmark = pytest.mark.anyio


def image_of(size: tuple[int, int], form: str = "JPEG", mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, size).save(out, form, **options)
    return out.getvalue()


def test_the_drawn_picture_is_a_jpeg_with_much_to_see() -> None:
    drawn = picture.inspect("x", picture.encode(picture.draw((400, 300))))
    assert (drawn.format, drawn.width, drawn.height) == ("JPEG", 400, 300)
    with Image.open(io.BytesIO(drawn.content)) as image:
        assert len(image.resize((40, 30)).getcolors(1200) or []) > 300


def test_a_file_cut_short_is_no_valid_picture() -> None:
    with pytest.raises(CliError, match="not a valid picture"):
        picture.inspect("x.jpg", image_of((64, 64))[:-40])


@pytest.mark.parametrize(
    ("form", "mode"), [("JPEG", "RGB"), ("JPEG", "L"), ("PNG", "RGBA"), ("GIF", "P"), ("WEBP", "RGB")]
)
def test_a_thumbnail_of_any_picture_has_the_right_size(form: str, mode: str) -> None:
    original = picture.inspect("x", image_of((1000, 333), form, mode))
    content, _, size = resize.shrink(original.content, 400)
    assert size == (400, 133)
    picture.check_thumbnail(original, picture.inspect("x", content), 400)


def test_a_small_picture_is_not_made_larger() -> None:
    assert resize.shrink(image_of((30, 2000)), 400)[2] == (30, 2000)


def test_a_thumbnail_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    original = picture.inspect("x", image_of((800, 600), exif=exif))
    assert (original.width, original.height) == (600, 800)
    content, _, _ = resize.shrink(original.content, 300)
    picture.check_thumbnail(original, picture.inspect("x", content), 300)


def test_a_thumbnail_of_the_wrong_size_is_not_accepted() -> None:
    original = picture.inspect("x", image_of((1000, 500)))
    with pytest.raises(CliError, match="401 x 200 pixels, not 400 x 200"):
        picture.check_thumbnail(original, picture.inspect("x", image_of((401, 200))), 400)


def test_the_action_takes_the_objects_name_from_the_record() -> None:
    event = {"data": {"Records": [{"s3": {"object": {"key": "a%2Fb+c%C3%BC.jpg"}}}]}}
    assert resize.name_in(event) == "a/b cü.jpg"


def test_the_cost_is_memory_times_time() -> None:
    record = {"duration": 100, "annotations": [{"key": "limits", "value": {"memory": 256}}]}
    assert report.cost_gb_ms(record) == 25.0


def test_a_saved_picture_stays_in_its_folder(tmp_path: Path) -> None:
    saved = report.save(tmp_path, "photos", picture.inspect("../../x.jpg", image_of((1, 1))))
    assert saved == tmp_path / "photos" / "x.jpg"


def test_a_failed_run_is_told_with_its_reason() -> None:
    record = {"response": {"status": "application error", "result": {"error": "no width"}}}
    assert "application error: no width" in story.ActionFailed(record).message


def test_a_step_that_failed_is_said_to_have(capsys: pytest.CaptureFixture[str]) -> None:
    steps = Steps(2)
    with steps.step("first"):
        pass
    with pytest.raises(CliError), steps.step("second"):
        raise CliError("x")
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("[1/2] first")
    assert first.endswith(" s")
    assert second.startswith("[2/2] second")
    assert second.endswith("failed")


async def test_a_server_that_is_ready_is_ended_when_it_is_left(tmp_path: Path) -> None:
    program = "import time; print('warming', flush=True); print('ready http://h:1', flush=True); time.sleep(60)"
    async with server.running([sys.executable, "-c", program], tmp_path / "log") as (url, process):
        assert url == "http://h:1"
        assert process.returncode is None
    assert process.returncode is not None


async def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    program = "import sys; sys.exit('rambla: the port is taken')"
    with pytest.raises(CliError, match="did not start: the port is taken"):
        async with server.running([sys.executable, "-c", program], tmp_path / "log"):
            pass


def test_what_to_do_next_names_the_program_so_that_it_can_be_copied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/opt/on-path")
    cases = (
        (".venv/bin/rambla", ".venv/bin/rambla"),
        (f"{tmp_path}/bin/rambla", "bin/rambla"),
        ("/o/rambla", "/o/rambla"),
    )
    for called, name in cases:
        monkeypatch.setattr(sys, "argv", [called, "demo"])
        assert report.program() == name


def test_a_host_without_namespaces_is_named_before_anything_is_uploaded() -> None:
    parts = {"grants": "grants need a network namespace", "namespaces": "unshare: No space left. Fix: allow them"}
    with pytest.raises(CliError, match=r"network namespace\..*Fix: allow them"):
        command.check_grants({"engine": {"parts": parts}})
    command.check_grants({"engine": {"parts": {"grants": "works", "namespaces": "works"}}})
