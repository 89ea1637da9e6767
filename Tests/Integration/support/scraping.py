"""The pages with a server's metrics, read by Prometheus's own parsers."""

import http.client
import json
import shutil
import ssl
import subprocess
import tempfile
import urllib.parse
import urllib.request
from pathlib import Path

from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as prometheus

from support.deadline import DEADLINE, eventually
from support.deployment import free_port
from support.documentation import markdown_examples
from support.secure import SecurePort

GUIDE = "Sources/JazzySwift/JazzySwift.docc/MetricsAndHealth.md"
CONFIGURATIONS = [each for each in markdown_examples() if each.file == GUIDE and each.language == "yaml"]

OPENMETRICS = "application/openmetrics-text"
TEXT = "text/plain"


def get(port, path="/metrics", accept=None, deadline=DEADLINE):
    """The status, the content type, and the text of a page."""
    if isinstance(port, SecurePort):
        connection = http.client.HTTPSConnection(
            "localhost", int(port), timeout=deadline, context=ssl.create_default_context(cafile=port.authority)
        )
    else:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=deadline)
    try:
        connection.request("GET", path, headers={"Accept": accept} if accept else {})
        response = connection.getresponse()
        return response.status, response.headers["Content-Type"], response.read().decode()
    finally:
        connection.close()


def families(port, accept=OPENMETRICS):
    """All families of metrics by name, as the strict parser of the format that is asked for reads them."""
    status, kind, text = get(port, accept=accept)
    assert status == 200 and kind.startswith(accept), (status, kind)
    parser = openmetrics if accept == OPENMETRICS else prometheus
    return {family.name: family for family in parser.text_string_to_metric_families(text)}


def samples(port, accept=OPENMETRICS):
    """All values by name, and by labels: {("jazzy_closes_total", (("code", "1000"),)): 3.0}."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families(port, accept).values()
        for sample in family.samples
    }


class Samples:
    """The values of a moment: `of("jazzy_closes_total", code="1000")`."""

    def __init__(self, port, accept=OPENMETRICS):
        self.all = samples(port, accept)

    def of(self, name, **labels):
        return self.all[name, tuple(sorted(labels.items()))]


class Prometheus:
    """
    `with Prometheus(port) as prometheus` runs one that scrapes the page of a server on this port every second. The rest
    of its configuration is that of the guide.
    """

    def __init__(self, target):
        self._folder = Path(tempfile.mkdtemp(prefix="prometheus"))
        self.port = free_port()
        (configuration,) = CONFIGURATIONS
        assert configuration.code.count("localhost:8080") == 1
        (self._folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            + configuration.code.replace("localhost:8080", f"127.0.0.1:{target}")
        )
        self._process = None

    def __enter__(self):
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={self._folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={self._folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--log.level=warn",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(DEADLINE)
        shutil.rmtree(self._folder)

    def _ask(self, path, **parameters):
        address = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(address, timeout=DEADLINE) as response:
                return json.load(response)["data"]
        except (ConnectionError, urllib.error.URLError):
            assert self._process.poll() is None, (self._folder / "log").read_text()
            return None

    def values(self, query):
        """What a query results in now, by labels; empty while nothing is known."""
        found = self._ask("query", query=query)
        return {
            tuple(sorted((name, value) for name, value in each["metric"].items() if name not in NOT_LABELS)): float(
                each["value"][1]
            )
            for each in (found["result"] if found else ())
        }

    def value(self, query):
        """The only result; None where there is none."""
        return next(iter(self.values(query).values()), None)

    def target(self):
        """What it knows of the page that it scrapes, once it has."""
        return eventually(
            lambda: next((t for t in (self._ask("targets") or {}).get("activeTargets", ()) if t["lastScrape"][0] != "0"),
                         None),
            "Prometheus has scraped", 60)


NOT_LABELS = ("__name__", "instance", "job")
