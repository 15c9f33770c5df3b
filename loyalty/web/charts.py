"""The geometry of charts: where lines and shades stand, whatever room the browser gives the drawing."""

from collections.abc import Sequence
from typing import Final

WIDTH: Final = 1000
HEIGHT: Final = 200
SHADES: Final = 4


def ticks(most: float) -> tuple[int, ...]:
    """Return five round numbers at equal distances, from above all values down to zero."""
    steps = (size * 10**power for power in range(19) for size in (1, 2, 5))
    step = next(step for step in steps if step * 4 >= most)
    return tuple(step * number for number in range(4, -1, -1))


def line(values: Sequence[float], top: int) -> str:
    """Return the path through values from left to right, zero at the bottom; one value is a line at its height."""
    heights = [round(HEIGHT - HEIGHT * value / top, 1) for value in values]
    if len(heights) == 1:
        return f"M0 {heights[0]:g}H{WIDTH}"
    places = [round(WIDTH * number / (len(heights) - 1), 1) for number in range(len(heights))]
    return "M" + "L".join(f"{place:g} {height:g}" for place, height in zip(places, heights, strict=True))


def shade(value: int, most: int) -> int:
    """Return how dark a cell is: 0 for nothing, else 1 to 4."""
    return 1 + (SHADES * min(value, most) - 1) // most if value > 0 else 0
