"""The picture of stamps: its size, its colours, and that it says the same as the card page."""

import io
import re
from itertools import product
from pathlib import Path

import pytest
from PIL import Image

from loyalty.domain.colours import fg
from loyalty.wallets.icons import PATHS, SIZE, icon_lines
from loyalty.wallets.strip import plain_strip, stamp_strip

BLUE = "#1F4FD1"
ICONS = Path(__file__).resolve().parents[2] / "templates" / "macros" / "icons.html"


def opened(data: bytes) -> Image.Image:
    """Read a picture as colours."""
    return Image.open(io.BytesIO(data)).convert("RGB")


def ink(data: bytes, colour: str) -> float:
    """Return which part of a picture has the readable colour."""
    image = opened(data)
    wanted = tuple(int(fg(colour)[at : at + 2], 16) for at in (1, 3, 5))
    counts = {found: count for count, found in image.getcolors(1 << 20) or []}
    return counts.get(wanted, 0) / (image.width * image.height)


@pytest.mark.parametrize("target", [1, 3, 5, 6, 7, 10, 12, 16, 19, 20, 21, 100])
def test_it_fills_more_with_each_stamp(target: int) -> None:
    shares = [ink(stamp_strip(BLUE, target, count)[0], BLUE) for count in range(target + 1)]
    assert shares[0] > 0
    # The first piece of a long bar is as wide as its round ends.
    assert shares == sorted(shares)
    assert shares[-1] > shares[0]
    assert stamp_strip(BLUE, target, target + 5) == stamp_strip(BLUE, target, target)


def test_it_has_the_sizes_of_a_store_card() -> None:
    for pictures in (stamp_strip(BLUE, 10, 4), plain_strip(BLUE)):
        assert [opened(data).size for data in pictures] == [(375, 144), (750, 288), (1125, 432)]


def test_it_keeps_stamps_in_the_part_that_every_phone_shows() -> None:
    for target, colour in product(range(1, 25), (BLUE, "#FFFFFF")):
        image = opened(stamp_strip(colour, target, target)[1])
        paper = image.getpixel((0, 0))
        for y in (*range(21), *range(267, 288)):
            assert image.crop((0, y, 750, y + 1)).getcolors() == [(750, paper)]


@pytest.mark.parametrize("colour", [BLUE, "#FFFFFF", "#000000", "#4B7D87", "#F2C14E"])
def test_it_stands_on_the_card_s_colour(colour: str) -> None:
    paper = tuple(int(colour[at : at + 2], 16) for at in (1, 3, 5))
    assert opened(stamp_strip(colour, 10, 4)[0]).getpixel((2, 2)) == paper
    assert opened(plain_strip(colour)[2]).getcolors() == [(1125 * 432, paper)]


def test_it_is_drawn_once() -> None:
    assert stamp_strip(BLUE, 10, 4) is stamp_strip(BLUE, 10, 4)
    assert stamp_strip(BLUE, 10, 4) != stamp_strip(BLUE, 10, 4, "heart")


@pytest.mark.parametrize("name", PATHS)
def test_it_draws_the_icons_of_the_card_page(name: str) -> None:
    on_page = dict(re.findall(r'"([a-z-]+)": "(M[^"]+)"', ICONS.read_text(encoding="utf-8")))
    assert PATHS[name] == on_page[name]
    for x, y in (point for line in icon_lines(name) for point in line):
        assert 0 <= x <= SIZE
        assert 0 <= y <= SIZE
