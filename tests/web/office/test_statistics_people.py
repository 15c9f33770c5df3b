"""Statistics of people: who joins, comes back and stays away, and what staff do once the owner wants it."""

from flask import Flask
from flask.testing import FlaskClient

from loyalty.domain.values import Role
from loyalty.services import stats_rollup, stats_staff
from tests.browsing import hidden
from tests.clocks import clock_at
from tests.factories import make_card, make_key
from tests.services.voiding import stamp, undo
from tests.web.office.statistics_pages import AT, Bakery, bakery, enter, evening_of_june, on, read

__all__ = ["bakery", "evening_of_june"]


def test_it_follows_people_from_joining_to_the_first_reward(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = read(client, "/customers?first=2026-05-01")
    assert "2 people joined in these days; 50% came on a second day, and 50% had a reward by now." in page
    assert "Joined 2 100% Have the card in a wallet 0 0% Came on a second day 1 50% Had a first reward 1 50%" in page
    assert "Nobody joined in these days." in read(client, "/customers?first=2026-05-11&last=2026-05-12")


def test_it_says_who_comes_back_by_month_of_joining(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = read(client, "/customers")
    assert "Of those who joined in the months before this one, 50% came in the month after." in page
    assert "Apr 2026 1 0% 0 0% 0 0% 0 May 2026 1 100% 1 100% 1 Jun 2026 1 100% 1" in page
    assert "Jan 2026" in page
    assert "Dec 2025" not in page
    assert "Jul 2024" in read(client, "/customers?months=24")


def test_it_lists_who_stays_away(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    with app.app_context():
        with clock_at(on(6, 21)):
            erna = make_card(bakery.shop, name="Erna Thill")
            stamp(bakery.shop, erna)
        with clock_at(on(6, 22)):
            stamp(bakery.shop, erna)
        stats_rollup.roll_up(at=AT)
    enter(app, client, bakery.shop)
    page = read(client, "/customers")
    assert "2 of 4 members are silent for longer than usual: 1 who came regularly, 1 who came once or never." in page
    assert "Erna Thill 2 22 Jun 2026 8 days every day Dora Weber 0 Never 89 days –" in page
    assert f'href="/office/customers/{erna.card_id}"' in client.get("/office/statistics/customers").text


def test_it_counts_staff_only_once_the_owner_wants_it(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop)
    page = client.get("/office/statistics/staff")
    assert "What each member of staff does is not counted" in page.text
    assert "Ben" not in page.text
    for _ in range(2):
        answer = client.post("/office/statistics/staff/on", data=hidden(page, "/office/statistics/staff/on"))
        assert (answer.status_code, answer.headers["Location"]) == (303, "/office/statistics/staff")
    assert "Nobody of the staff did anything in these days that is counted." in read(client, "/staff")
    with app.app_context():
        with clock_at(AT):
            undo(bakery.shop.mia, stamp(bakery.shop, bakery.cleo, 3))
            stamp(bakery.shop, bakery.cleo)
        stats_rollup.roll_up(at=AT)
    page_text = read(client, "/staff")
    assert "Most entries are by Ben: 2. All of them together took 1 entry back." in page_text
    assert "Ben 2 0 4 0 0 0 Mia 1 0 0 0 0 1" in page_text
    assert "Counted since 30 Jun 2026, and kept for 90 days." in page_text


def test_it_deletes_what_was_counted_of_staff_after_asking(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    with app.app_context():
        stats_staff.switch_on(actor=bakery.shop.ada, key=make_key(bakery.shop.ada), at=AT)
    enter(app, client, bakery.shop)
    action = "/office/statistics/staff/off"
    page = client.get(action)
    assert "What was counted of each of them is deleted." in page.text
    for _ in range(2):
        answer = client.post(action, data=hidden(page, action))
        assert (answer.status_code, answer.headers["Location"]) == (303, "/office/statistics/staff")
    assert "is not counted" in read(client, "/staff")


def test_it_lets_only_the_owner_watch_staff(app: Flask, client: FlaskClient, bakery: Bakery) -> None:
    enter(app, client, bakery.shop, Role.MANAGER)
    page = client.get("/office/statistics/staff")
    assert "Only the owner can switch them on." in page.text
    assert "/office/statistics/staff/on" not in page.text
    token = hidden(client.get("/office/staff"), "/office/staff")
    for switch in ("on", "off"):
        assert client.post(f"/office/statistics/staff/{switch}", data=token).status_code == 403
    with app.app_context():
        assert stats_staff.find_since(actor=bakery.shop.ada) is None
