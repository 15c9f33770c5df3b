"""Addresses that leave the site, in mails and answers."""

from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer

_public_url = ""
_signer = URLSafeSerializer("not configured", salt="confirmation")


def configure(*, public_url: str, secret_key: str) -> None:
    """Receive where the site is reached, and the key that signs links."""
    global _public_url, _signer
    _public_url = public_url.rstrip("/")
    _signer = URLSafeSerializer(secret_key, salt="confirmation")


def card(public_token: str) -> str:
    """Return the address of a card's page."""
    return f"{_public_url}/card/{public_token}"


def google_save(public_token: str) -> str:
    """Return where a card is saved to Google Wallet; the way on to Google is signed when somebody goes it."""
    return f"{card(public_token)}/google"


def apple_pass(serial: str, public_token: str) -> str:
    """Return where the Apple pass of a card is downloaded."""
    return f"{_public_url}/api/v1/loyalty/passes/apple/{serial}.pkpass?token={public_token}"


def picture(address: str | None) -> str | None:
    """Return the whole address of a picture that is kept here, None where there is none."""
    return f"{_public_url}{address}" if address and address.startswith("/") else address or None


def join(vendor_code: str, store_code: str | None = None) -> str:
    """Return the address of a shop's join page, as a poster at one of its stores shows it."""
    return f"{_public_url}/join/{vendor_code}" + (f"?store={store_code}" if store_code else "")


def office(page: str) -> str:
    """Return the address of a page of the office."""
    return f"{_public_url}/office/{page}"


def new_password(confirmation_id: UUID | None) -> str:
    """Return the address at which a mailed link sets another password."""
    return office(f"password/{_signer.dumps([str(confirmation_id), 'password'])}")


def invitation(confirmation_id: UUID | None) -> str:
    """Return the address at which an invitation into an office is used."""
    return office(f"invitations/{_signer.dumps([str(confirmation_id), 'invitation'])}")


def confirmation(confirmation_id: UUID | None, kind: str) -> str:
    """Return the address that uses a confirmation, with its id and kind signed."""
    return f"{_public_url}/{kind}/confirm/{_signer.dumps([str(confirmation_id), kind])}"


def my_data(public_token: str, confirmation_id: UUID | None) -> str:
    """Return the address at which a customer who has proven their address sees their data."""
    return f"{card(public_token)}/my-data/{_signer.dumps([str(confirmation_id), 'my_data'])}"


def unsubscribe(customer_id: UUID) -> str:
    """Return the address at which a customer ends a shop's news, without signing in anywhere."""
    return f"{_public_url}/news/{_signer.dumps([str(customer_id), 'news'])}"


def admin(page: str) -> str:
    """Return the address of a page for those who look after the platform."""
    return f"{_public_url}/admin/{page}"


def read_confirmation(token: str, kind: str) -> UUID | None:
    """Return the id that a token was signed for; None for a forged one and for one of another kind."""
    try:
        confirmation_id, signed_kind = _signer.loads(token)
        return UUID(confirmation_id) if signed_kind == kind else None
    except (BadSignature, ValueError, TypeError):
        return None
