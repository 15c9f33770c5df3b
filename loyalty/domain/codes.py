"""Card numbers and scan codes: making them, checking them, reading what a scanner or a person typed."""

import re
import secrets
import unicodedata

from loyalty.domain.values import CardRef

# These letters sit on the same keys of US, AZERTY and QWERTZ keyboards, and none looks like a digit.
SCAN_ALPHABET = "BCDEFGHJKNPRSTVX"
SCAN_LENGTH = 16
NUMBER_LENGTH = 10
# Crockford's base 32: 8 letters are 40 bits, and no two of them look alike.
PAIRING_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
PAIRING_LENGTH = 8

# A weakly totally anti-symmetric quasigroup of order 10 (H. Michael Damm, 2004).
_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)

# The unshifted digit row of French and (§ and !) Belgian keyboards; capitals appear with caps lock on some systems.
_AZERTY_ROW = str.maketrans("&é\"'(-è_çàÉÈÇÀ§!", "1234567890279068")
_LOOK_ALIKES = str.maketrans("OIL", "011")
_SEPARATORS = re.compile(r"[\s\-\u2010-\u2015.]+")
_CARD_ADDRESS = re.compile(r"/card/([A-Za-z0-9_-]{16,64})(?:[/?#]|$)")


def make_scan_code() -> str:
    """Make a new scan code: 15 random letters and their check letter."""
    body = "".join(secrets.choice(SCAN_ALPHABET) for _ in range(SCAN_LENGTH - 1))
    return body + scan_check_letter(body)


def make_card_number() -> str:
    """Make a new card number: 9 random digits and their check digit."""
    body = f"{secrets.randbelow(10 ** (NUMBER_LENGTH - 1)):0{NUMBER_LENGTH - 1}d}"
    return body + number_check_digit(body)


def scan_check_letter(body: str) -> str:
    """Return the Luhn-mod-16 check letter; it catches every wrong letter and most swapped neighbours."""
    total = 0
    for place, letter in enumerate(reversed(body)):
        value = SCAN_ALPHABET.index(letter)
        doubled = value * 2
        total += doubled // 16 + doubled % 16 if place % 2 == 0 else value
    return SCAN_ALPHABET[-total % 16]


def number_check_digit(body: str) -> str:
    """Return the Damm check digit; it catches every wrong digit and every swap of two neighbours."""
    interim = 0
    for digit in body:
        interim = _DAMM[interim][int(digit)]
    return str(interim)


def is_scan_code(text: str) -> bool:
    """Whether the text is exactly a scan code with the right check letter."""
    if len(text) != SCAN_LENGTH or any(letter not in SCAN_ALPHABET for letter in text):
        return False
    return scan_check_letter(text[:-1]) == text[-1]


def is_card_number(text: str) -> bool:
    """Whether the text is exactly a card number with the right check digit."""
    if len(text) != NUMBER_LENGTH or not (text.isascii() and text.isdigit()):
        return False
    return number_check_digit(text[:-1]) == text[-1]


def format_card_number(number: str) -> str:
    """Return the card number in the groups that people read aloud: 4-3-3."""
    return f"{number[:4]} {number[4:7]} {number[7:]}"


def read_code(text: str) -> CardRef | None:
    """Return the card that scanned or typed text names, whatever the case, spacing and keyboard layout."""
    typed = unicodedata.normalize("NFKC", text).strip()
    plain = _SEPARATORS.sub("", typed).upper()
    if is_scan_code(plain):
        return CardRef(scan_code=plain)
    if is_card_number(plain):
        return CardRef(card_number=plain)
    # On this row the dash is the digit 6, so only spaces may separate; a text with a real digit was not typed on it.
    row = "".join(typed.split())
    digits = row.translate(_AZERTY_ROW)
    if not any(letter.isdigit() for letter in row) and is_card_number(digits):
        return CardRef(card_number=digits)
    return None


def find_card_token(text: str) -> str | None:
    """Return the public token where the text is the address of a card page, as QR codes held it once."""
    found = _CARD_ADDRESS.search(text.strip())
    return found.group(1) if found else None


def make_pairing_code() -> str:
    """Make a random code that pairs a tablet."""
    return "".join(secrets.choice(PAIRING_ALPHABET) for _ in range(PAIRING_LENGTH))


def format_pairing_code(code: str) -> str:
    """Return the pairing code in two groups, as it is shown: ABCD-EFGH."""
    return f"{code[:4]}-{code[4:]}"


def read_pairing_code(text: str) -> str | None:
    """Return the pairing code that somebody typed, whatever the case, the dashes, and O for 0, I or L for 1."""
    code = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper().translate(_LOOK_ALIKES)
    is_code = len(code) == PAIRING_LENGTH and all(letter in PAIRING_ALPHABET for letter in code)
    return code if is_code else None
