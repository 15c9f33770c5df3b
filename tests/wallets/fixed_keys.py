"""Root keys of Google's that stay as they are."""

from datetime import datetime

from loyalty.wallets.google_keys import RootKey, RootKeys


class FixedKeys(RootKeys):
    """Root keys that are never fetched."""

    def __init__(self, keys: tuple[RootKey, ...]) -> None:
        self._keys = keys

    def current(self, at: datetime) -> tuple[RootKey, ...]:
        """Return the keys, whatever the time."""
        return self._keys

    def after_unknown_signer(self, at: datetime) -> tuple[RootKey, ...]:
        """There are no others."""
        return ()
