"""Pictures as they come in: what they are, how large, and whether the file holds anything else. Nothing is decoded."""

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from loyalty.errors import N_

MOST_BYTES: Final = 2 * 1024 * 1024
MOST_PIXELS: Final = 4_000_000
_ADDRESS: Final = re.compile(r"/images/[0-9a-f]{32}\.png", re.ASCII)

_SOMETHING_ELSE: Final = N_("Take a picture that is a PNG, JPEG or WebP file.")
_DRAWING: Final = N_("An SVG drawing can hold programs. Save it as PNG and take that file.")
_TOO_HEAVY: Final = N_("The file has more than 2 MB. Save the picture smaller.")
_TOO_LARGE: Final = N_("The picture has more than 4 megapixels. Make it smaller, such as 660 by 660.")
_MOVES: Final = N_("The picture moves. Take one that stands still.")
_CUT_OFF: Final = N_("The file ends in the middle of the picture. Save it again and take the new file.")
_MORE: Final = N_("The file holds something behind the picture. Save it as a new PNG and take that file.")
_BROKEN: Final = N_("The picture cannot be read. Save it as a new PNG and take that file.")

# Start of frame: the segments of a JPEG that say how large it is.
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# A fine picture comes in twenty scans at most. Of a few bytes each, a small file could hold a hundred thousand of them,
# and every one goes through the whole picture when it is decoded.
_MOST_SCANS: Final = 64
# What ends a run of picture data: any marker but an escaped FF or a restart.
_MARKER: Final = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")

Size = tuple[int, int]


class PictureError(ValueError):
    """A file that is not taken; `sentence` is a message id."""

    def __init__(self, sentence: str = _BROKEN) -> None:
        self.sentence = sentence
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its picture."""

    format: str
    width: int
    height: int


def is_own_address(address: str) -> bool:
    """Say whether an address is one of the pictures that we keep."""
    return _ADDRESS.fullmatch(address) is not None


def read_header(data: bytes) -> Header:
    """Read what a file is and how large its picture, or raise PictureError; costs no more than the file's length."""
    if len(data) > MOST_BYTES:
        raise PictureError(_TOO_HEAVY)
    name, read = _reader(data)
    try:
        width, height = read(data)
    except (struct.error, IndexError) as problem:
        raise PictureError(_CUT_OFF) from problem
    if not width or not height:
        raise PictureError
    if width * height > MOST_PIXELS:
        raise PictureError(_TOO_LARGE)
    return Header(name, width, height)


def _reader(data: bytes) -> tuple[str, Callable[[bytes], Size]]:
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG", _png
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG", _jpeg
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "WEBP", _webp
    raise PictureError(_DRAWING if b"<svg" in data[:4096].lower() else _SOMETHING_ELSE)


def _png(data: bytes) -> Size:
    width, height = struct.unpack_from(">II", data, 16)
    place = 8
    while True:
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind == b"acTL":
            raise PictureError(_MOVES)
        if (kind == b"IHDR") != (place == 8):
            raise PictureError
        place += 12 + length
        if kind == b"IEND":
            _check_end(data, place)
            return width, height


def _jpeg(data: bytes) -> Size:
    size, place, scans = (0, 0), 2, 0
    while True:
        if data[place] != 0xFF or scans > _MOST_SCANS:
            raise PictureError
        marker = data[place + 1]
        if marker == 0xD9:
            _check_end(data, place + 2)
            return size
        if marker == 0xFF:
            place += 1
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, place + 5)
            # A second frame cannot hide a larger picture behind a small one.
            size = max(size, (width, height), key=_pixels)
        place += 2 + length
        if marker == 0xDA:
            place, scans = _next_marker(data, place), scans + 1


def _next_marker(data: bytes, place: int) -> int:
    found = _MARKER.search(data, place)
    if found is None:
        raise PictureError(_CUT_OFF)
    return found.end() - 2


def _webp(data: bytes) -> Size:
    (length,) = struct.unpack_from("<I", data, 4)
    _check_end(data, 8 + length + length % 2)
    sizes, place = [(0, 0)], 12
    while place < len(data):
        kind, length = struct.unpack_from("<4sI", data, place)
        content = data[place + 8 : place + 8 + length]
        if kind in (b"ANIM", b"ANMF") or (kind == b"VP8X" and content[0] & 2):
            raise PictureError(_MOVES)
        sizes.append(_webp_size(kind, content))
        place += 8 + length + length % 2
    return max(sizes, key=_pixels)


def _webp_size(kind: bytes, content: bytes) -> Size:
    if kind == b"VP8X":
        return int.from_bytes(content[4:7], "little") + 1, int.from_bytes(content[7:10], "little") + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", content, 6)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", content, 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return 0, 0


def _pixels(size: Size) -> int:
    return size[0] * size[1]


def _check_end(data: bytes, end: int) -> None:
    if end != len(data):
        raise PictureError(_CUT_OFF if end > len(data) else _MORE)
