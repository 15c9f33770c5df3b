"""Going through a mass of cards: a batch at a time, so that mails and stamps in between do not wait."""

from uuid import UUID

from loyalty.adapters import Unavailable
from loyalty.errors import CardInactive, CardNotFound, VendorSuspended
from loyalty.services import bulk_steps


def go_through(bulk_id: UUID) -> None:
    """See to the next cards; the row of the outbox is told again while there are more."""
    batch = bulk_steps.find_batch(bulk_id=bulk_id)
    if batch is None:
        return
    if not batch.vendor_is_active:
        raise Unavailable("the shop is suspended; its cards wait until it works again")
    step = bulk_steps.switch_on if batch.is_undo else bulk_steps.switch_off
    for card_id in batch.card_ids:
        try:
            step(batch=batch, card_id=card_id)
        except VendorSuspended as error:
            raise Unavailable("the shop was suspended meanwhile; its cards wait") from error
        except (CardInactive, CardNotFound):
            # Such a card may not be switched, and its transaction is rolled back: an erased customer's, for example.
            bulk_steps.pass_over(batch=batch, card_id=card_id)
    bulk_steps.go_on(batch=batch)
