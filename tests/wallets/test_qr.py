"""The QR code: small, quiet around, black on white."""

import re

from loyalty.wallets.qr import address_svg, qr_svg


def test_it_draws_a_scan_code_in_version_one_with_its_quiet_zone() -> None:
    picture = qr_svg("BCDEFGHJKNPRSTVX")
    assert 'viewBox="0 0 29 29"' in picture
    columns = [int(x) for x in re.findall(r"M(\d+) ", picture)]
    rows = [int(y) for y in re.findall(r"M\d+ (\d+)h", picture)]
    assert (min(columns), min(rows)) == (4, 4)
    assert max(rows) == 24


def test_it_is_black_on_white_without_any_style() -> None:
    picture = qr_svg("BCDEFGHJKNPRSTVX")
    assert 'fill="#fff"' in picture
    assert 'fill="#000"' in picture
    assert "style=" not in picture


def test_it_draws_an_address_of_any_length() -> None:
    assert address_svg("https://cards.example/join/um-eck").startswith("<svg ")
