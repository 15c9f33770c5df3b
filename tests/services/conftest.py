"""The application, connected to a server that plays Google, for tests that ask for it."""

from tests.google_platform import google

__all__ = ["google"]
