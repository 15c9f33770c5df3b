"""Names and other words on one line."""

from collections.abc import Mapping

import pytest

from loyalty.domain import lines, settings
from loyalty.domain.joining import JoinForm, Questions, check
from loyalty.domain.settings import SettingError
from tests.domain.test_joining import TODAY

ASKED = Questions(contact_field="email", country="LU", ask_name=True)
NAMED = (settings.STAFF_PIN, settings.STORE, settings.REWARD, settings.VENDOR, settings.API_KEY)
BLANK = ("\u200b", "\u200d", "\u3164", "\u2800", "\u00ad", "\ufeff", "\ufe0f", "\u0301", "\u2066\u2069")
UNFIT = ("Be\x00n", "Be\rn", "Be\x85n", "Ben\x1b[31m", "Be\u2028n", "Be\ud800n", "Be\uffffn", "Ben\nMia", "Ben\tMia")
TURNED = ("Ben \u202egnp.exe", "\u2067Ben")
FIT = ("Ben", "O'Hara-Müller", "😀", "👩\u200d👩\u200d👧", "علی\u200cرضا", "Ben\u00a0&\u00a0Co.", "=1+1", "</script>")


@pytest.mark.parametrize("name", FIT, ids=ascii)
def test_it_takes_what_shops_and_people_are_called(name: str) -> None:
    assert settings.STORE["name"](name) == name
    assert lines.is_fit(name)
    assert lines.is_visible(name)


@pytest.mark.parametrize("name", [*BLANK, *UNFIT, *TURNED], ids=ascii)
@pytest.mark.parametrize("named", NAMED, ids=["staff", "store", "reward", "vendor", "key"])
def test_it_refuses_names_that_nobody_sees_or_that_show_as_others(
    named: Mapping[str, settings.Check], name: str
) -> None:
    with pytest.raises(SettingError):
        named["name"](name)


@pytest.mark.parametrize("text", ["\u200b", "\u3164"], ids=ascii)
def test_it_takes_an_optional_text_that_nobody_sees_for_none(text: str) -> None:
    assert settings.PROGRAM["card_name"](text) == ""
    assert settings.PROGRAM["terms_text"](text) == ""


def test_it_keeps_lines_and_directions_in_longer_texts() -> None:
    text = "One.\nTwo \u2067three\u2069."
    assert settings.PROGRAM["terms_text"](text) == text


@pytest.mark.parametrize("name", BLANK[2:4], ids=ascii)
def test_it_takes_a_person_without_a_visible_name_for_one_without(name: str) -> None:
    assert check(JoinForm(email="cleo@example.org", name=name), ASKED, TODAY).name is None


@pytest.mark.parametrize("name", ["علی\u200cرضا", "👩\u200d👧 Cleo"], ids=ascii)
def test_it_keeps_a_persons_name_that_is_written_with_joiners(name: str) -> None:
    assert check(JoinForm(email="cleo@example.org", name=name), ASKED, TODAY).name == name
