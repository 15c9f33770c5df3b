"""The archive of a pass: stored entries with one fixed date, so equal content gives equal bytes.

`zipfile` would do it too, but spends longer on sixteen small entries than the signature takes; what an entry
needs is worked out once here and kept with its bytes.
"""

import hashlib
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_VERSION = 20
_MADE_ON_UNIX = 3 << 8 | _VERSION
_STORED = 0
_MIDNIGHT = 0
_FIRST_OF_1980 = 1 << 5 | 1
_PLAIN_FILE = 0o100644 << 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of the archive: its bytes behind their header, its line of the directory around its place, its SHA-1."""

    name: str
    stored: bytes
    line: tuple[bytes, bytes]
    sha1: str


def make_entry(name: str, data: bytes) -> Entry:
    """Prepare a file for any number of archives; its name is plain ASCII."""
    path = name.encode("ascii")
    crc, size = zlib.crc32(data), len(data)
    shape = (0, _STORED, _MIDNIGHT, _FIRST_OF_1980, crc, size, size, len(path), 0)
    local = _LOCAL.pack(b"PK\3\4", _VERSION, *shape)
    central = _CENTRAL.pack(b"PK\1\2", _MADE_ON_UNIX, _VERSION, *shape, 0, 0, 0, _PLAIN_FILE, 0)
    # The manifest of a pass asks for SHA-1; it is a checksum there, the signature is made with SHA-256.
    digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
    return Entry(name, local + path + data, (central[:-4], path), digest)


def join_entries(entries: Iterable[Entry]) -> bytes:
    """Write the archive, its entries in the order given."""
    files: list[bytes] = []
    directory: list[bytes] = []
    place = 0
    for entry in entries:
        files.append(entry.stored)
        directory += (entry.line[0], struct.pack("<L", place), entry.line[1])
        place += len(entry.stored)
    lines = b"".join(directory)
    end = _END.pack(b"PK\5\6", 0, 0, len(files), len(files), len(lines), place, 0)
    return b"".join((*files, lines, end))
