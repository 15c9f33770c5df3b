"""The rules of the house that no linter knows: where things may stand, and that things come in pairs."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from config import ROOT
from loyalty import web
from loyalty.errors import LoyaltyError
from loyalty.jobs.handlers import HANDLERS
from loyalty.services import messages
from loyalty.web import errors as web_errors
from loyalty.web.access import access_of

MODULES = sorted((ROOT / "loyalty").rglob("*.py"))
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
# Mails are read by programs that know no style sheets; macros are pieces of many elements.
PAGES = [path for path in TEMPLATES if path.relative_to(ROOT / "templates").parts[0] != "mail"]
PARTIALS = [path for path in PAGES if path.name.startswith("_") and path.parent.name != "macros"]

STATUS = {
    "CARD_NOT_FOUND": 404,
    "PROGRAM_NOT_FOUND": 404,
    "TRANSACTION_NOT_FOUND": 404,
    "NOT_FOUND": 404,
    "NOT_AUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "VENDOR_SUSPENDED": 403,
    "SELF_ENROLLMENT_DISABLED": 403,
    "STAFF_PIN_INVALID": 403,
    "STAFF_PIN_LOCKED": 423,
    "VALIDATION_ERROR": 422,
    "STAFF_PIN_REQUIRED": 422,
    "ORDER_REFERENCE_REQUIRED": 422,
    "INVALID_REWARD": 422,
    "IDEMPOTENCY_KEY_REUSED": 422,
    "RATE_LIMITED": 429,
    "MALFORMED_REQUEST": 400,
    "METHOD_NOT_ALLOWED": 405,
    "TOO_LARGE": 413,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "INTERNAL_ERROR": 500,
    "UNAVAILABLE": 503,
    "CARD_INACTIVE": 409,
    "PROGRAM_INACTIVE": 409,
    "PROGRAM_EXISTS": 409,
    "STAMPS_NOT_ENABLED": 409,
    "POINTS_NOT_ENABLED": 409,
    "STAMP_COOLDOWN": 409,
    "DAILY_STAMP_LIMIT": 409,
    "INSUFFICIENT_STAMPS": 409,
    "INSUFFICIENT_POINTS": 409,
    "VOID_NOT_ALLOWED": 409,
    "ALREADY_VOIDED": 409,
    "IDEMPOTENCY_IN_PROGRESS": 409,
    "STORE_NOT_ALLOWED": 409,
}

# Posts whose second tap is harmless by nature: they let somebody in or out, or only look.
KEYLESS = {
    "terminal.lookup",
    "terminal.preview_points",
    "office.choose_vendor",
    "office.sign_in",
    "office.sign_out",
    "terminal.lock",
    "terminal.pair",
    "terminal.pin",
}
# Colours and coordinates are measured, not counted.
MEASURED = {"colours.py", "settings.py", "stores.py", "programs.py"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def plain(path: Path) -> str:
    """A template as HTML: statements and comments gone, expressions replaced by a word."""
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"\{\{.*?\}\}", "x", text, flags=re.DOTALL)
    return re.sub(r"\{%.*?%\}", "", text, flags=re.DOTALL)


class Roots(HTMLParser):
    """Collects the outermost elements of a fragment."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.stray = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self.open:
            self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not self.open:
            self.stray += data.strip()


def functions() -> Iterator[tuple[str, int]]:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield f"{name_of(path)}:{node.name}", (node.end_lineno or 0) - node.lineno + 1


def families(kind: type[LoyaltyError] = LoyaltyError) -> Iterator[type[LoyaltyError]]:
    for child in kind.__subclasses__():
        yield child
        yield from families(child)


def forms(path: Path) -> Iterator[str]:
    """The POST forms of a template, each from its first tag to its last."""
    text = re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for form in re.findall(r"<form\b.*?</form>", text, flags=re.DOTALL):
        if re.search(r"""method=["']post["']""", form, flags=re.IGNORECASE):
            yield form


def test_it_commits_and_rolls_back_in_one_module() -> None:
    found = [name_of(path) for path in MODULES if re.search(r"\.(commit|rollback)\(", path.read_text(encoding="utf-8"))]
    assert found == ["loyalty/database.py"]


def test_it_gives_each_code_to_one_family_of_errors() -> None:
    assert web_errors.HTTP
    by_code: dict[str, list[type[LoyaltyError]]] = {}
    for kind in families():
        by_code.setdefault(kind.code, []).append(kind)
    strangers = {
        code: kinds
        for code, kinds in by_code.items()
        if not any(all(issubclass(kind, first) for kind in kinds) for first in kinds)
    }
    assert strangers == {}


def test_it_answers_each_code_with_the_status_of_the_catalogue() -> None:
    assert {kind.__name__: kind.status for kind in families() if STATUS.get(kind.code) != kind.status} == {}


@pytest.mark.parametrize("path", PARTIALS, ids=name_of)
def test_it_gives_every_partial_one_root_with_its_own_id(path: Path) -> None:
    roots = Roots(plain(path))
    name = path.stem.removeprefix("_")
    assert roots.stray == ""
    assert len(roots.found) == 1
    assert roots.found[0][1].get("id") in (name, f"{name}-x")


def test_it_says_of_every_endpoint_who_may_enter(app: Flask) -> None:
    assert [name for name, view in app.view_functions.items() if access_of(view) is None] == []


def test_it_registers_every_surface() -> None:
    surfaces = {path.name for path in (ROOT / "loyalty" / "web").iterdir() if (path / "blueprint.py").exists()}
    assert surfaces <= {blueprint.name for blueprint in web.BLUEPRINTS}


def test_it_handles_every_kind_of_the_outbox_and_nothing_else() -> None:
    told: set[str] = set()
    for path in MODULES:
        for kind in re.findall(r"""outbox\.add\(\s*kind=f?["']([^"']+)["']""", path.read_text(encoding="utf-8")):
            told |= {f"mail.{mail}" for mail in messages.KINDS} if kind == "mail.{kind}" else {kind}
    assert told == set(HANDLERS)


@pytest.mark.parametrize("kind", messages.KINDS)
def test_it_has_subject_text_and_html_of_every_mail(kind: str) -> None:
    folder = ROOT / "templates" / "mail" / kind
    assert {path.name for path in folder.iterdir()} == {"subject.txt", "body.txt", "body.html"}


def test_it_has_no_mail_that_nobody_sends() -> None:
    assert {path.name for path in (ROOT / "templates" / "mail").iterdir() if path.is_dir()} == set(messages.KINDS)


def test_it_keeps_modules_short() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}
    assert {name: count for name, count in lines.items() if count > 300} == {}


def test_it_keeps_functions_short() -> None:
    assert {name: count for name, count in functions() if count > 40} == {}


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_it_keeps_style_and_script_out_of_templates(path: Path) -> None:
    text = plain(path)
    assert re.findall(r"<style\b|\sstyle\s*=|<script(?![^>]*\ssrc=)|\son[a-z]+\s*=|\shx-on|javascript:", text) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_it_escapes_everything(path: Path) -> None:
    assert re.findall(r"\|\s*safe\b|autoescape", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_it_sends_a_token_and_a_key_with_every_post(path: Path) -> None:
    for form in forms(path):
        endpoint = re.search(r"""action=["']\{\{\s*url_for\(["']([\w.]+)["']""", form)
        with_key = re.search(r"""hidden\([^)\s]|name="key\"""", form) is not None
        assert "hidden(" in form or 'name="csrf_token"' in form, form
        assert with_key or (endpoint and endpoint[1] in KEYLESS) or 'action="{{ action }}"' in form, form


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_it_posts_to_the_same_address_with_and_without_htmx(path: Path) -> None:
    for form in forms(path):
        action, enhanced = (re.search(rf"""\s{name}="([^"]*)\"""", form) for name in ("action", "hx-post"))
        assert action, form
        assert enhanced is None or enhanced[1] == action[1]


def test_it_counts_money_points_and_stamps_in_whole_numbers() -> None:
    found = []
    for path in (path for part in ("services", "domain") for path in (ROOT / "loyalty" / part).glob("*.py")):
        if path.name in MEASURED:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_float = isinstance(node, ast.Name) and node.id == "float"
            is_float |= isinstance(node, ast.Constant) and isinstance(node.value, float)
            # pathlib also divides, by names of files.
            is_float |= isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and not _is_path(node)
            if is_float:
                found.append(f"{name_of(path)}:{getattr(node, 'lineno', 0)}")
    assert found == []


def _is_path(node: ast.AST) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_path(node.left) or _is_path(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_it_knows_the_zone_of_every_time_it_reads() -> None:
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                naive = node.func.attr in ("utcnow", "utcfromtimestamp")
                naive |= node.func.attr == "now" and ast.unparse(node.func.value) == "datetime" and not node.args
                if naive:
                    found.append(f"{name_of(path)}:{node.lineno}")
    assert found == []
