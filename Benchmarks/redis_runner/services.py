"""Redis, and pairs of servers that share their topics through it."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from runner.servers import START_SECONDS, Failure, Server, free_port

from .wire import Commands

RELEASE = "build/release"
SERVER_CORES = {0}
OTHER_CORES = {1}  # the load and Redis
SOCKET_IO = "/socket.io/?EIO=4&transport=websocket"

NCHAN = """\
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off;
master_process off;
error_log {folder}/log;
pid {folder}/pid;
worker_rlimit_nofile 20000;
events {{ worker_connections 19000; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    upstream redis {{
        nchan_redis_server redis://127.0.0.1:{redis};
        nchan_redis_storage_mode nostore;
        nchan_redis_nostore_fastpublish on;
    }}
    server {{
        listen 127.0.0.1:{port};
        location = /publish {{
            nchan_publisher websocket;
            nchan_channel_id fan;
            nchan_redis_pass redis;
            nchan_store_messages off;
        }}
        location = /fan {{
            nchan_subscriber websocket;
            nchan_channel_id fan;
            nchan_redis_pass redis;
            nchan_subscriber_first_message newest;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Kind:
    """A kind of server: how it is started, and what the load has to know of it."""

    name: str
    command: str  # with {port}, {redis}, a port, and {folder}, its own
    load: tuple[str, ...] = ()
    configuration: str = ""  # of nginx, as {folder}/nginx.conf


JAZZY = Kind("Jazzy", f"{RELEASE}/bench-redis-server --port {{port}} --redis redis://127.0.0.1:{{redis}}")
ALONE = Kind("Jazzy, without a broker", f"{RELEASE}/bench-redis-server --port {{port}}")
BARE = Kind("bare hiredis", f"{RELEASE}/bench-redis-bare --port {{port}} --redis {{redis}}")
BARE_THREADS = Kind("bare hiredis, two threads", f"{BARE.command} --threads 2")
NGINX = Kind("nchan", "/usr/sbin/nginx -c {folder}/nginx.conf", configuration=NCHAN)
PYTHON = Kind(
    "python-socketio",
    f"{sys.executable} Benchmarks/peers/socketio/server.py --port {{port}} --redis redis://127.0.0.1:{{redis}}",
    ("--socket-io", "--publish-path", f"{SOCKET_IO}&role=publisher", "--path", SOCKET_IO),
)


@contextlib.contextmanager
def redis(cores: set[int] = OTHER_CORES) -> Iterator[Server]:
    """An empty one, which keeps nothing on disk."""
    command = "redis-server --bind 127.0.0.1 --port {port} --save '' --appendonly no"
    server = Server("Redis", command, cores)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def servers(kind: Kind, redis_port: int, count: int, cores: set[int] = SERVER_CORES) -> Iterator[list[Server]]:
    """So many of a kind, which share that Redis."""
    started: list[Server] = []
    with tempfile.TemporaryDirectory() as folders:
        try:
            for number in range(count):
                folder = Path(folders) / str(number)
                folder.mkdir()
                port = free_port()
                values = {"port": port, "redis": redis_port, "folder": folder}
                if kind.configuration:
                    (folder / "nginx.conf").write_text(kind.configuration.format(**values))
                server = Server(f"{kind.name}, process {number + 1}", kind.command.format(**values), cores, port)
                server.start()
                started.append(server)
                if kind.configuration:
                    _await_upgrade(server)
            yield started
        finally:
            for server in started:
                server.stop()


def _await_upgrade(server: Server) -> None:
    """nchan listens before it is connected to Redis, and refuses clients until then."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            Commands(server.port, "/fan").close()
            return
        except Failure:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
