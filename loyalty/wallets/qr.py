"""The QR code of a card: what a camera or a scanner at the counter reads."""

import qrcode
from markupsafe import Markup
from qrcode.constants import ERROR_CORRECT_M, ERROR_CORRECT_Q

QUIET_ZONE = 4


def qr_svg(scan_code: str) -> Markup:
    """Draw a scan code: version 1, level Q, black on white, four modules of quiet zone inside the picture."""
    code = qrcode.QRCode(version=1, error_correction=ERROR_CORRECT_Q, border=QUIET_ZONE)
    code.add_data(scan_code)
    code.make(fit=False)
    return _svg(code.get_matrix())


def address_svg(address: str) -> Markup:
    """Draw a web address, in the smallest version that holds it at level M."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=QUIET_ZONE)
    code.add_data(address)
    code.make(fit=True)
    return _svg(code.get_matrix())


def poster_svg(address: str) -> Markup:
    """Draw a web address for paper, at level Q. The class says how many modules it is wide, quiet zone included."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=QUIET_ZONE)
    code.add_data(address)
    code.make(fit=True)
    return _svg(code.get_matrix())


def _svg(matrix: list[list[bool]]) -> Markup:
    # Colours are attributes of the drawing, not styles: the policy of the pages forbids inline styles,
    # and a code has to stay black on white in dark mode too.
    size = len(matrix)
    path = "".join(_row(y, row) for y, row in enumerate(matrix))
    # Markup, so that no template has to switch escaping off for it.
    return Markup(
        '<svg viewBox="0 0 {size} {size}" class="n{size}" shape-rendering="crispEdges" '
        'aria-hidden="true" focusable="false">'
        '<rect width="{size}" height="{size}" fill="#fff"/><path d="{path}" fill="#000"/></svg>'
    ).format(size=size, path=path)


def _row(y: int, row: list[bool]) -> str:
    runs: list[str] = []
    x = 0
    while x < len(row):
        start = x
        while x < len(row) and row[x]:
            x += 1
        if x > start:
            runs.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
        x += 1
    return "".join(runs)
