"""Passwords of owners, managers and admins: what is accepted, and how it is stored and compared."""

import bcrypt

from loyalty.errors import N_

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD_BYTES = 72
ROUNDS = 12

# Compared where there is no such person, so that the answer takes as long as for one who exists.
_NOBODY = b"$2b$12$qKkdbMiYXbLufXz.EdRB6eHUAnwCYmy.wFgD/j.slyyWJ43KW767u"


def password_problem(password: str) -> str | None:
    """Return the sentence that says why a password cannot be used, or None."""
    if len(password) < SHORTEST_PASSWORD:
        return N_("Use at least 12 characters.")
    # Bcrypt reads no further; a longer one would be cut in silence.
    if len(password.encode()) > LONGEST_PASSWORD_BYTES:
        return N_("Use at most 72 letters; letters with accents count twice.")
    if len(set(password)) < 5:
        return N_("Use more than a few different characters.")
    return None


def hash_password(password: str) -> str:
    """Return the bcrypt hash of a password that `password_problem` accepts."""
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode()


def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether the password belongs to the hash; takes the same time where there is none."""
    typed = password.encode(errors="replace")
    same = bcrypt.checkpw(typed[:LONGEST_PASSWORD_BYTES], password_hash.encode() if password_hash else _NOBODY)
    return same and password_hash is not None and len(typed) <= LONGEST_PASSWORD_BYTES
