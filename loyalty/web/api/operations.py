"""One operation of the JSON API: registered once, it checks the key, reads, limits, answers and documents itself."""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Final, TypeVar, get_type_hints
from uuid import UUID

from flask import Response, g

from loyalty.domain.values import Actor, RequestKey, Scope
from loyalty.errors import LoyaltyError, ValidationError
from loyalty.services import key_holders
from loyalty.web.access import current_actor, current_admin, find_actor, find_key_holder, keyed, public
from loyalty.web.api import faults
from loyalty.web.api.blueprint import blueprint
from loyalty.web.api.reading import read_body, read_key, read_query
from loyalty.web.api.schemas import Answer, Body, Query
from loyalty.web.limits import address_source, limit, limit_together

Handler = TypeVar("Handler", bound=Callable[..., Answer | None])

# What a handler takes, or why nothing could be read.
Given = dict[str, object] | LoyaltyError

_PATH: Final = re.compile(r"\{(\w+)\}")
_CONVERTERS: Final = {UUID: "uuid:", str: ""}


@dataclass(frozen=True)
class Operation:
    """What was registered: all that a request is checked by, and all that the documentation tells."""

    method: str
    path: str
    handler: Callable[..., Answer | None]
    scope: Scope | None
    body: type[Body] | None
    query: type[Query]
    answers: Mapping[int, type[Answer] | None]
    errors: tuple[type[LoyaltyError], ...]
    limit: int
    writes: bool
    tag: str
    renamed: Mapping[str, str]
    limited: Callable[[Given], Answer | None]

    @property
    def name(self) -> str:
        """The operation's id, which is the name of its function."""
        return self.handler.__name__

    @property
    def hints(self) -> dict[str, Any]:
        """The types of the parts of its address, by name."""
        hints = get_type_hints(self.handler)
        return {name: hints[name] for name in _PATH.findall(self.path)}

    def status_of(self, answer: Answer | None) -> int:
        """Return the status that goes with a kind of answer."""
        return next(
            status
            for status, kind in self.answers.items()
            if (kind is None and answer is None) or (kind is not None and isinstance(answer, kind))
        )


OPERATIONS: list[Operation] = []


def operation(
    method: str,
    path: str,
    *,
    scope: Scope | None,
    answers: type[Answer] | Mapping[int, type[Answer] | None] | None,
    status: int = 200,
    body: type[Body] | None = None,
    query: type[Query] = Query,
    errors: tuple[type[LoyaltyError], ...] = (),
    limit_to: int = 120,
    limit_with: str = "",
    writes: bool | None = None,
    tag: str,
    renamed: Mapping[str, str] | None = None,
) -> Callable[[Handler], Handler]:
    """Register a function as an operation; it takes `actor` or `admin`, `key`, `body`, `query`, and parts of the path.

    `scope` None is for everybody. `errors` are those of its rules; the frame adds its own. `limit_to` is per minute
    and source, counted together with all that has the same `limit_with`. `writes` is False for a POST that only looks,
    and takes no key. `renamed` maps fields of the service to those of the body.
    """

    def register(handler: Handler) -> Handler:
        kinds = answers if isinstance(answers, Mapping) else {status: answers}
        does = method != "GET" if writes is None else writes
        made = Operation(
            *(method, path, handler, scope, body, query, kinds, errors, limit_to, does, tag, renamed or {}),
            limited=_counted(limit_to, limit_with)(_answering(handler, renamed or {})),
        )
        _check(made)
        OPERATIONS.append(made)
        _route(made)
        return handler

    return register


def all_errors(made: Operation) -> tuple[type[LoyaltyError], ...]:
    """Return every refusal that an operation can answer: those of its rules, and those of the frame."""
    return (*made.errors, *faults.of_frame(made.scope, made.body, path=bool(made.hints), writes=made.writes))


def _check(made: Operation) -> None:
    """Refuse, when the program starts, an operation that forgot something."""
    taken = set(inspect.signature(made.handler).parameters)
    needed = set(_PATH.findall(made.path))
    needed |= {"body"} if made.body else set()
    needed |= {"key"} if made.writes else set()
    needed |= set() if made.scope is None else {"admin"} if made.scope is Scope.PLATFORM else {"actor"}
    needed |= {"query"} if made.query is not Query else set()
    if taken != needed or not made.handler.__doc__:
        raise TypeError(f"{made.name} takes {sorted(taken)} and needs {sorted(needed)} and a docstring")
    if made.writes and made.scope is Scope.READ:
        raise TypeError(f"{made.name} writes with a key that reads")


def _route(made: Operation) -> None:
    def part(found: re.Match[str]) -> str:
        return f"<{_CONVERTERS[made.hints[found[1]]]}{found[1]}>"

    @wraps(made.handler)
    def view(**path: object) -> Response:
        return _serve(made, path)

    opened = public(view) if made.scope is None else keyed(made.scope)(view)
    blueprint.add_url_rule(_PATH.sub(part, made.path), made.name, opened, methods=[made.method])


def _counted(most: int, scope: str) -> Callable[[Callable[[Given], Answer | None]], Callable[[Given], Answer | None]]:
    """Return what counts the requests of an operation."""

    def limits() -> str:
        return f"{_most(most)} per minute"

    return limit_together(limits, scope=scope, key_func=_source) if scope else limit(limits, key_func=_source)


def _answering(handler: Callable[..., Answer | None], renamed: Mapping[str, str]) -> Callable[[Given], Answer | None]:
    """Let a handler answer what was read, or refuse what could not be: by then it is counted, too."""

    @wraps(handler)
    def answer(given: Given) -> Answer | None:
        if isinstance(given, LoyaltyError):
            raise given
        try:
            return handler(**given)
        except ValidationError as refusal:
            raise _with_our_names(refusal, renamed) from refusal

    return answer


def _serve(made: Operation, path: dict[str, object]) -> Response:
    given: Given
    try:
        given = _read(made, path)
    except LoyaltyError as refusal:
        given = refusal
    return _response(made, made.limited(given))


def _read(made: Operation, path: dict[str, object]) -> dict[str, object]:
    body, query = read_body(made.body) if made.method != "GET" else None, read_query(made.query)
    given: dict[str, object] = {**path, **({"body": body} if made.body else {})}
    given |= {"query": query} if made.query is not Query else {}
    # The services that everybody may ask name their callers themselves.
    key = read_key(body, "public" if made.scope is None else _caller()) if made.writes else None
    given |= {"key": key} if key else {}
    if made.scope is Scope.PLATFORM:
        given["admin"] = current_admin()
    elif made.scope is not None:
        given["actor"] = _at_store(body, key)
    return given


def _at_store(body: Body | None, key: RequestKey | None) -> Actor:
    """Return the actor at the store that the body names, if it does."""
    actor = current_actor()
    code = getattr(body, "store_code", None)
    if code is not None:
        actor = g.actor = replace(actor, store_id=key_holders.get_store_id(actor=actor, code=code, key=key))
    return actor


def _caller() -> str:
    actor = find_actor()
    return actor.caller if actor else current_admin().caller


def _with_our_names(refusal: ValidationError, renamed: Mapping[str, str]) -> ValidationError:
    details = dict(refusal.details)
    errors = {renamed.get(name, name): sentence for name, sentence in details.pop("errors").items()}
    return type(refusal)(errors, **details)


def _response(made: Operation, answer: Answer | None) -> Response:
    content = answer.model_dump_json() if answer is not None else None
    response = Response(content, made.status_of(answer), content_type="application/json")
    if answer is not None and answer.replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _most(usual: int) -> int:
    """Return how often a minute: the key's own number, else the operation's."""
    holder = find_key_holder()
    return holder.requests_per_minute or usual if holder else usual


def _source() -> str:
    """Return who is counted: a key with the store it works at, else an address."""
    holder, actor = find_key_holder(), find_actor()
    if holder is None:
        return address_source()
    return f"key:{holder.api_key_id}:{actor.store_id if actor else ''}"
