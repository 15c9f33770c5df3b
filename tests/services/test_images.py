"""Pictures: what is taken, what it becomes, and what is refused before anything is decoded."""

import hashlib
import io
import stat
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from loyalty.database import new_id
from loyalty.domain.values import Actor, Role
from loyalty.errors import Forbidden, ValidationError
from loyalty.services import images
from loyalty.services.images import Shape
from tests.pictures import make_moving, make_picture, opened

ADA = Actor(vendor_id=new_id(), role=Role.OWNER)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is not there yet, for one test."""
    monkeypatch.setattr(images, "_folder", tmp_path / "images")
    return tmp_path / "images"


def keep(data: bytes, shape: Shape = Shape.LOGO) -> Image.Image:
    address = images.keep(actor=ADA, data=data, shape=shape)
    content = images.read(name=address.removeprefix("/images/").removesuffix(".png"))
    assert content is not None
    return opened(content)


def refusal(data: bytes) -> str:
    with pytest.raises(ValidationError) as refused:
        images.keep(actor=ADA, data=data, shape=Shape.LOGO)
    return str(refused.value.errors["picture"])


def png_of(width: int, height: int) -> bytes:
    """A PNG that says how large it is, with next to nothing inside."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("shape", "size", "kept"),
    [
        (Shape.LOGO, (1500, 1000), (660, 440)),
        (Shape.LOGO, (90, 60), (90, 60)),
        (Shape.HERO, (2064, 672), (1032, 336)),
        (Shape.HERO, (800, 800), (336, 336)),
    ],
)
def test_it_keeps_a_png_that_fits(form: str, shape: Shape, size: tuple[int, int], kept: tuple[int, int]) -> None:
    picture = keep(make_picture(size, form=form), shape)
    assert (picture.format, picture.size) == ("PNG", kept)


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exact": True, "lossless": True}])
def test_it_reads_every_kind_of_webp(options: dict[str, Any]) -> None:
    assert keep(make_picture(form="WEBP", **options)).size == (600, 600)
    out = io.BytesIO()
    Image.new("RGBA", (50, 40), (255, 0, 0, 99)).save(out, "WEBP", **options)
    assert keep(out.getvalue()).mode == "RGBA"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_it_reads_every_kind_of_png(mode: str) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (50, 40), (255, 0, 0, 99)).convert(mode).save(out, "PNG")
    assert keep(out.getvalue()).size == (50, 40)


@pytest.mark.parametrize("grey", [0x00FF, 0x8000, 0xFFFF])
def test_it_keeps_the_greys_of_a_png_of_sixteen_bits(grey: int) -> None:
    out = io.BytesIO()
    Image.new("I;16", (50, 40), grey).save(out, "PNG")
    assert keep(out.getvalue()).getpixel((7, 7)) == (grey >> 8,) * 3


def test_it_keeps_the_colours_of_a_picture_for_print() -> None:
    out = io.BytesIO()
    Image.new("RGB", (50, 40), (255, 0, 0)).convert("CMYK").save(out, "JPEG")
    assert keep(out.getvalue()).getpixel((7, 7)) == (255, 0, 0)


@pytest.mark.parametrize("options", [{"progressive": True}, {"quality": 100, "subsampling": 0}, {"optimize": True}])
def test_it_reads_every_kind_of_jpeg(options: dict[str, Any]) -> None:
    assert keep(make_picture(form="JPEG", **options)).size == (600, 600)


def test_it_names_the_file_after_its_sum_and_keeps_it_once(folder: Path) -> None:
    first, second = (images.keep(actor=ADA, data=make_picture(), shape=Shape.LOGO) for _ in range(2))
    assert first == second
    (file,) = folder.iterdir()
    assert file.name == f"{hashlib.sha256(file.read_bytes()).hexdigest()[:32]}.png"
    assert stat.S_ISREG(file.stat().st_mode)


def test_it_drops_where_and_with_what_it_was_taken() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Secret Camera", 6
    picture = keep(make_picture((90, 60), form="JPEG", exif=exif.tobytes(), comment=b"Secret"))
    assert picture.info == {}
    # It stands upright, although nothing says any more that it lay on its side.
    assert picture.size == (60, 90)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "PNG, JPEG or WebP"),
        (b"GIF89a" + bytes(50), "PNG, JPEG or WebP"),
        (b"%PDF-1.7" + bytes(50), "PNG, JPEG or WebP"),
        (b'<?xml version="1.0"?><SVG onload="alert(1)"/>', "An SVG drawing can hold programs"),
        (bytes(2 * 1024 * 1024 + 1), "more than 2 MB"),
        (png_of(4001, 1000), "more than 4 megapixels"),
        (png_of(2_000_000_000, 2_000_000_000), "more than 4 megapixels"),
        (png_of(0, 10), "cannot be read"),
        (png_of(500, 500), "cannot be read"),
        (make_moving("PNG"), "moves"),
        (make_moving("WEBP"), "moves"),
        (make_picture((2001, 2000), form="JPEG"), "more than 4 megapixels"),
        (make_picture((2001, 2000), form="WEBP"), "more than 4 megapixels"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_it_refuses_what_is_no_picture_for_a_card(data: bytes, sentence: str, folder: Path) -> None:
    assert sentence in refusal(data)
    assert not folder.exists()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_it_takes_exactly_four_megapixels(form: str) -> None:
    assert keep(make_picture((2000, 2000), form=form)).size == (660, 660)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("spoil", [lambda data: data[:-3], lambda data: data[: len(data) // 2], lambda data: data[:9]])
def test_it_refuses_half_a_picture(form: str, spoil: Callable[[bytes], bytes]) -> None:
    noise = Image.effect_noise((60, 60), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, form)
    assert refusal(spoil(out.getvalue()))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_it_refuses_a_file_that_is_something_else_as_well(form: str) -> None:
    for tail in (b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(60), b"\x00"):
        assert "something behind the picture" in refusal(make_picture(form=form) + tail)


def test_it_refuses_a_picture_of_more_scans_than_anybody_draws() -> None:
    """Each is a few bytes and goes through the whole picture: two megabytes of them would keep a core for minutes."""
    drawn = make_picture((40, 40), form="JPEG", progressive=True)
    scans, last = drawn.count(b"\xff\xda"), drawn[drawn.rfind(b"\xff\xda") : -2]
    assert keep(drawn[:-2] + last * (64 - scans) + drawn[-2:]).size == (40, 40)
    assert "cannot be read" in refusal(drawn[:-2] + last * (65 - scans) + drawn[-2:])


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_it_stands_any_spoilt_byte(form: str) -> None:
    whole = make_picture((24, 24), form=form)
    for place in range(len(whole)):
        data = bytearray(whole)
        data[place] ^= 0xFF
        # Taken or refused, but never a failure of ours.
        with suppress(ValidationError):
            images.keep(actor=ADA, data=bytes(data), shape=Shape.LOGO)


def test_it_writes_what_a_program_hid_inside_to_no_file() -> None:
    hidden = b"<?php system($_GET[0]); ?>"
    address = images.keep(actor=ADA, data=make_picture(form="JPEG", comment=hidden), shape=Shape.LOGO)
    content = images.read(name=address.removeprefix("/images/").removesuffix(".png"))
    assert content is not None
    assert hidden not in content


@pytest.mark.parametrize("name", ["", "x", "../secrets/secret_key", "0" * 32, "A" * 32, "0" * 31 + "/"])
def test_it_reads_nothing_else(name: str, folder: Path) -> None:
    folder.mkdir()
    (folder / "x.png").write_bytes(b"not ours")
    assert images.read(name=name) is None


def test_it_takes_pictures_from_managers_only() -> None:
    with pytest.raises(Forbidden):
        images.keep(actor=replace(ADA, role=Role.STAFF), data=make_picture(), shape=Shape.LOGO)


def test_it_leaves_no_half_file_when_the_disk_is_full(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        images.keep(actor=ADA, data=make_picture(), shape=Shape.LOGO)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("ink", "card", "plate"),
    [
        ("#FFFFFF", "#14181D", False),
        ("#14181D", "#14181D", True),
        ("#1F4FD1", "#14181D", True),
        ("#FFEE00", "#14181D", False),
        ("#14181D", "#FFEE00", False),
    ],
)
def test_it_puts_a_logo_that_drowns_on_a_plate(ink: str, card: str, plate: bool) -> None:
    picture = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    ImageDraw.Draw(picture).line((100, 100, 200, 200), fill=ink, width=6)
    out = io.BytesIO()
    picture.save(out, "PNG")
    address = images.keep(actor=ADA, data=out.getvalue(), shape=Shape.LOGO)
    assert images.needs_plate(address, card) is plate


def test_it_measures_no_picture_that_is_not_here(folder: Path) -> None:
    for address in (None, "", "https://example.org/logo.png", f"/images/{'0' * 32}.png"):
        assert images.shade(address) is None
        assert not images.needs_plate(address, "#FFFFFF")
    assert images.own("https://example.org/logo.png") is None
