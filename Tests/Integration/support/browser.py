"""A real browser without a window, driven by its DevTools protocol."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import shutil
import signal

import websockets

from support.deadline import DEADLINE

PROGRAM = next(filter(None, map(shutil.which, ["chromium-headless-shell", "chromium"])), None)
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--remote-debugging-port=0"]


async def until(evaluate, expression, deadline):
    """Waits until `evaluate` results in something true; the error, if there is none in time, says what came last."""
    last = None
    try:
        async with asyncio.timeout(deadline):
            while True:
                try:
                    last = await evaluate()
                except AssertionError as error:
                    last = error
                else:
                    if last:
                        return
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise TimeoutError(f"{expression} was not true within {deadline} s, but at last: {last}") from None


class Tab:
    """One page. Its logged errors are kept in `errors`, its network requests in `requests`."""

    def __init__(self, browser, session):
        self._browser, self._session = browser, session
        self.errors, self.requests = [], []

    async def call(self, method, **parameters):
        return await self._browser.call(method, self._session, **parameters)

    async def evaluate(self, expression):
        answer = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def leave(self, expression):
        """Does it, which leads to another page: behind the answer, which a page that is left may not give any more."""
        await self.evaluate(f"void setTimeout(() => {{ {expression} }})")

    async def until(self, expression):
        """Waits until it is true. A page that is on its way lacks what is asked for: that is not yet true."""
        await until(lambda: self.evaluate(expression), expression, DEADLINE)

    async def screenshot(self, path):
        answer = await self.call("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))

    async def close(self):
        """Like a user: the page gets the events."""
        await self.call("Page.close")

    async def crash(self):
        """No process is left to answer."""
        await self._browser.send("Page.crash", self._session)

    def hear(self, event):
        if event["method"] == "Runtime.exceptionThrown" or event["method"] == "Log.entryAdded":
            self.errors.append(event["params"])
        elif event["method"] == "Network.requestWillBeSent":
            self.requests.append(event["params"]["request"]["url"])


async def address_told(process, before=b""):
    """Where a browser that begins says that it listens; `before` is what it says in front of that."""
    while True:
        line = await process.stderr.readline()
        assert line, "the browser ended"
        found = re.search(before + rb"listening on (ws://\S+)", line)
        if found:
            return found[1].decode()


class Browser:
    """`trusting`: the digest of a key whose certificates are good, whoever signed them (certificates.key_digest)."""

    def __init__(self, folder, trusting=None):
        self._folder = folder
        self._trust = [f"--ignore-certificate-errors-spki-list={trusting}"] if trusting else []
        self._numbers = itertools.count(1)
        self._answers, self._tabs = {}, {}

    async def __aenter__(self):
        self._process = await asyncio.create_subprocess_exec(
            PROGRAM,
            *ARGUMENTS,
            f"--user-data-dir={self._folder}",
            *self._trust,
            stderr=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        self._tasks = []
        try:
            async with asyncio.timeout(DEADLINE):
                address = await address_told(self._process)
            self._tasks.append(asyncio.create_task(self._process.stderr.read()))
            # How long it may take to answer is told by each call: no pings ask for it.
            options = {"open_timeout": DEADLINE, "ping_interval": None, "proxy": None}
            self._connection = await websockets.connect(address, max_size=None, compression=None, **options)
            self._tasks.append(asyncio.create_task(self._listen()))
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_):
        await self._end()

    async def _end(self):
        # Kills the whole process group: processes of tabs keep the pipe open longer than the browser lives.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _listen(self):
        async for text in self._connection:
            message = json.loads(text)
            if "id" in message:
                self._answers.pop(message["id"]).set_result(message)
            elif message.get("sessionId") in self._tabs:
                self._tabs[message["sessionId"]].hear(message)

    async def send(self, method, session=None, **parameters):
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        request = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        await self._connection.send(json.dumps(request))
        return self._answers[number]

    async def call(self, method, session=None, **parameters):
        message = await asyncio.wait_for(await self.send(method, session, **parameters), DEADLINE)
        assert "error" not in message, message
        return message["result"]

    async def open(self, url, *, width=800, height=600, scheme="light"):
        """A page of this size in pixels, for a user who prefers this colour scheme."""
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        tab = self._tabs[attached["sessionId"]] = Tab(self, attached["sessionId"])
        for domain in ["Page", "Runtime", "Log", "Network"]:
            await tab.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": True}
        await tab.call("Emulation.setDeviceMetricsOverride", **size)
        await tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await tab.call("Page.navigate", url=url)
        return tab
