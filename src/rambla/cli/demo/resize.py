"""The demo's action: make a thumbnail of the picture that was just uploaded.

It runs in a sandbox and knows no password. The event names the object in a record of S3's shape, and brings two signed
addresses that open for a short time: `access.source` to read this one object, `access.target` to write below one
container. There is nothing else on its network.
"""

import io
from typing import Any
from urllib.parse import quote, unquote_plus
from urllib.request import Request, urlopen

from PIL import Image, ImageOps

WIDTH = 400
PICTURE_BYTES_MAX = 100 * 1024 * 1024
SECONDS = 30
KEPT_FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


def main(args: dict[str, Any]) -> dict[str, Any]:
    name, access = name_in(args), args["access"]
    picture = download(access["source"]["url"])
    thumbnail, content_type, size = shrink(picture, int(args.get("width", WIDTH)))
    upload(f"{access['target']['url']}{quote(name)}?{access['target']['query']}", thumbnail, content_type)
    print(f"{name}: {len(picture)} bytes in, {len(thumbnail)} bytes out")
    return {"thumbnail": name, "width": size[0], "height": size[1], "bytes": len(thumbnail)}


def name_in(event: dict[str, Any]) -> str:
    """The object's name, which S3's records carry encoded as in a form."""
    return unquote_plus(event["data"]["Records"][0]["s3"]["object"]["key"])


def download(url: str) -> bytes:
    with urlopen(url, timeout=SECONDS) as response:
        content: bytes = response.read(PICTURE_BYTES_MAX + 1)
    if len(content) > PICTURE_BYTES_MAX:
        raise ValueError(f"the picture is larger than {PICTURE_BYTES_MAX} bytes")
    return content


def upload(url: str, content: bytes, content_type: str) -> None:
    request = Request(url, content, {"Content-Type": content_type}, method="PUT")
    with urlopen(request, timeout=SECONDS):
        pass


def shrink(picture: bytes, width: int) -> tuple[bytes, str, tuple[int, int]]:
    """The picture at most `width` pixels wide and upright, its media type, and its size in pixels."""
    with Image.open(io.BytesIO(picture)) as image:
        form = image.format if image.format in KEPT_FORMATS else "JPEG"
        image.draft("RGB", (2 * width, 2 * width))  # a JPEG is decoded small at once, which saves most of the time
        upright = ImageOps.exif_transpose(image)
        width = max(1, min(width, upright.width))
        size = (width, max(1, round(upright.height * width / upright.width)))
        small = upright.resize(size, Image.Resampling.LANCZOS)
    out = io.BytesIO()
    (small.convert("RGB") if form == "JPEG" else small).save(out, form, quality=85)
    return out.getvalue(), KEPT_FORMATS[form or "JPEG"], size
