"""The fixed words of a pass in its four languages: a phone picks among them by its own settings.

They are not in the catalogs of the pages, because every pass carries all four at once.
"""

from collections.abc import Mapping

LOCALES = ("en", "fr", "de", "lb")
NEW_VALUE = "%@"

# In the order of LOCALES.
_WORDS = {
    "stamps": ("Stamps", "Tampons", "Stempel", "Stempelen"),
    "points": ("Points", "Points", "Punkte", "Punkten"),
    "next_reward": ("Next reward", "Prochaine récompense", "Nächste Prämie", "Nächst Belounung"),
    "reward_ready": ("Reward ready", "Récompense disponible", "Prämie bereit", "Belounung prett"),
    "points_reward": ("With points", "Avec vos points", "Mit Punkten", "Mat Punkten"),
    "points_goal": ("Points needed", "Points nécessaires", "Benötigte Punkte", "Néideg Punkten"),
    "points_good_until": ("Points good until", "Points valables jusqu’au", "Punkte gültig bis", "Punkte gëlteg bis"),
    "points_expire": (
        f"Your points are good until {NEW_VALUE}",
        f"Vos points sont valables jusqu’au {NEW_VALUE}",
        f"Ihre Punkte sind gültig bis {NEW_VALUE}",
        f"Är Punkte si gëlteg bis {NEW_VALUE}",
    ),
    "closes_on": ("Redeem until", "À utiliser jusqu’au", "Einlösen bis", "Aléisen bis"),
    "closes": (
        f"The program ends: redeem until {NEW_VALUE}",
        f"Le programme prend fin\u00a0: à utiliser jusqu’au {NEW_VALUE}",
        f"Das Programm endet: einlösen bis {NEW_VALUE}",
        f"De Programm hält op: aléisen bis {NEW_VALUE}",
    ),
    "stamps_changed": (
        f"Your stamps: {NEW_VALUE}",
        f"Vos tampons\u00a0: {NEW_VALUE}",
        f"Ihre Stempel: {NEW_VALUE}",
        f"Är Stempelen: {NEW_VALUE}",
    ),
    "points_changed": (
        f"Your points: {NEW_VALUE}",
        f"Vos points\u00a0: {NEW_VALUE}",
        f"Ihre Punkte: {NEW_VALUE}",
        f"Är Punkten: {NEW_VALUE}",
    ),
    "card": ("Card", "Carte", "Karte", "Kaart"),
    "inactive": (
        "This card is not active",
        "Cette carte n’est pas active",
        "Diese Karte ist nicht aktiv",
        "Dës Kaart ass net aktiv",
    ),
    "card_number": ("Card number", "Numéro de carte", "Kartennummer", "Kaartennummer"),
    "shop": ("Shop", "Commerce", "Geschäft", "Geschäft"),
    "stores": ("Where it is valid", "Où elle est valable", "Wo sie gilt", "Wou se gëllt"),
    "card_page": ("Your card online", "Votre carte en ligne", "Ihre Karte online", "Är Kaart online"),
    "terms": ("Terms", "Conditions", "Teilnahmebedingungen", "Konditiounen"),
    "privacy": ("Privacy", "Protection des données", "Datenschutz", "Dateschutz"),
    "near_store": (
        "Show your card when you pay",
        "Présentez votre carte en payant",
        "Zeigen Sie Ihre Karte beim Bezahlen",
        "Weist Är Kaart beim Bezuelen",
    ),
}


def words(locale: str) -> dict[str, str]:
    """Return the words in one language, English for one that passes do not speak."""
    column = LOCALES.index(locale) if locale in LOCALES else 0
    return {name: in_all[column] for name, in_all in _WORDS.items()}


def strings_file(base: str, locale: str, own: Mapping[str, str]) -> bytes:
    """Write a pass.strings: what stands in the pass in the base language, and how `locale` says it.

    `own` holds the shop's own translations into `locale`, by the text that stands in the pass.
    """
    here, there = words(base), words(locale)
    # Different words can be one word in the base language; then the first of them decides for both.
    pairs: dict[str, str] = {}
    for name, text in here.items():
        pairs.setdefault(text, there[name])
    pairs.update(own)
    return "".join(f'"{_escaped(key)}" = "{_escaped(text)}";\n' for key, text in sorted(pairs.items())).encode()


def _escaped(text: str) -> str:
    """Escape as strings files ask: one bare quote would make the phone drop the whole file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return escaped.replace("\r", "\\r").replace("\n", "\\n")
