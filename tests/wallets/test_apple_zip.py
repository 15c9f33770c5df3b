"""The archive: what every unzip reads, byte for byte the same for the same files."""

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from loyalty.wallets.apple_zip import join_entries, make_entry

_names = st.from_regex(r"[a-z]{1,8}(/[a-z@.0-9]{1,12})?", fullmatch=True)


@given(st.dictionaries(_names, st.binary(max_size=500), max_size=20))
def test_it_is_read_by_everybody_s_unzip(files: dict[str, bytes]) -> None:
    archive = join_entries(make_entry(name, data) for name, data in files.items())
    assert archive == join_entries(make_entry(name, data) for name, data in files.items())
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == files
        assert opened.namelist() == list(files)
