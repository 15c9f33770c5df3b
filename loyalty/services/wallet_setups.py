"""What all passes are made with. Where that changes, as with PUBLIC_URL, all passes in phones are made anew."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from loyalty.database import db, transaction
from loyalty.models.passes import AppleDeviceRegistration, WalletSetup
from loyalty.models.programs import LoyaltyProgram
from loyalty.services import google_passes, passes

# Only what is on or in a pass. A renewed certificate is not: passes in phones stay good, and new ones get it anyway.
_APPLE, _GOOGLE = "apple", "google"


def tell_of_changes() -> int:
    """Have all passes made anew where what they are made with differs from last time; returns for how many vendors.

    Run by every sweep. Without a first time to compare with there is nothing to tell: passes are as they were made.
    """
    told = 0
    for wallet, setup in ((_APPLE, passes.find_setup()), (_GOOGLE, google_passes.find_setup())):
        if setup is not None:
            with transaction():
                told += _tell(wallet) if _differs(wallet, setup) else 0
    return told


def _differs(wallet: str, setup: str) -> bool:
    """Write down the setup, and say whether it was another one before."""
    query = select(WalletSetup.setup).where(WalletSetup.wallet == wallet)
    before = db.session.scalar(query)
    if before == setup:
        return False
    # Two sweeps at once: the second waits here, and then finds what the first one wrote.
    row = insert(WalletSetup).values(wallet=wallet, setup=setup)
    changed = {"setup": setup, "updated_at": row.excluded.updated_at}
    row = row.on_conflict_do_update(index_elements=[WalletSetup.wallet], set_=changed, where=WalletSetup.setup != setup)
    wrote = db.session.execute(row.returning(WalletSetup.wallet)).one_or_none()
    return before is not None and wrote is not None


def _tell(wallet: str) -> int:
    if wallet == _APPLE:
        vendors = select(AppleDeviceRegistration.vendor_id)
        tell = passes.program_changed
    else:
        vendors = select(LoyaltyProgram.vendor_id).where(LoyaltyProgram.google_class_hash.is_not(None))
        tell = google_passes.program_changed
    ids = list(db.session.execute(vendors.distinct()).scalars())
    for vendor_id in ids:
        tell(vendor_id=vendor_id)
    return len(ids)
