"""A real Firefox without a window, driven by WebDriver BiDi. It takes certificates of any authority."""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import signal

import websockets

from support.browser import address_told, until
from support.deadline import DEADLINE

PROGRAM = next(filter(None, map(shutil.which, ["firefox-esr", "firefox"])), None)

# Nothing of this machine, and nobody else, is asked for anything.
PREFERENCES = """
user_pref("app.update.enabled", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
user_pref("network.proxy.type", 0);
user_pref("services.settings.server", "data:,#remote-settings-dummy/v1");
user_pref("toolkit.telemetry.enabled", false);
"""

# It takes several seconds to begin, and longer on a busy machine.
LONG = 4 * DEADLINE


class Firefox:
    """One page. What scripts throw, and what is logged as an error, is kept in `errors`."""

    def __init__(self, folder):
        self._folder = folder
        self._numbers = itertools.count(1)
        self.errors = []

    async def __aenter__(self):
        (self._folder / "user.js").write_text(PREFERENCES)
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *("--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", self._folder),
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self._folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(LONG):
                address = await address_told(self._process, b"BiDi ")
            self._drain = asyncio.create_task(self._process.stderr.read())
            # How long it may take to answer is told by each call: no pings ask for it.
            options = {"open_timeout": LONG, "ping_interval": None, "proxy": None}
            self._connection = await websockets.connect(address + "/session", max_size=None, **options)
            await self._call("session.new", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})
            await self._call("session.subscribe", events=["log.entryAdded"])
            self._context = (await self._call("browsingContext.getTree"))["contexts"][0]["context"]
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_):
        await self._connection.close()
        self._drain.cancel()
        await asyncio.gather(self._drain, return_exceptions=True)
        await self._end()

    async def _end(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _call(self, method, **parameters):
        number = next(self._numbers)
        await self._connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(await asyncio.wait_for(self._connection.recv(), LONG))
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.errors.append(answer["params"])
            if answer.get("id") == number:
                assert answer["type"] == "success", answer
                return answer["result"]

    async def open(self, url):
        """Returns once the page is loaded."""
        await self._call("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression):
        """What it results in, perhaps later: a string, a number or a truth value."""
        result = await self._call(
            "script.evaluate", expression=expression, target={"context": self._context}, awaitPromise=True
        )
        assert result["type"] == "success", result
        return result["result"].get("value")

    async def until(self, expression):
        """Waits until it is true. A page that is on its way lacks what is asked for: that is not yet true."""
        await until(lambda: self.evaluate(f"Boolean({expression})"), expression, LONG)

    async def resize(self, width, height):
        """The page gets this size in pixels."""
        size = {"width": width, "height": height}
        await self._call("browsingContext.setViewport", context=self._context, viewport=size)
