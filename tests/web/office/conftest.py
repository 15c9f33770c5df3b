"""Quick passwords: what bcrypt costs is tested where passwords are."""

import pytest

from loyalty.domain import passwords


@pytest.fixture(autouse=True)
def _quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ROUNDS", 4)
