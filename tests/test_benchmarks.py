"""The measurements run; what they find depends on the machine."""

from benchmarks import passes


def test_it_measures_passes_beside_bare_signatures() -> None:
    rates = passes.measure(seconds=0.1)
    assert 0 < rates.ratio < 2
    assert rates.bytes_each > 1000
