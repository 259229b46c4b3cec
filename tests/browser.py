"""A headless Chromium for tests of pages: Playwright drives the distribution's browser, or its own."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

MISSING = "there is no Chromium here: as root, `make browser` installs it"
# CI sets this, so that a missing browser is a failure there and no skip.
REQUIRED = "COURSE_REQUIRE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome")


def _program(own: str) -> str | None:
    """The browser to start: the distribution's, else the one that Playwright installed."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    return found or (own if Path(own).exists() else None)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that lasts as long as the block. Skips the test without one; fails it where REQUIRED."""
    with sync_playwright() as playwright:
        program = _program(playwright.chromium.executable_path)
        if program is None:
            (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(MISSING)
        # Chromium's own sandbox refuses root; the pages are ours. No host but this machine has a name.
        words = ["--no-sandbox", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
        browser = playwright.chromium.launch(executable_path=program, args=words)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def page(size: tuple[int, int] = (1280, 900)) -> Iterator[Page]:
    """An empty page of `size` pixels; it asks no host but this machine."""
    with chromium() as browser:
        opened = browser.new_page(viewport={"width": size[0], "height": size[1]})
        # Far above what a quiet machine needs: a busy one must not fail.
        opened.set_default_timeout(60_000)
        yield opened
