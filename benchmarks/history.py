"""The history of one card, as lines for COPY: rows that are numbered, chained and summed up as the till does it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from loyalty.domain.ledger import ENTRY_COLUMNS, ENTRY_VERSION, GENESIS, entry_hash

STAMPS_FOR_A_REWARD, POINTS_FOR_A_REWARD = 10, 600
VOID_EVERY, DETAIL_EVERY = 80, 10
COLUMNS = (*ENTRY_COLUMNS[ENTRY_VERSION], "entry_version", "entry_hash")
EMPTY = r"\N"
_NOTHING = dict.fromkeys(COLUMNS)


@dataclass(frozen=True, slots=True)
class Place:
    """The shop in which a card is used: its identifiers as text, stores with a terminal each, and its staff."""

    vendor_id: str
    program_id: str
    stores: list[tuple[str, str]]
    staff: list[str]


@dataclass(slots=True)
class History:
    """A card while its rows are written; at the end its columns say what the rows add up to."""

    card_id: str
    place: Place
    chance: Random
    begin: datetime
    rows: list[str] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    seq: int = 0
    head: str = GENESIS
    at: datetime | None = None
    stamps: int = 0
    points: int = 0
    stamps_earned: int = 0
    stamps_redeemed: int = 0
    points_earned: int = 0
    points_redeemed: int = 0
    last_stamp_at: datetime | None = None
    last_points_at: datetime | None = None
    last_redemption_at: datetime | None = None
    stamps_day: str | None = None
    stamps_on_day: int = 0

    def write(self, most: int, visits: list[datetime]) -> None:
        """Write so many rows: the card is made, then the customer comes again and again."""
        self._append("card_created", self.begin)
        for visit in visits:
            if self.seq >= most:
                return
            self._visit(visit, most)

    def stamp_at(self, at: datetime) -> None:
        """Write one stamp more, with an id of now, as tills draw it whatever the time of the ledger."""
        self._stamp(at, of=datetime.now(UTC))

    def _visit(self, at: datetime, most: int) -> None:
        """Stamp, earn, redeem what is full, and now and then take back what was just given."""
        before = (self.last_stamp_at, self.stamps_day, self.stamps_on_day)
        stamp = self._stamp(at)
        if self.seq < most and self.chance.randrange(VOID_EVERY) == 0:
            self._take_back(stamp, before, at + timedelta(seconds=5))
        if self.seq < most:
            self._earn(at + timedelta(seconds=10))
        if self.seq < most and self.stamps >= STAMPS_FOR_A_REWARD:
            self.stamps_redeemed += 1
            self.last_redemption_at = at + timedelta(seconds=20)
            said = {"reward_description": "Free item"}
            self._append("stamp_redeemed", self.last_redemption_at, stamps=-STAMPS_FOR_A_REWARD, said=said)
        if self.seq < most and self.points >= 2 * POINTS_FOR_A_REWARD:
            self.points_redeemed += POINTS_FOR_A_REWARD
            self.last_redemption_at = at + timedelta(seconds=30)
            said = {"reward_id": "cake", "reward_description": "A cake"}
            self._append("points_redeemed", self.last_redemption_at, points=-POINTS_FOR_A_REWARD, said=said)

    def _stamp(self, at: datetime, of: datetime | None = None) -> str:
        day = at.date().isoformat()
        self.stamps_on_day = self.stamps_on_day + 1 if self.stamps_day == day else 1
        self.stamps_day, self.last_stamp_at = day, at
        self.stamps_earned += 1
        return self._append("stamp_earned", at, stamps=1, of=of)

    def _take_back(self, row: str, before: tuple[datetime | None, str | None, int], at: datetime) -> None:
        self.last_stamp_at = before[0]
        self.stamps_on_day -= 1
        self.stamps_earned -= 1
        self._append("stamp_voided", at, stamps=-1, said={"related_transaction_id": row})

    def _earn(self, at: datetime) -> None:
        cents = self.chance.randint(180, 2400)
        self.points_earned += cents // 10
        self.last_points_at = at
        self._append("points_earned", at, points=cents // 10, said={"purchase_amount_cents": cents})

    def _append(
        self,
        kind: str,
        at: datetime,
        *,
        stamps: int = 0,
        points: int = 0,
        said: Mapping[str, str | int] | None = None,
        of: datetime | None = None,
    ) -> str:
        self.seq, self.at = self.seq + 1, at
        self.stamps, self.points = self.stamps + stamps, self.points + points
        store, terminal = self.place.stores[self.seq % len(self.place.stores)]
        row: dict[str, str | int | None] = {
            **_NOTHING,
            "id": make_id(of or at, self.chance),
            "card_id": self.card_id,
            "vendor_id": self.place.vendor_id,
            "store_id": store,
            "seq": self.seq,
            "transaction_type": kind,
            "stamps_delta": stamps,
            "points_delta": points,
            "stamps_balance_after": self.stamps,
            "points_balance_after": self.points,
            # Shops of this history open and close while the day of Luxembourg is the day of UTC.
            "local_day": at.date().isoformat(),
            "staff_pin_id": self.place.staff[self.seq % len(self.place.staff)],
            "terminal_id": terminal,
            "idempotency_key": f"{self.chance.getrandbits(96):024x}",
            "transaction_at": f"{at:%Y-%m-%dT%H:%M:%S.%f}Z",
            "entry_version": ENTRY_VERSION,
            **(said or {}),
        }
        row["entry_hash"] = self.head = entry_hash(ENTRY_VERSION, self.head, row)
        self.rows.append(line(row.values()))
        if self.seq % DETAIL_EVERY == 0:
            self.details.append(line((row["id"], self.place.vendor_id, "192.0.2.7", "Mozilla/5.0 (Tablet)")))
        return str(row["id"])


def make_visits(begin: datetime, end: datetime, number: int, chance: Random) -> list[datetime]:
    """Draw moments at which a shop is open, in order and never so near that two visits would mix."""
    first, days = datetime(begin.year, begin.month, begin.day, tzinfo=UTC), max(1, (end - begin).days)
    drawn = sorted(
        first + timedelta(days=1 + chance.randrange(days), hours=6, microseconds=chance.randrange(36_000_000_000))
        for _ in range(number)
    )
    for place in range(1, number):
        drawn[place] = max(drawn[place], drawn[place - 1] + timedelta(minutes=1))
    return drawn


def make_id(at: datetime, chance: Random) -> str:
    """Make the UUIDv7 of a moment, always the same one for the same chance."""
    digits = f"{int(at.timestamp() * 1000):012x}7{chance.getrandbits(12):03x}{8 + chance.getrandbits(2):x}"
    digits += f"{chance.getrandbits(60):015x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def line(values: Iterable[object]) -> str:
    """Write values as one line of COPY; none of them holds a tab or a backslash."""
    return "\t".join([EMPTY if value is None else str(value) for value in values]) + "\n"
