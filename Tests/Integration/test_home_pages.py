"""The pages of `make run` in real browsers: on every screen, in the dark, with others, and when the server comes back."""

import asyncio
import contextlib
import json
from urllib.parse import urlsplit

import pytest

from support import browser, firefox
from support.browser import DEADLINE, Browser
from support.clients import CLIENTS
from support.cutting import Proxy
from support.deployment import free_port
from support.firefox import Firefox
from support.looks import contrast, until_drawn
from support.programs import EXAMPLES, IS_REPEATED
from support.server import Server

pytestmark = [
    pytest.mark.skipif(browser.PROGRAM is None, reason="there is no browser: apt-get install chromium-headless-shell"),
    pytest.mark.skipif(IS_REPEATED, reason="the pages are the same"),
]
in_firefox = pytest.mark.skipif(firefox.PROGRAM is None, reason="there is no Firefox: apt-get install firefox-esr")

SIZES = [(320, 568), (360, 640), (1280, 800), (3840, 2160)]
# What says that a page is at work, with all its connections: browsers note an error where one is left too early.
READY = {
    "/": "Number(document.getElementById('messages')?.textContent.replace(/,/g, '')) > 0"
    " && document.querySelector('#spark path')?.hasAttribute('d')",
    "/chat": "document.getElementById('send')?.disabled === false",
    "/feed": "document.querySelectorAll('#instruments button').length == 6",
    "/console": "document.querySelectorAll('#ideas button').length > 0",
}
LIVE = "document.getElementById('link')?.dataset.is == 'live'"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
# Things that can be used, and are partly beyond the left or right edge of the screen.
BEYOND_THE_EDGE = """
    [...document.querySelectorAll('a:not(.skip), button, input, textarea, select, h1, h2, h3, p, dd')].filter(element => {
      const box = element.getBoundingClientRect();
      return box.width > 1 && (box.left < -9 || box.right > innerWidth + 9);
    }).map(element => element.outerHTML)
"""
# What a screen reader would have no name for.
NAMELESS = """
    [...document.querySelectorAll('a, button, input, textarea, select, [role=img], [role=log]')].filter(element =>
      !(element.textContent.trim() || element.ariaLabel || element.title || element.labels?.length)
    ).map(element => element.outerHTML)
"""
SAID = "[...document.querySelectorAll('.said')].map(line => line.textContent)"
NOTICES = "[...document.querySelectorAll('#log .notice')].map(line => line.textContent)"
PEOPLE = "[...document.querySelectorAll('#people-list bdi')].map(name => name.textContent).sort()"
CONTENT = "[...document.querySelectorAll('#log .{} .content')].map(line => line.textContent)"


@pytest.fixture(scope="module")
def home():
    with Server([EXAMPLES["home"], "--port", 0]) as server:
        yield server


def check(tab):
    """Nothing failed, and nothing came from elsewhere."""
    assert tab.errors == [], tab.errors
    hosts = {urlsplit(url).netloc for url in tab.requests if not url.startswith("data:")}
    assert len(hosts) == 1, hosts


def in_field(field, text, form):
    return f"document.getElementById({field!r}).value = {json.dumps(text)}; document.getElementById({form!r}).requestSubmit()"


async def call_oneself(tab, name):
    await tab.evaluate(in_field("name", name, "rename"))
    await tab.until(f"{PEOPLE}.includes({json.dumps(name)})")


async def say(tab, text):
    await tab.evaluate(in_field("text", text, "form"))
    await tab.until(f"{SAID}.includes({json.dumps(text)})")


@pytest.mark.parametrize("path", READY)
async def test_a_page_fits_every_screen(home, tmp_path, path):
    async with Browser(tmp_path / "browser") as chromium:
        for width, height in SIZES:
            tab = await chromium.open(f"http://localhost:{home.port}{path}", width=width, height=height)
            await tab.until(READY[path])
            await tab.screenshot(tmp_path / f"{width}.png")
            assert await tab.evaluate(OVERFLOW) == 0, width
            assert await tab.evaluate(BEYOND_THE_EDGE) == [], width
            assert await tab.evaluate(NAMELESS) == []
            check(tab)


TEXTS = {
    "/": ["h1", ".lead", "h3", ".card p", ".beat figcaption span", ".vitals dt", ".code p", "nav a:not([aria-current])"],
    "/chat": ["h2", ".who", "#count", ".notice", "nav a[aria-current]"],
    "/feed": ["h1", ".muted", "#chosen-change", ".change", "#rate"],
    "/console": ["h1", ".muted", "#about", "#state", "#address"],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_is_as_dark_as_its_user_likes(home, tmp_path, scheme):
    async with Browser(tmp_path / "browser") as chromium:
        for path, selectors in TEXTS.items():
            tab = await chromium.open(f"http://localhost:{home.port}{path}", width=1280, height=800, scheme=scheme)
            await tab.until(READY[path])
            if path == "/chat":
                await say(tab, f"Hello, in the {scheme}!")
            await tab.screenshot(tmp_path / "page.png")
            is_dark = await tab.evaluate("getComputedStyle(document.body).backgroundColor")
            assert is_dark == {"light": "rgb(248, 246, 243)", "dark": "rgb(20, 18, 16)"}[scheme]
            for selector in selectors:
                assert (await contrast(tab, selector))["ratio"] >= 4.5, selector


async def test_its_links_lead_to_what_they_say(home, tmp_path):
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/")
        await tab.until(READY["/"])
        for link, path in {"nav a[href='/chat']": "/chat", ".card a[href='/feed']": "/feed", "a.primary": "/chat"}.items():
            await tab.leave(f"document.querySelector({link!r}).click()")
            await tab.until(f"location.pathname == {path!r} && {READY[path]}")
            assert await tab.evaluate("document.querySelector('nav [aria-current]').pathname") == path
            await tab.leave("document.querySelector('.brand').click()")
            await tab.until(f"location.pathname == '/' && {READY['/']}")
        for route in ["echo", "status", "feed", "chat"]:
            await tab.leave(f"document.querySelector('.routes a[href=\"/console#{route}\"]').click()")
            await tab.until(f"document.querySelector('[role=tab][aria-selected=true]')?.id == 'tab-{route}'")
            await tab.leave("history.back()")
            await tab.until(f"location.pathname == '/' && {READY['/']}")
        check(tab)


async def test_the_home_page_shows_who_is_in_the_chat(home, tmp_path):
    attendance = "document.getElementById('attendance')?.textContent"
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/")
        await tab.until(f"{attendance} == 'Nobody is there yet.' && {READY['/']}")
        member = await chromium.open(f"http://localhost:{home.port}/chat")
        await member.until(READY["/chat"])
        await tab.until(f"{attendance} == '1 person in 1 room.'")
        await tab.until("[...document.querySelectorAll('#bars rect')].some(bar => bar.getAttribute('height') > 10)")
        await tab.until("document.querySelector('#spark path').getAttribute('d')?.length > 100")


async def test_it_leads_to_the_dashboard_of_this_very_server(home, tmp_path):
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/", width=360, height=640)
        await tab.until(READY["/"])
        await tab.leave("document.querySelector('.card a[href=\"/jazzy\"]').click()")
        await tab.until("location.pathname == '/jazzy' && document.body.dataset.state == 'live'")
        await tab.until(f"document.getElementById('place').textContent.includes('localhost:{home.port}')")
        assert await tab.evaluate(OVERFLOW) == 0
        await tab.leave("history.back()")
        await tab.until(f"location.pathname == '/' && {READY['/']}")
        check(tab)


@pytest.mark.parametrize("end", ["close", "crash"])
async def test_two_chat_and_one_goes(home, tmp_path, end):
    async with Browser(tmp_path / "one") as one, Browser(tmp_path / "other") as other:
        ada = await one.open(f"http://localhost:{home.port}/chat#Where%20one%20{end}s", width=360, height=640)
        await ada.until(READY["/chat"])
        await call_oneself(ada, "Ada")
        grace = await other.open(f"http://localhost:{home.port}/chat#Where%20one%20{end}s", width=1280)
        await grace.until(READY["/chat"])
        await call_oneself(grace, "Grace")
        await ada.until(f"String({PEOPLE}) == 'Ada,Grace'")
        await say(grace, "Hello, Ada!")
        await ada.until(f"{SAID}.includes('Hello, Ada!')")
        await say(ada, "Hello, Grace!")
        await grace.until(f"{SAID}.includes('Hello, Grace!')")
        # Of two with the same name, each is told from the other.
        await grace.evaluate(in_field("name", "ada", "rename"))
        await ada.until(f"String({PEOPLE}) == 'Ada,ada 2'")
        await ada.screenshot(tmp_path / "page.png")
        await (grace.close() if end == "close" else grace.crash())
        await ada.until(f"String({PEOPLE}) == 'Ada'")
        await ada.until(f"{NOTICES}.includes('ada 2 went.')")
        check(ada)


async def test_a_tab_that_sleeps_wakes_and_continues(home, tmp_path):
    """Its network is gone meanwhile, nothing of its script runs, and the others go on."""
    async with Proxy(home.port) as proxy, Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{proxy.port}/chat#Asleep", width=1280)
        other = await chromium.open(f"http://localhost:{home.port}/chat#Asleep", width=1280)
        for page, name in [(tab, "Ada"), (other, "Grace")]:
            await page.until(READY["/chat"])
            await call_oneself(page, name)
        await say(tab, "before")
        said = ["before"]
        await tab.evaluate("document.querySelector('.said').dataset.mark = 'kept', 1")
        for nap in range(3):
            await tab.call("Page.setWebLifecycleState", state="frozen")
            proxy.cut()
            for number in range(nap, 3 * nap + 2):
                said.append(f"{nap}: {number}")
                await say(other, said[-1])
            await tab.call("Page.setWebLifecycleState", state="active")
            await tab.until(f"JSON.stringify({SAID}) == {json.dumps(json.dumps(said, separators=(',', ':')))}")
            await tab.until(READY["/chat"])
        # What it had is what it has, and not another copy.
        assert await tab.evaluate("document.querySelector('.said').dataset.mark") == "kept"
        await say(tab, "I have slept")
        await other.until(f"{SAID}.includes('I have slept')")
        assert await tab.evaluate(SAID) == await other.evaluate(SAID) == [*said, "I have slept"]
        await tab.screenshot(tmp_path / "page.png")


async def test_a_connection_that_has_died_in_silence_is_replaced(home, tmp_path):
    """As after a night, or in another network: nothing has closed it, and nothing comes through it any more."""
    async with Proxy(home.port) as proxy, Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{proxy.port}/chat#Silent", width=1280)
        other = await chromium.open(f"http://localhost:{home.port}/chat#Silent", width=1280)
        for page in (tab, other):
            await page.until(READY["/chat"])
        await say(tab, "before")
        for name in ["online", "visibilitychange", "nothing"]:
            connections = proxy.count
            # Something came a moment ago.
            await tab.evaluate(f"dispatchEvent(new Event({name!r})), 1")
            proxy.hold()
            for number in range(3):
                await say(other, f"{name} {number}")
            await tab.evaluate(f"Date.now = (now => () => now() + 60_000)(Date.now); dispatchEvent(new Event({name!r})), 1")
            await tab.until("document.getElementById('send').disabled")
            proxy.free()
            await tab.until(READY["/chat"])
            await tab.until(f"{SAID}.at(-1) == '{name} 2'")
            # Nothing happens: it looks by itself, and also whether the new connection has begun in time.
            assert proxy.count == connections + 1 or name == "nothing"
        assert await tab.evaluate(SAID) == await other.evaluate(SAID)
        assert await tab.evaluate(f"{SAID}.length") == 10


@pytest.mark.parametrize("path", ["/", "/feed"])
async def test_a_page_does_not_show_a_dead_connection_as_live(home, tmp_path, path):
    async with Proxy(home.port) as proxy, Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{proxy.port}{path}", width=1280)
        await tab.until(f"{LIVE} && {READY[path]}")
        proxy.hold()
        # What was on its way may come after the clock was set, and be heard at the new time.
        await tab.until(f"(Date.now = (now => () => now() + 60_000)(Date.now)) && !({LIVE})")
        proxy.free()
        await tab.until(LIVE)


async def test_the_name_that_was_asked_for_comes_back_with_the_connection(home, tmp_path):
    """Somebody has it, and then not any more: the page, which was given it with a number behind it, asks for it again."""
    name = "document.getElementById('name').value"
    async with Proxy(home.port) as proxy, Browser(tmp_path / "browser") as chromium:
        other = await chromium.open(f"http://localhost:{home.port}/chat#Twins", width=1280)
        await other.until(READY["/chat"])
        await call_oneself(other, "Ada")
        tab = await chromium.open(f"http://localhost:{proxy.port}/chat#Twins", width=1280)
        await tab.until(READY["/chat"])
        await tab.evaluate(in_field("name", "Ada", "rename"))
        await tab.until(f"{name} == 'Ada 2'")
        for shown in ["Ada 2", "Ada"]:
            if shown == "Ada":
                await other.close()
                await tab.until(f"String({PEOPLE}) == 'Ada 2'")
            proxy.hold()
            proxy.cut()
            await tab.until("document.getElementById('send').disabled")
            if shown == "Ada 2":
                # What the connection before was called can be given again.
                await other.until(f"String({PEOPLE}) == 'Ada'")
            proxy.free()
            await tab.until(f"{READY['/chat']} && {name} == {shown!r}")


async def test_whoever_may_not_into_a_room_stays_where_it_was(tmp_path):
    shown = "document.getElementById('here').textContent"
    problem = "document.getElementById('problem').textContent"
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        async with Proxy(home.port) as proxy, Browser(tmp_path / "browser") as chromium, contextlib.AsyncExitStack() as crowd:
            tab = await chromium.open(f"http://localhost:{proxy.port}/chat", width=1280)
            await tab.until(READY["/chat"])
            for number in range(8):
                member = await crowd.enter_async_context(CLIENTS["websockets"](home.port, "/rooms", source="127.0.0.1"))
                await member.send(json.dumps({"join": {"room": f"Room {number}", "name": "Ada"}}))
            await tab.until("document.querySelectorAll('#room-list li').length == 11")
            for _ in range(2):
                await tab.evaluate(in_field("room", "One more", "new-room"))
                await tab.until(f"{problem} == 'Too many rooms from where you are.' && location.hash == '#Lobby'")
                await tab.evaluate("document.getElementById('problem').textContent = ''")
            proxy.hold()  # it is not back before it was seen to be gone
            proxy.cut()
            await tab.until("document.getElementById('send').disabled")
            proxy.free()
            await tab.until(f"{READY['/chat']} && {shown} == 'Lobby'")


async def test_who_cannot_come_in_comes_in_when_somebody_has_gone(tmp_path):
    with Server([EXAMPLES["home"], "--port", 0]) as home:
        async with Browser(tmp_path / "browser") as chromium, contextlib.AsyncExitStack() as crowd:
            for _ in range(50):
                member = await crowd.enter_async_context(CLIENTS["websockets"](home.port, "/rooms", source="127.0.0.1"))
                await member.send(json.dumps({"join": {"room": "Lobby", "name": "Ada"}}))
                while "joined" not in json.loads(await member.receive()):
                    pass
            tab = await chromium.open(f"http://127.0.0.1:{home.port}/chat", width=1280)
            await tab.until("document.getElementById('problem')?.textContent.startsWith('Too many come')")
            await member.close(1000, "")
            await tab.until(READY["/chat"])


async def test_a_room_in_the_list_can_be_used_while_others_come_and_go(home, tmp_path):
    names = "[...document.querySelectorAll('#room-list bdi')].map(name => name.textContent)"
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/chat", width=1280)
        await tab.until(READY["/chat"])
        await tab.evaluate("(kept = document.querySelector('#room-list a[href=\"#Late%20night\"]')).focus()")
        async with CLIENTS["websockets"](home.port, "/rooms") as member:
            for room in ["Zebra", "Late night", "Aardvark", "Lobby"]:
                await member.send(json.dumps({"join": {"room": room, "name": "Ada"}}))
                people = f"document.querySelector('#room-list a[href=\"#{room.replace(' ', '%20')}\"] .badge')?.textContent"
                await tab.until(f"{people} == {'2' if room == 'Lobby' else '1'}")
        await tab.until(f"String({names}) == 'Lobby,Green room,Late night'")
        assert await tab.evaluate("document.activeElement == kept && kept.isConnected")
        check(tab)


async def test_rooms_are_changed_and_made(home, tmp_path):
    rooms = "[...document.querySelectorAll('#room-list bdi')].map(name => name.textContent)"
    shown = "document.getElementById('here')?.textContent"
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/chat", width=1280)
        await tab.until(f"{shown} == 'Lobby' && {READY['/chat']}")
        await tab.evaluate(in_field("room", "Ünder/the #stage?", "new-room"))
        await tab.until(f"{shown} == 'Ünder/the #stage?' && {rooms}.includes('Ünder/the #stage?')")
        await say(tab, "Only here")
        await tab.evaluate("document.querySelector('#room-list a[href=\"#Late%20night\"]').click()")
        await tab.until(f"{shown} == 'Late night' && !{SAID}.includes('Only here')")
        await tab.until("document.querySelector('#room-list [aria-current] bdi').textContent == 'Late night'")
        await tab.until(f"!{rooms}.includes('Ünder/the #stage?')")
        check(tab)


HOSTILE = [
    "<img src=x onerror='document.title=\"taken\"'><script>document.title='taken'</script>",
    "\u202e gnp.exe \u2066 שלום עולם",
    "Z" + "\u0351\u0489" * 700,
    "👩‍👩‍👧‍👦" * 60,
    "W" * 1000,
    "\n".join("line" for _ in range(200)),
]


@pytest.mark.parametrize("width", [320, 1280])
async def test_what_others_say_stays_text_and_on_the_screen(home, tmp_path, width):
    async with Browser(tmp_path / "browser") as chromium:
        # Of another width nothing was said here: what is awaited is not there yet.
        tab = await chromium.open(f"http://localhost:{home.port}/chat#Hostile%20{width}", width=width, height=640)
        await tab.until(READY["/chat"])
        await call_oneself(tab, "<b onclick=alert(1)>" + "W" * 10)
        before = await tab.evaluate("document.title")
        for text in HOSTILE:
            await say(tab, text.strip())
        await tab.screenshot(tmp_path / "page.png")
        assert await tab.evaluate(f"{SAID}.slice(-{len(HOSTILE)})") == [text.strip() for text in HOSTILE]
        assert await tab.evaluate("document.querySelectorAll('main img, main script, main b').length") == 0
        assert await tab.evaluate("document.title") == before
        assert await tab.evaluate(OVERFLOW) == 0
        assert await tab.evaluate(BEYOND_THE_EDGE) == []
        assert await tab.evaluate("log.scrollWidth - log.clientWidth") == 0
        check(tab)


async def test_a_log_of_thousands_is_bounded(home, tmp_path):
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/console#status", width=1280)
        await tab.until(READY["/console"])
        await tab.evaluate("document.getElementById('open').click()")
        await tab.until("document.querySelector('#ideas button').disabled === false")
        await tab.evaluate("for (let i = 0; i < 1000; i++) document.querySelector('#ideas button').click()")
        await tab.until(f"{CONTENT.format('received')}.length > 400")
        assert await tab.evaluate("document.querySelectorAll('#log li').length") == 500
        check(tab)


async def talk(member, number):
    """Comes into the crowd, and talks, until it has heard what it said last."""
    await member.send(json.dumps({"join": {"room": "Crowd", "name": f"Member {number}"}}))
    for line in range(19):
        await member.send(json.dumps({"say": {"text": f"line {line} of {number}"}}))
    async with asyncio.timeout(DEADLINE):
        while f'"line 18 of {number}"' not in json.loads(await member.receive()).get("d", ""):
            pass


async def test_a_room_of_many_who_talk_at_once_is_bounded(home, tmp_path):
    async with Browser(tmp_path / "browser") as chromium, contextlib.AsyncExitStack() as crowd:
        tab = await chromium.open(f"http://localhost:{home.port}/chat#Crowd", width=1280)
        await tab.until(READY["/chat"])
        members = [await crowd.enter_async_context(CLIENTS["websockets"](home.port, "/rooms")) for _ in range(35)]
        await asyncio.gather(*(talk(member, number) for number, member in enumerate(members)))
        # Whoever says that now is the last one, in all pages.
        await members[-1].send(json.dumps({"say": {"text": "All have talked"}}))
        await tab.until(f"{SAID}.at(-1) == 'All have talked' && document.querySelectorAll('#log li').length == 500")
        await tab.until(f"{PEOPLE}.length == 36")
        # That they came is in the log in the next frame.
        await tab.evaluate("new Promise(requestAnimationFrame)")
        # It follows what is new, unless somebody reads what was said before.
        await tab.until("log.scrollHeight - log.scrollTop - log.clientHeight < 2")
        # The page knows of it when it is told, in its next frame.
        await tab.evaluate("new Promise(told => { log.addEventListener('scroll', told); log.scrollTop = 0; })")
        await tab.until("document.getElementById('newer').hidden")
        await members[-1].send(json.dumps({"say": {"text": "more"}}))
        await tab.until(f"{SAID}.includes('more') && !document.getElementById('newer').hidden")
        assert await tab.evaluate("log.scrollTop") < 100
        await tab.evaluate("document.getElementById('newer').click()")
        await tab.until("document.getElementById('newer').hidden")
        check(tab)


async def test_on_a_narrow_screen_one_list_is_open_at_a_time(home, tmp_path):
    is_open = "['rooms', 'people'].map(id => document.getElementById(id).open).join()"
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/chat", width=360, height=640)
        await tab.until(f"{READY['/chat']} && {is_open} == 'false,false'")
        for number in range(12):
            await say(tab, f"Line {number}")
        for which, opened in {"rooms": "true,false", "people": "false,true"}.items():
            await tab.evaluate(f"document.querySelector('#{which} summary').click()")
            await tab.until(f"{is_open} == '{opened}'")
            # The newest line stays in sight.
            await say(tab, f"Looking at {which}")
            await tab.until("log.scrollHeight - log.scrollTop - log.clientHeight < 2")
            await tab.screenshot(tmp_path / f"{which}.png")
            assert await tab.evaluate(OVERFLOW) == 0
            assert await tab.evaluate("document.getElementById('send').getBoundingClientRect().bottom <= innerHeight")


# For each route: what is sent, and what comes.
TALKS = {
    "echo": (["Grüße, 世界 🎷"], ["Welcome to the Jazzy Echo Server!", "You said: Grüße, 世界 🎷"]),
    "status": (["ping", "status", "?"], ["pong", "Server is running smoothly!", "Unknown command."]),
    "feed": ([], ['{"message":"Connected to the live feed.","type":"welcome","user_id":12345}']),
    "chat": (["Hello!"], ["User: Hello!"]),
}


async def converse(tab, route, sent, received):
    """Connects to a route, says that, hears this, sends bytes, and closes."""
    await tab.evaluate(f"document.getElementById('tab-{route}').click()")
    await tab.until(f"document.getElementById('address').textContent.endsWith('/{route}')")
    await tab.evaluate("document.getElementById('open').click()")
    await tab.until("document.getElementById('state').textContent == 'Connected.'")
    for text in sent:
        await tab.evaluate(in_field("message", text, "form"))
    await tab.until(f"{CONTENT.format('received')}.length == {len(received)}")
    for place, text in enumerate(received):
        await tab.until(f"{CONTENT.format('received')}[{place}] == {json.dumps(text)}")
    await tab.evaluate("document.getElementById('kind').value = 'binary'")
    await tab.evaluate(in_field("message", "4a617a 7A 00 ff", "form"))
    await tab.until(f"{CONTENT.format('sent')}.at(-1) == '4a 61 7a 7a 00 ff'")
    await tab.evaluate("document.getElementById('kind').value = 'text'")
    await tab.evaluate("document.getElementById('code').value = '4001'")
    await tab.evaluate(in_field("reason", "enough", "ending"))
    await tab.until(f"{CONTENT.format('event')}.at(-1)?.startsWith('Closed with 4001')")
    await tab.until("document.getElementById('open').disabled === false")


async def test_the_console_talks_to_each_of_the_four_routes(home, tmp_path):
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/console", width=1280)
        await tab.until(READY["/console"])
        for route, (sent, received) in TALKS.items():
            await converse(tab, route, sent, received)
        # What was said to another route is still there.
        await tab.evaluate("document.getElementById('tab-echo').click()")
        await tab.until(f"{CONTENT.format('sent')}[0] == {json.dumps(TALKS['echo'][0][0])}")
        check(tab)


@pytest.mark.parametrize(
    ("field", "value", "form", "problem"),
    [("message", "4a6", "form", "pairs of hexadecimal digits"), ("reason", "ü" * 100, "ending", "at most 123 bytes")],
)
async def test_the_console_says_what_cannot_be_sent(home, tmp_path, field, value, form, problem):
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/console")
        await tab.until(READY["/console"])
        await tab.evaluate("document.getElementById('open').click()")
        await tab.until("document.getElementById('state').textContent == 'Connected.'")
        await tab.evaluate("document.getElementById('kind').value = 'binary'")
        await tab.evaluate(in_field(field, value, form))
        await tab.until(f"document.getElementById('problem').textContent.includes({problem!r})")
        assert await tab.evaluate("document.getElementById('state').textContent") == "Connected."
        check(tab)


async def test_the_keyboard_is_enough(home, tmp_path):
    async def press(tab, key):
        for kind in ["keyDown", "keyUp"]:
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            await tab.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, **text)

    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/console", width=1280)
        await tab.until(READY["/console"])
        await tab.evaluate("document.getElementById('tab-echo').focus()")
        await press(tab, "ArrowDown")
        await tab.until("document.activeElement.id == 'tab-status' && location.hash == '#status'")
        await press(tab, "ArrowUp")
        await press(tab, "ArrowUp")
        await tab.until("document.activeElement.id == 'tab-chat' && document.activeElement.ariaSelected == 'true'")
        tab = await chromium.open(f"http://localhost:{home.port}/chat#Keys", width=1280)
        await tab.until(f"{READY['/chat']} && document.activeElement.id == 'text'")
        await tab.call("Input.insertText", text="typed")
        await press(tab, "Enter")
        await tab.until(f"{SAID}.at(-1) == 'typed'")


async def test_the_feed_moves_until_it_is_paused(home, tmp_path):
    prices = "[...document.querySelectorAll('.price')].map(price => price.textContent).join()"
    chosen = "document.getElementById('chosen').textContent"
    async with Browser(tmp_path / "browser") as chromium:
        tab = await chromium.open(f"http://localhost:{home.port}/feed", width=360, height=640)
        await tab.until(READY["/feed"])
        await until_drawn(tab, "#chart")
        for _ in range(2):
            before = await tab.evaluate(prices)
            await tab.until(f"{prices} != {before!r}")
        assert await tab.evaluate(chosen) == "Trumpet"
        await tab.evaluate("document.querySelectorAll('#instruments button')[3].click()")
        await tab.until(f"{chosen} == 'Piano'")
        await tab.evaluate("document.getElementById('pause').click()")
        before = await tab.evaluate(prices)
        watching = await chromium.open(f"http://localhost:{home.port}/feed")
        await watching.until(r"Number(document.getElementById('rate').textContent.match(/, (\d+) received/)?.[1]) >= 3")
        assert await tab.evaluate(prices) == before
        await tab.evaluate("document.getElementById('pause').click()")
        await tab.until(f"{prices} != {before!r}")
        check(tab)


@pytest.mark.parametrize("path", ["/", "/chat", "/feed"])
async def test_a_page_goes_on_when_the_server_is_back(tmp_path, path):
    port = free_port()
    async with Browser(tmp_path / "browser") as chromium:
        with Server([EXAMPLES["home"], "--port", port]):
            tab = await chromium.open(f"http://localhost:{port}{path}", width=1280)
            await tab.until(f"{LIVE} && {READY[path]}")
        await tab.until("document.getElementById('link').textContent.startsWith('Connection lost')")
        if path == "/chat":
            await tab.until("document.getElementById('send').disabled")
        with Server([EXAMPLES["home"], "--port", port]):
            await tab.until(f"{LIVE} && {READY[path]}")
            if path == "/chat":
                await say(tab, "I am back")


@in_firefox
async def test_all_of_it_works_in_firefox(home, tmp_path):
    for name in ("fox", "chromium"):
        (tmp_path / name).mkdir()
    async with Firefox(tmp_path / "fox") as fox, Browser(tmp_path / "chromium") as chromium:
        for path, is_ready in READY.items():
            await fox.open(f"http://localhost:{home.port}{path}")
            await fox.until(is_ready)
            for width, height in SIZES:
                await fox.resize(width, height)
                assert await fox.evaluate(OVERFLOW) == 0, (path, width)
            # Nothing came from elsewhere.
            loaded = "performance.getEntriesByType('resource').map(entry => entry.name).filter(name => !name.startsWith('data:')).join()"
            assert await fox.evaluate(loaded) == ""
            if path == "/feed":
                prices = "[...document.querySelectorAll('.price')].map(price => price.textContent).join()"
                before = await fox.evaluate(prices)
                await fox.until(f"{prices} != {before!r}")
            if path == "/console":
                for route, (sent, received) in TALKS.items():
                    await converse(fox, route, sent, received)
        await fox.open(f"http://localhost:{home.port}/chat#Two%20browsers")
        await fox.until(READY["/chat"])
        await call_oneself(fox, "Fox")
        tab = await chromium.open(f"http://localhost:{home.port}/chat#Two%20browsers")
        await tab.until(READY["/chat"])
        await call_oneself(tab, "Chrome")
        await fox.until(f"String({PEOPLE}) == 'Chrome,Fox'")
        await say(fox, "Hello from Firefox")
        await tab.until(f"{SAID}.includes('Hello from Firefox')")
        await say(tab, "Hello from Chromium")
        await fox.until(f"{SAID}.includes('Hello from Chromium')")
        await tab.close()
        await fox.until(f"String({PEOPLE}) == 'Fox' && {NOTICES}.includes('Chrome went.')")
        assert fox.errors == []
