"""What people call the tasks of the clock; `jobs.sweep.TASKS` says what they do."""

from typing import Final

from loyalty.errors import N_

TASK_NAMES: Final = {
    "answers": N_("Deleting old stored answers"),
    "closing": N_("Ending programs"),
    "deliveries": N_("Deleting finished deliveries"),
    "digests": N_("Daily mails of warnings"),
    "expiry": N_("Expiry of points"),
    "google": N_("Asking Google who saved cards"),
    "lifecycle": N_("Birthday mails and “we miss you”"),
    "phones": N_("Forgetting phones"),
    "retention": N_("Forgetting inactive customers"),
    "ring": N_("Starting overdue deliveries"),
    "setups": N_("Changed wallet set-ups"),
    "statistics": N_("Statistics"),
    "webhooks": N_("Webhooks"),
}


def task_name(name: str) -> str:
    """Return the words for a task, in English; a task of another release keeps its own name."""
    return TASK_NAMES.get(name, name)
