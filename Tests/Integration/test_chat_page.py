"""The chat page in a browser: on a narrow screen, in the dark, and when a tab is lost."""

import pytest

from support.browser import PROGRAM, Browser
from support.looks import contrast
from support.programs import CHAT, IS_REPEATED
from support.server import Server

pytestmark = [
    pytest.mark.skipif(PROGRAM is None, reason="there is no browser: apt-get install chromium-headless-shell"),
    pytest.mark.skipif(IS_REPEATED, reason="the page is the same"),
]

LONG = "Donaudampfschifffahrtsgesellschaftskapitän" * 20
LINES = "[...document.querySelectorAll('#log li')].map(line => line.textContent)"
IS_READY = "document.getElementById('button')?.disabled === false"
# How much wider than the screen the page is, and the list within it.
OVERFLOWS = """
    [document.documentElement, document.getElementById('log')].map(element => element.scrollWidth - element.clientWidth)
"""
# Elements that are partly beyond an edge of the screen.
BEYOND_THE_EDGE = """
    [...document.querySelectorAll('h1, input, button, ul')].filter(element => {
      const box = element.getBoundingClientRect();
      return box.left < 0 || box.right > innerWidth || box.bottom > innerHeight || box.width < 60;
    }).map(element => element.id)
"""


@pytest.fixture
def example():
    with Server([CHAT, "--port", 0]) as server:
        yield server


async def say(tab, text):
    await tab.evaluate(f"text.value = {text!r}; document.getElementById('form').requestSubmit()")
    await tab.until(f"{LINES}.some(line => line.endsWith({text!r}))")


@pytest.mark.parametrize("width", [320, 360, 800])
async def test_long_words_stay_on_the_screen(example, tmp_path, width):
    async with Browser(tmp_path / "browser") as browser:
        tab = await browser.open(f"http://localhost:{example.port}/", width=width, height=640)
        await tab.until(IS_READY)
        await say(tab, LONG)
        await tab.screenshot(tmp_path / "long.png")
        for number in range(30):
            await say(tab, f"line {number}")
        await tab.screenshot(tmp_path / "page.png")
        assert await tab.evaluate(OVERFLOWS) == [0, 0]
        assert await tab.evaluate(BEYOND_THE_EDGE) == []
        assert tab.errors == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_as_dark_as_its_user_likes(example, tmp_path, scheme):
    async with Browser(tmp_path / "browser") as browser:
        tab = await browser.open(f"http://localhost:{example.port}/", width=360, height=640, scheme=scheme)
        await tab.until(IS_READY)
        await say(tab, "Hello!")
        await tab.screenshot(tmp_path / "page.png")
        for selector in ["h1", ".notice", "li:not(.notice)"]:
            seen = await contrast(tab, selector)
            assert seen["isDark"] == (scheme == "dark")
            assert seen["ratio"] >= 4.5, selector


async def test_its_icon_is_in_it(example, tmp_path):
    async with Browser(tmp_path / "browser") as browser:
        tab = await browser.open(f"http://localhost:{example.port}/")
        await tab.until(IS_READY)
        is_drawn = """
            new Promise(settle => {
              const icon = new Image();
              icon.onload = () => settle(icon.width > 0);
              icon.onerror = () => settle(false);
              icon.src = document.querySelector('link[rel=icon]').href;
            })
        """
        assert await tab.evaluate(is_drawn)
        assert [url for url in tab.requests if "favicon" in url] == []
        assert tab.errors == []


@pytest.mark.parametrize(
    ("end", "told"), [("close", " left."), ("crash", "'s connection is lost.")], ids=["closed", "crashed"]
)
async def test_the_others_are_told_how_a_tab_ended(example, tmp_path, end, told):
    async with Browser(tmp_path / "browser") as browser:
        ada = await browser.open(f"http://localhost:{example.port}/")
        await ada.until(IS_READY)
        grace = await browser.open(f"http://localhost:{example.port}/")
        await grace.until(IS_READY)
        name = await grace.evaluate("document.getElementById('name').value")
        await ada.until(f"{LINES}.includes('{name} joined.')")
        await (grace.close() if end == "close" else grace.crash())
        await ada.until(f"{LINES}.includes({name + told!r})")
        assert await ada.evaluate("document.querySelector('#log li:last-child').className") == "notice"
