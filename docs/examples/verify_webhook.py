"""How your own software checks that a webhook comes from us: copy this; it needs nothing but Python."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping

# A message that is older or newer than this is somebody's copy.
WINDOW_SECONDS = 300


def verify(*, secret: str, headers: Mapping[str, str], body: bytes, now: float | None = None) -> bool:
    """Say whether a message is ours, unchanged and fresh. `body` are the bytes as they came, before any parsing."""
    sent = {name.lower(): value for name, value in headers.items()}
    message_id, timestamp = sent.get("webhook-id", ""), sent.get("webhook-timestamp", "")
    age = (time.time() if now is None else now) - int(timestamp) if timestamp.isdigit() else None
    if age is None or abs(age) > WINDOW_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([message_id.encode(), timestamp.encode(), body])
    ours = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    # While a secret is exchanged there are two signatures; one of them fits.
    return any(hmac.compare_digest(ours, theirs) for theirs in sent.get("webhook-signature", "").split())
