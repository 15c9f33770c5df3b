"""Finds a Chromium for the browser tests; `python -m tests.chromium` gets one where there is none."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

# The shell is the same browser without windows, which nobody sees here: it needs half of the time.
SHELL = "chromium-headless-shell"
NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 600  # seconds for one way: a network that swallows everything is no network
HOW = "Chromium is missing: install it, set CHROMIUM to its path, or run `.venv/bin/playwright install chromium`."


def executable(playwright: Playwright) -> str:
    """Return the path of a Chromium: from CHROMIUM, this machine, or Playwright's own."""
    found = _installed() or playwright.chromium.executable_path
    if not Path(found).exists():
        raise RuntimeError(HOW)
    return found


def _installed() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def _is_found() -> bool:
    if _installed():
        return True
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


def _ways() -> list[list[str]]:
    # Debian's own brings the libraries it needs.
    ways = [_apt("update"), _apt("install", SHELL), _apt("install", "chromium")] if _may_install() else []
    return [*ways, [sys.executable, "-m", "playwright", "install", "chromium"]]


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt(what: str, *names: str) -> list[str]:
    return ["apt-get", "-qq", "-o", "Dpkg::Use-Pty=0", what, "-y", "--no-install-recommends", *names]


def _run(way: list[str]) -> None:
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(way, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False, timeout=PATIENCE)


def main() -> int:
    """Get a Chromium, or say in one line how."""
    if _is_found():
        if not os.environ.get("CHROMIUM") and not shutil.which(SHELL) and _may_install():
            # It is faster, and not needed: where the lists of packages do not have it, nobody waits.
            _run(_apt("install", SHELL))
        return 0
    print("Getting Chromium for the browser tests (once) ...", flush=True)
    for way in _ways():
        _run(way)
        if _is_found():
            return 0
    print(HOW, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
