"""Leaving a receiver alone that is away, without losing an attempt or a minute."""

import pytest

from loyalty.adapters import Held, Rejected, Unavailable
from loyalty.jobs.patience import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, Patience


def fail(patience: Patience, error: Exception | None = None) -> Exception:
    with pytest.raises((Unavailable, Rejected)) as caught, patience.asking():
        raise error or Unavailable("503")
    return caught.value


def test_it_counts_attempts_until_the_receiver_is_taken_to_be_away() -> None:
    patience = Patience("Apple")
    raised = [fail(patience) for _ in range(FAILURES)]
    assert [isinstance(error, Held) for error in raised] == [False] * (FAILURES - 1) + [True]
    assert "Apple is away: 503" in str(raised[-1])
    assert 0 < patience.left() <= FIRST_PAUSE


def test_it_lets_nobody_ask_while_it_pauses() -> None:
    patience, asked = Patience("Apple"), False
    for _ in range(FAILURES):
        fail(patience)
    with pytest.raises(Held), patience.asking():
        asked = True
    assert not asked


@pytest.mark.parametrize("answer", [None, Rejected("400")], ids=["an answer", "a refusal"])
def test_it_begins_anew_after_an_answer(answer: Exception | None) -> None:
    patience = Patience("Apple")
    for _ in range(3):
        for _ in range(FAILURES - 1):
            assert not isinstance(fail(patience), Held)
        if answer is None:
            with patience.asking():
                pass
        else:
            fail(patience, answer)
    assert patience.left() == 0


def test_it_looks_for_the_receiver_more_than_once_a_minute() -> None:
    patience = Patience("Apple")
    for _ in range(100):
        error = patience.failed(Unavailable("503"))
    assert isinstance(error, Held)
    assert error.seconds == LONGEST_PAUSE < 60
    assert patience.left() <= LONGEST_PAUSE


def test_it_waits_for_as_long_as_the_receiver_asks() -> None:
    patience = Patience("Apple")
    for _ in range(FAILURES):
        error = patience.failed(Unavailable("503", retry_after=900.0))
    assert isinstance(error, Held)
    assert error.seconds == 900.0
