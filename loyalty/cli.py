"""The commands of `flask`: what an operator runs."""

import contextlib
import json
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import click
from flask import Flask, current_app
from flask.cli import AppGroup, ScriptInfo, with_appcontext

from config_apple import DEV_FOLDER
from loyalty import backup, demo, doctor
from loyalty.database import db
from loyalty.domain.values import Actor, Admin, RequestKey, Role, Scope
from loyalty.errors import LoyaltyError, ValidationError
from loyalty.jobs import sweep as sweeping
from loyalty.jobs import worker as working
from loyalty.services import (
    accounts,
    api_keys,
    bounces,
    onboarding,
    second_factors,
    stats_rollup,
    stores,
    vendors,
    verification,
)
from loyalty.wallets.dev_certificates import make_dev_certificates

admin = AppGroup("admin", help="People who run the platform.")
vendor = AppGroup("vendor", help="The businesses on it.")
api_key = AppGroup("api-key", help="Keys for other software.")
ledger = AppGroup("ledger", help="The append-only record of every stamp and point.")
stats = AppGroup("stats", help="The sums that the statistics show.")
mail = AppGroup("mail", help="Mails to customers and to people of the office.")
wallet = AppGroup("wallet", help="Passes for Apple Wallet and Google Wallet.")


def register(app: Flask) -> None:
    """Add the commands to the application."""
    for command in (
        worker,
        sweep,
        doctor_command,
        backup_command,
        restore_command,
        demo_command,
        admin,
        vendor,
        api_key,
        ledger,
        stats,
        mail,
        wallet,
    ):
        app.cli.add_command(command)


@click.command()
@click.pass_context
def worker(context: click.Context) -> None:
    """Deliver what has to be told to the world outside, until stopped."""
    # No application context around it: each job gets one of its own.
    working.run(context.ensure_object(ScriptInfo).load_app())


@click.command()
@with_appcontext
def sweep() -> None:
    """Do what is due; a minute clock runs this, and running it twice is safe."""
    done = sweeping.run(datetime.now(UTC))
    click.echo(f"{done.rung} overdue rows rung for, {done.answers_deleted} old answers deleted.")


@click.command("doctor")
@with_appcontext
def doctor_command() -> None:
    """Check this installation, and say how to repair what is wrong."""
    findings = doctor.examine(current_app.config["CONFIG"], debug=current_app.debug)
    for finding in findings:
        click.echo(f"{finding.level:5} {finding.check}: {finding.words}")
    if any(finding.level == doctor.BAD for finding in findings):
        raise SystemExit(1)


@click.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@with_appcontext
def backup_command(file: Path) -> None:
    """Write the database and the files of DATA_DIR, without the secrets, into one archive."""
    with _refusals():
        made = backup.make(current_app.config["CONFIG"], file)
    click.echo(f"{file}: {made.size / 1_000_000:.1f} MB, {made.files} files beside the database.")
    click.echo(f"The secrets are not in it. {backup.SECRETS_APART}")


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace a database that already holds something.")
@with_appcontext
def restore_command(file: Path, *, force: bool) -> None:
    """Bring a backup back; stop the web server and the workers first."""
    with _refusals():
        restored = backup.restore(current_app.config["CONFIG"], file, force=force)
    click.echo(f"The backup of {restored.made_at} is back: {restored.files} files beside the database.")
    if not restored.same_pepper:
        click.echo("PIN_PEPPER is not the one of this backup: bring that one back, or give everybody a new PIN.")
    click.echo("Now run: flask --app wsgi ledger verify")


@click.command("demo")
@click.option("--json", "as_json", is_flag=True, help="Print the addresses and sign-ins as JSON.")
@click.option("--size", type=click.IntRange(0, 200_000), default=0, help="Have this many cards, with a history.")
@with_appcontext
def demo_command(*, as_json: bool, size: int) -> None:
    """Make a shop to try everything with; running it again makes nothing twice."""
    with _refusals():
        shop = demo.seed(current_app.config["CONFIG"], size=size)
    click.echo(json.dumps(shop, indent=2) if as_json else demo.describe(shop, current_app.config["CONFIG"].public_url))


@admin.command("create")
@click.argument("email")
def admin_create(email: str) -> None:
    """Make a platform admin with a generated password."""
    password = secrets.token_urlsafe(15)
    with _refusals():
        accounts.create_user(email=email, password=password, is_admin=True)
    click.echo(f"Password, shown this once: {password}")


@admin.command("second-factor-off")
@click.argument("email")
def second_factor_off(email: str) -> None:
    """Turn the second factor of a person off who has lost phone and recovery codes."""
    with _refusals():
        second_factors.turn_off_for(email=email)
    click.echo("The second factor is off. Tell the person to turn it on again.")


@vendor.command("create")
@click.argument("code")
@click.argument("name")
@click.argument("owner_email")
@click.option("--store", "store_name", default="", help="The name of the first store; the vendor's where not given.")
@click.option("--locale", default="en", show_default=True)
@click.option("--timezone", default="Europe/Luxembourg", show_default=True)
@click.option("--currency", default="EUR", show_default=True)
@click.option("--country", default="LU", show_default=True, help="Where phone numbers without a prefix belong.")
def vendor_create(code: str, name: str, owner_email: str, store_name: str, **settings: str) -> None:
    """Open a vendor: CODE for its addresses, its NAME, and the owner's e-mail address."""
    password = secrets.token_urlsafe(15)
    with _refusals():
        onboarding.open_vendor(
            code=code,
            name=name,
            store_name=store_name or name,
            owner_email=owner_email,
            owner_password=password,
            **settings,
        )
    public_url = current_app.config["CONFIG"].public_url
    click.echo(f"Office {public_url}/office, join page {public_url}/join/{code}")
    click.echo(f"{owner_email} signs in with the password, shown this once: {password}")


@api_key.command("create")
@click.argument("name")
@click.option("--vendor", "code", default="", help="The code of the shop; without it the key is the platform's.")
@click.option("--scope", type=click.Choice(["read", "till", "manage"]), default="till", show_default=True)
@click.option("--store", "codes", multiple=True, help="A store that the key is limited to; more than once for more.")
@click.option("--requests", type=int, help="How often a minute, instead of the usual limits.")
def api_key_create(name: str, code: str, scope: str, codes: tuple[str, ...], requests: int | None) -> None:
    """Make a key that is called NAME, and show it this once."""
    with _refusals():
        actor = _key_owner(code)
        made = api_keys.create(
            actor=actor,
            name=name,
            scope=Scope(scope) if code else Scope.PLATFORM,
            store_ids=_store_ids(actor, codes),
            requests_per_minute=requests,
            key=_one_time_key(),
        )
    click.echo(f"Key, shown this once: {made.api_key}")


@api_key.command("list")
@click.option("--vendor", "code", default="", help="The code of the shop; without it the platform's keys.")
def api_key_list(code: str) -> None:
    """List keys: id, state, scope, the letters they begin with, and name."""
    with _refusals():
        rows = api_keys.list_all(actor=_key_owner(code))
    for row in rows:
        texts = ", ".join(f"lp_{secret.code}_…" for secret in row.secrets)
        click.echo(f"{row.api_key_id}  {row.state:8} {row.scope.value:8} {texts}  {row.name}")


@api_key.command("revoke")
@click.argument("api_key_id", type=click.UUID)
@click.option("--vendor", "code", default="", help="The code of the shop; without it the key is the platform's.")
def api_key_revoke(api_key_id: UUID, code: str) -> None:
    """End a key: its next request is refused."""
    with _refusals():
        done = api_keys.revoke(actor=_key_owner(code), api_key_id=api_key_id, key=_one_time_key())
    click.echo(f"“{done.name}” is revoked.")


def _key_owner(code: str) -> Actor | Admin:
    return Actor(vendor_id=vendors.get_public(code=code).vendor_id, role=Role.OWNER) if code else Admin()


def _store_ids(actor: Actor | Admin, codes: tuple[str, ...]) -> list[UUID]:
    if not codes:
        return []
    known = {row.code: row.store_id for row in stores.list_all(actor=actor)} if isinstance(actor, Actor) else {}
    if missing := [code for code in codes if code not in known]:
        raise ValidationError({"store": f"there is no store {missing[0]}"})
    return [known[code] for code in codes]


def _one_time_key() -> RequestKey:
    return RequestKey("command line", secrets.token_urlsafe(24), "")


@ledger.command("verify")
def ledger_verify() -> None:
    """Replay every card, and name the first row that disagrees."""
    # One snapshot: a stamp given meanwhile is not a disagreement.
    db.session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    report = verification.verify()
    for found in report.findings:
        row = f"row {found.seq}" if found.seq else "the card itself"
        click.echo(f"Card {found.card_number}, {row}: {found.problem}")
    click.echo(f"{report.cards} cards, {report.rows} rows, {len(report.findings)} cards that disagree.")
    if report.findings:
        raise SystemExit(1)


@stats.command("rebuild")
def stats_rebuild() -> None:
    """Count the whole ledger again; pages go on showing what was counted before. Ended early, sweeps go on with it."""
    stats_rollup.start_over()
    cards = days = 0
    while (done := stats_rollup.roll_up(at=datetime.now(UTC))).cards or done.days:
        cards, days = cards + done.cards, days + done.days
        click.echo(f"{cards} cards, {days} days counted, {done.left} days left.")


@mail.command("bounced")
@click.argument("addresses", nargs=-1, required=True)
def mail_bounced(addresses: tuple[str, ...]) -> None:
    """Note that mails to these addresses came back: nothing goes there any more that nobody asked for."""
    for address in addresses:
        count = bounces.mark_address(address=address)
        click.echo(f"{address}: {count} {'customer' if count == 1 else 'customers'} marked.")


@wallet.command("dev-certs")
def wallet_dev_certs() -> None:
    """Make certificates with which passes can be tried on this machine, in DATA_DIR/wallet."""
    made = make_dev_certificates(current_app.config["CONFIG"].data_dir / DEV_FOLDER, datetime.now(UTC))
    click.echo(f"{made.certificate.parent}: {'made' if made.is_new else 'unchanged'}.")
    click.echo(
        f"Pass type {made.pass_type_id}, team {made.team_id}. No phone trusts them; openssl does with {made.root}."
    )
    click.echo("A running server takes them when it starts again.")


@contextlib.contextmanager
def _refusals() -> Iterator[None]:
    """Say a refusal as one line instead of a traceback."""
    try:
        yield
    except LoyaltyError as error:
        fields = [f"{field}: {sentence}" for field, sentence in error.details.get("errors", {}).items()]
        raise click.ClickException("; ".join(fields) or error.sentence) from error
    except (backup.BackupError, demo.DemoError) as error:
        raise click.ClickException(str(error)) from error
