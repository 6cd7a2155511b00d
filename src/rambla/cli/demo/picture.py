"""Which picture is uploaded, and is the thumbnail the right one?

Draws an evening over the sea, behind a street paved in waves as Barcelona's is, so that a thumbnail has something to
lose. Pure but for the reading of a user's own file.
"""

import io
import math
from pathlib import Path

import msgspec

from rambla.cli.errors import CliError

try:
    from PIL import Image, ImageDraw, ImageFilter, ImageOps
except ImportError as error:
    raise CliError("the demo needs Pillow. Fix: pip install 'rambla[demo]'") from error

SIZE = (4000, 3000)
SKY = ("#1b2350", "#c9506b", "#ffc46b")
SEA = ("#e9985f", "#4a3a63", "#141a36")
HORIZON, STREET = 0.52, 0.70
HILLS = ((0.10, 0.050, "#5b3a63"), (0.06, 0.035, "#35274f"))
WAVES = 18
STONES = ("#d8cfc2", "#3b3f4c")


class Picture(msgspec.Struct, frozen=True):
    """`width` and `height` as seen upright."""

    name: str
    content: bytes
    format: str
    width: int
    height: int


def prepare(file: Path | None) -> Picture:
    """The user's own picture, or the one drawn here. CliError if the file is none."""
    return inspect(file.name, file.read_bytes()) if file else inspect("rambla.jpg", encode(draw(SIZE)))


def inspect(name: str, content: bytes) -> Picture:
    """`content` decoded to the last pixel, so that a cut file is found. CliError if it is no valid picture."""
    try:
        with Image.open(io.BytesIO(content)) as image:
            form = image.format or ""
            image.load()
            upright = ImageOps.exif_transpose(image)
            return Picture(name, content, form, upright.width, upright.height)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise CliError(f"{name} is not a valid picture: {error}") from error


def check_thumbnail(original: Picture, thumbnail: Picture, width: int) -> None:
    """CliError unless `thumbnail` is `original` at `width` pixels, or its own width if that is less."""
    expected = min(width, original.width)
    height = original.height * expected / original.width
    if thumbnail.width != expected or abs(thumbnail.height - height) > 1:
        raise CliError(
            f"the thumbnail has {thumbnail.width} x {thumbnail.height} pixels, not {expected} x {round(height)}"
        )


def encode(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=92)
    return out.getvalue()


def draw(size: tuple[int, int]) -> Image.Image:
    width, height = size
    horizon, street = round(height * HORIZON), round(height * STREET)
    image = Image.new("RGB", size)
    image.paste(gradient((width, horizon), SKY), (0, 0))
    _sun(image, (round(width * 0.68), horizon), round(height * 0.11))
    image.paste(gradient((width, street - horizon), SEA), (0, horizon))
    _hills(image, horizon)
    _glitter(image, round(width * 0.68), horizon, street)
    _pavement(image, street)
    return image


def gradient(size: tuple[int, int], colours: tuple[str, str, str]) -> Image.Image:
    """From the first colour at the top over the second to the third."""
    top, middle, bottom = colours
    return ImageOps.colorize(Image.linear_gradient("L").resize(size), top, bottom, middle)


def _sun(image: Image.Image, centre: tuple[int, int], radius: int) -> None:
    """A disc with a soft edge, in a glow that is four times as wide and fades to nothing."""
    side = radius * 8
    corner = (centre[0] - side // 2, centre[1] - side // 2)
    rim = 180  # how dark Pillow's gradient is at the middle of its sides
    glow = Image.radial_gradient("L").point([round(170 * max(0, 1 - dark / rim) ** 1.3) for dark in range(256)])
    image.paste("#ffb45c", corner, glow.resize((side, side), Image.Resampling.BICUBIC))
    disc = Image.new("L", (side, side))
    ImageDraw.Draw(disc).circle((side // 2, side // 2), radius, fill=255)
    image.paste("#fff1c9", corner, disc.filter(ImageFilter.GaussianBlur(radius // 40)))


def _hills(image: Image.Image, horizon: int) -> None:
    width, height = image.size
    pen = ImageDraw.Draw(image)
    for layer, (rise, swing, colour) in enumerate(HILLS):
        ridge = [
            (
                x,
                horizon
                - height * (rise * (1 - x / width) + swing * (1 + math.sin(x / width * (7 + 5 * layer) + layer))),
            )
            for x in range(0, width + 1, max(1, width // 400))
        ]
        pen.polygon([(0, horizon), *ridge, (width, horizon)], fill=colour)


def _glitter(image: Image.Image, x: int, top: int, bottom: int) -> None:
    """The sun's path on the water: strokes that grow longer towards us."""
    pen = ImageDraw.Draw(image)
    for number in range(46):
        near = (number / 46) ** 1.6
        y = top + (bottom - top) * near
        half = image.width * (0.012 + 0.07 * near) * (1 + math.sin(number * 2.4)) / 2
        shift = image.width * 0.02 * near * math.sin(number * 5.1)
        pen.line(
            (x - half + shift, y, x + half + shift, y),
            fill="#ffd28a",
            width=max(1, round(image.height * 0.0035 * (0.4 + near))),
        )


def _pavement(image: Image.Image, top: int) -> None:
    """Bands of light and dark stone in waves, which grow towards us."""
    width, height = image.size
    pen = ImageDraw.Draw(image)
    for number in range(WAVES):
        edge = [(x, _wave(x / width, number, top, height)) for x in range(0, width + 1, max(1, width // 400))]
        pen.polygon([*edge, (width, height), (0, height)], fill=STONES[number % 2])


def _wave(x: float, number: int, top: int, bottom: int) -> float:
    near: float = (number / WAVES) ** 1.7
    swing = (bottom - top) * 0.09 * (near if number else 0)
    return top + (bottom - top) * near + swing * math.sin(x * 4 * math.pi + number * 0.35)
