"""Sessions of browsers. Programs and phones hold none: for what they ask none is read, written or mentioned."""

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

# The addresses of programs and phones: the view is not known yet when a session is opened.
_PROGRAMS = "/api/"


class BrowserSessions(SecureCookieSessionInterface):
    """Signed cookies, for browsers alone."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session; a program's is empty whatever it sends."""
        return _ForPrograms() if request.path.startswith(_PROGRAMS) else super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the session where anything is in it; never a program's."""
        if not isinstance(session, _ForPrograms) and (session or session.accessed or session.modified):
            super().save_session(app, session, response)


class _ForPrograms(SecureCookieSession):
    """An empty session that nobody keeps."""


def init(app: Flask) -> None:
    """Use these sessions."""
    app.session_interface = BrowserSessions()
