"""Files of others that are served as they came: exactly these, and each beside its licence."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

VENDOR = Path(__file__).parent.parent / "static" / "vendor"

# The reader is pinned twice: barcode-detector refuses to work with the binary of any other zxing-wasm.
HASHES = {
    "htmx/htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "barcode-detector/ponyfill.js": "e3aa2057178b8ea71dd97003270331bbcb46499197b68bc0c7dd18e40c0863ea",
    "zxing-wasm/zxing_reader.wasm": "2ebda08a93eea3efcd8399cda6b276e6a0b1de4fec60b4d8988a047de4c6d1ba",
    "qr/decode.js": "00e209820dcb11d624e9a03d6383e580766792b57d1651318f0a29e4e1ff0fe8",
    "qr/index.js": "a0de370051f94bd74f218f74401fdf197585e3f9ef0143164f87ea941a3fdd6f",
}


@pytest.mark.parametrize(("path", "expected"), HASHES.items())
def test_it_serves_the_file_that_was_pinned(path: str, expected: str) -> None:
    assert sha256((VENDOR / path).read_bytes()).hexdigest() == expected


def test_it_keeps_a_licence_beside_every_vendored_file() -> None:
    for folder in VENDOR.iterdir():
        assert (folder / "LICENSE").is_file(), folder.name


def test_it_serves_the_reader_that_its_library_was_built_for() -> None:
    library = (VENDOR / "barcode-detector" / "ponyfill.js").read_text(encoding="utf-8")
    assert set(re.findall(r"zxing-wasm@([0-9.]+[0-9])", library)) == {"3.1.3"}
