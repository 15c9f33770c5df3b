"""What customers have agreed to, every yes and no of it, and the words that they agreed to."""

from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from loyalty.database import Base, Created, new_id
from loyalty.models.constraints import one_of, same_vendor


class Consent(Created, Base):
    """One yes or no; `version` says to which words, `source` where it was given."""

    __tablename__ = "consents"
    __table_args__ = (
        one_of("kind", ("terms", "marketing")),
        one_of("source", ("join", "counter", "office", "mail", "my_data")),
        same_vendor("customer_id", "customers"),
        Index("ix_consents_customer", "customer_id", "created_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"))
    customer_id: Mapped[UUID]
    kind: Mapped[str]
    given: Mapped[bool]
    version: Mapped[str]
    source: Mapped[str]


class TermsVersion(Created, Base):
    """The terms of a shop as somebody accepted them; a changed text is another version."""

    __tablename__ = "terms_versions"

    vendor_id: Mapped[UUID] = mapped_column(ForeignKey("vendors.id"), primary_key=True)
    version: Mapped[str] = mapped_column(primary_key=True)
    terms_text: Mapped[str]
