"""A new business on the platform: its vendor and the person who owns it, together."""

from loyalty.database import transaction
from loyalty.services import accounts, vendors


def open_vendor(
    *,
    code: str | None = None,
    name: str,
    store_name: str,
    owner_email: str,
    owner_password: str,
    locale: str,
    timezone: str,
    country: str,
    currency: str,
) -> vendors.NewVendor:
    """Create a vendor and its owner, both or neither."""
    with transaction():
        made = vendors.create(
            code=code,
            name=name,
            store_name=store_name,
            locale=locale,
            timezone=timezone,
            country=country,
            currency=currency,
        )
        accounts.create_owner(vendor_id=made.vendor_id, email=owner_email, password=owner_password, locale=locale)
        return made
