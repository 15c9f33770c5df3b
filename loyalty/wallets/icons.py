"""The icons on stamps, as paths on a square of 24 like those of the card page, and as the lines to draw."""

import re
from functools import cache

SIZE = 24
PATHS = {
    "check": "M5 12.5l4.5 4.5L19 7.5",
    "gift": (
        "M4 12h16v8H4zM3 8h18v4H3zM12 8v12M12 8c-1.5-4.5-6.5-4.5-5.5-1.5C7 8 9.5 8 12 8z"
        "M12 8c1.5-4.5 6.5-4.5 5.5-1.5C17 8 14.5 8 12 8z"
    ),
    "heart": "M12 20C3 14 3 9 4.5 7c2-2.7 6-2 7.5 1.5C13.5 5 17.5 4.3 19.5 7 21 9 21 14 12 20z",
    "star": "M12 3.5l2.6 5.5 6 .8-4.4 4.2 1.1 6L12 17.1 6.7 20l1.1-6-4.4-4.2 6-.8z",
}
_TOKEN = re.compile(r"[MLHVCZmlhvcz]|-?(?:\d+\.\d+|\.\d+|\d+)")
_ARGUMENTS = {"m": 2, "l": 2, "h": 1, "v": 1, "c": 6, "z": 0}
_STEPS = 12

Point = tuple[float, float]


@cache
def icon_lines(name: str) -> tuple[tuple[Point, ...], ...]:
    """Return an icon as lines through points; curves become short straight pieces."""
    lines: list[list[Point]] = []
    for letter, numbers in _commands(PATHS[name]):
        here = lines[-1][-1] if lines else (0.0, 0.0)
        if letter in "Mm":
            lines.append([_point(letter, here, numbers[0], numbers[1])])
        elif letter in "Zz":
            start = lines[-1][0]
            lines[-1].append(start)
            lines.append([start])
        else:
            lines[-1] += _drawn(letter, here, numbers)
    return tuple(tuple(line) for line in lines if len(line) > 1)


def _commands(path: str) -> list[tuple[str, list[float]]]:
    found: list[tuple[str, list[float]]] = []
    letter = ""
    waiting: list[float] = []
    for token in _TOKEN.findall(path):
        if token.isalpha():
            letter, waiting = token, []
        else:
            waiting.append(float(token))
        if len(waiting) == _ARGUMENTS[letter.lower()]:
            found.append((letter, waiting))
            waiting = []
            # More numbers behind a move are lines.
            letter = {"M": "L", "m": "l"}.get(letter, letter)
    return found


def _drawn(letter: str, here: Point, numbers: list[float]) -> list[Point]:
    if letter in "Hh":
        return [_point(letter, here, numbers[0], 0 if letter == "h" else here[1])]
    if letter in "Vv":
        return [_point(letter, here, 0 if letter == "v" else here[0], numbers[0])]
    points = [_point(letter, here, x, y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    return points if letter in "Ll" else [_on_curve(here, points, step / _STEPS) for step in range(1, _STEPS + 1)]


def _point(letter: str, here: Point, x: float, y: float) -> Point:
    return (here[0] + x, here[1] + y) if letter.islower() else (x, y)


def _on_curve(start: Point, points: list[Point], t: float) -> Point:
    shares = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    corners = (start, *points)
    return (
        sum(share * corner[0] for share, corner in zip(shares, corners, strict=True)),
        sum(share * corner[1] for share, corner in zip(shares, corners, strict=True)),
    )
