"""Where the stamps of a card stand; the card page and the wallet picture ask the same function."""

from dataclasses import dataclass

MAX_DRAWN = 20


@dataclass(frozen=True, slots=True)
class Slot:
    """One place for a stamp: its number from 1, what fills it, and whether it arrived just now."""

    number: int
    filled: bool
    is_reward: bool
    is_new: bool


@dataclass(frozen=True, slots=True)
class StampGrid:
    """Rows of slots; without slots (more than 20) a bar with the number is drawn instead."""

    columns: int
    rows: int
    slots: tuple[Slot, ...]

    @property
    def is_bar(self) -> bool:
        """Whether there are too many stamps to draw each of them."""
        return not self.slots


def stamp_grid(target: int, count: int, new_stamps: int = 0, *, strip: bool = False) -> StampGrid:
    """Lay out `target` slots with `count` of them filled, the last `new_stamps` marked as new.

    `strip` is the wide and low picture of a wallet pass, which takes at most two rows.
    """
    if target > MAX_DRAWN:
        return StampGrid(columns=1, rows=1, slots=())
    columns = _columns(target, strip=strip)
    slots = tuple(
        Slot(number, number <= count, number == target, count - new_stamps < number <= count)
        for number in range(1, target + 1)
    )
    return StampGrid(columns=columns, rows=-(-target // columns), slots=slots)


def _columns(target: int, *, strip: bool) -> int:
    if target <= 5:
        return target
    if target <= 12:
        return -(-target // 2)
    if strip:
        return 10 if target > 18 else -(-target // 2)
    return 5 if target <= 15 or target > 18 else 6
