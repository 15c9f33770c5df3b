"""Who may do what in the office: refused in the service, so that every door has the same rule."""

from loyalty.domain.values import Actor, Role
from loyalty.errors import Forbidden


def require(*, actor: Actor, role: Role) -> None:
    """Refuse an actor below the role."""
    if actor.role < role:
        raise Forbidden
