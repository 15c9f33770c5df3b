"""The measurements run; what they find depends on the machine."""

from benchmarks import lighthouse, passes


def test_it_measures_passes_beside_bare_signatures() -> None:
    rates = passes.measure(seconds=0.1)
    assert 0 < rates.ratio < 2
    assert rates.bytes_each > 1000


REPORT = {
    "finalDisplayedUrl": "http://localhost/join/bakery",
    "categories": {
        "accessibility": {"score": 0.96, "auditRefs": [{"id": "label", "weight": 7}, {"id": "focus", "weight": 0}]},
        "best-practices": {"score": 1, "auditRefs": [{"id": "doctype", "weight": 1}, {"id": "video", "weight": 1}]},
        "performance": {"score": 0.5, "auditRefs": [{"id": "paint", "weight": 10}]},
    },
    "audits": {
        "label": {
            "id": "label",
            "title": "Fields have no names",
            "score": 0,
            "scoreDisplayMode": "binary",
            "details": {"items": [{"node": {"snippet": "<input>"}}]},
        },
        "focus": {"id": "focus", "title": "By hand", "score": None, "scoreDisplayMode": "manual"},
        "doctype": {"id": "doctype", "title": "It has one", "score": 1, "scoreDisplayMode": "binary"},
        "video": {"id": "video", "title": "No video", "score": None, "scoreDisplayMode": "notApplicable"},
        "paint": {"id": "paint", "title": "Slow", "score": 0.5, "scoreDisplayMode": "numeric"},
    },
}


def test_it_reads_what_lighthouse_says() -> None:
    join = lighthouse.Place("join", "/join/bakery")
    found = lighthouse.read(join, "phone", REPORT, "http://localhost/join/bakery")
    assert found.scores == {"accessibility": 96, "best-practices": 100, "performance": 50}
    # How quick a page is depends on the machine: that is in the table only.
    assert (found.faults, found.is_good) == (["label (Fields have no names) <input>"], False)
    assert lighthouse.table([found]).splitlines()[2].startswith("| join | 96 | 100 | 50 | - | - |")
    assert lighthouse.faults([found]) == ["join, phone: label (Fields have no names) <input>"]


def test_it_takes_no_page_that_was_not_measured_for_a_good_one() -> None:
    join = lighthouse.Place("join", "/join/bakery")
    broken = {"finalDisplayedUrl": "", "runtimeError": {"message": "The page did not load."}}
    found = lighthouse.read(join, "desk", broken, "http://localhost/join/bakery")
    assert (found.scores, found.faults, found.is_good) == ({}, ["The page did not load."], False)
    elsewhere = lighthouse.read(join, "desk", REPORT, "http://localhost/office")
    led = ["led to http://localhost/join/bakery"]
    assert (elsewhere.scores, elsewhere.faults, elsewhere.is_good) == ({}, led, False)
