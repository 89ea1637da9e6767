"""The table of clients: what each can do, and the server's answers."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

from clients.pipe import PipeClient
from clients.python import AiohttpClient, PicowsClient, PicowsWebsocketsClient, WebsocketsClient

PLAIN = "permessage-deflate"
NO_TAKEOVER = f"{PLAIN}; server_no_context_takeover; client_no_context_takeover"


@dataclass(frozen=True)
class Offer:
    """The client's settings; the resulting offer in its request, and the answers to it."""

    name: str
    setting: Any
    request: str | None
    shared: str | None = NO_TAKEOVER
    dedicated: str | None = PLAIN

    def answer(self, mode):
        """The answer of a server with this compression mode."""
        return {"off": None, "shared": self.shared, "dedicated": self.dedicated}[mode]


@dataclass(frozen=True)
class Client:
    name: str
    connect: Callable
    without_compression: Any  # the setting with which it offers nothing
    offers: tuple[Offer, ...] = ()  # the first is the client's default with compression
    cannot_compress: str = ""  # why there are no offers
    cannot_fragment: str = ""  # why there are no fragments
    cannot_take_uncompressed: str = ""  # why, once compression is agreed on, it gets no message that is not compressed

    def __post_init__(self):
        assert bool(self.offers) != bool(self.cannot_compress), f"{self.name}: offers, or the reason why there are none"

    def all_offers(self):
        return (Offer("none", self.without_compression, None, shared=None, dedicated=None), *self.offers)

    def ways_to_send(self):
        return ("whole",) if self.cannot_fragment else ("whole", "in fragments")


CLIENTS = (
    Client(
        "websockets",
        WebsocketsClient,
        None,
        (
            Offer("default", {}, f"{PLAIN}; client_max_window_bits"),
            Offer(
                "no context takeover",
                {"server_no_context_takeover": True, "client_no_context_takeover": True},
                f"{NO_TAKEOVER}; client_max_window_bits",
                dedicated=NO_TAKEOVER,
            ),
            Offer(
                "small windows",
                {"server_max_window_bits": 9, "client_max_window_bits": 10},
                f"{PLAIN}; server_max_window_bits=9; client_max_window_bits=10",
                shared=f"{NO_TAKEOVER}; server_max_window_bits=9; client_max_window_bits=10",
                dedicated=f"{PLAIN}; server_max_window_bits=9; client_max_window_bits=10",
            ),
            Offer(
                "a server's window that zlib cannot do",
                {"server_max_window_bits": 8},
                f"{PLAIN}; server_max_window_bits=8; client_max_window_bits",
                shared=None,
                dedicated=None,
            ),
        ),
    ),
    Client(
        "aiohttp",
        AiohttpClient,
        0,
        (
            Offer("default", 15, f"{PLAIN}; client_max_window_bits"),
            Offer(
                "small window",
                9,
                f"{PLAIN}; client_max_window_bits; server_max_window_bits=9",
                shared=f"{NO_TAKEOVER}; server_max_window_bits=9",
                dedicated=f"{PLAIN}; server_max_window_bits=9",
            ),
        ),
        cannot_fragment="it has no call that sends a fragment",
    ),
    Client("picows", PicowsClient, None, cannot_compress="its core interface has no permessage-deflate"),
    Client(
        "picows.websockets",
        PicowsWebsocketsClient,
        False,
        (Offer("default", True, f"{PLAIN}; client_max_window_bits"),),
    ),
    Client(
        "node-ws",
        partial(PipeClient, "node-ws"),
        "false",
        (
            Offer("default", '{"threshold":0}', f"{PLAIN}; client_max_window_bits"),
            Offer(
                "all parameters",
                '{"threshold":0,"serverNoContextTakeover":true,"clientNoContextTakeover":true,'
                '"serverMaxWindowBits":10,"clientMaxWindowBits":9}',
                f"{NO_TAKEOVER}; server_max_window_bits=10; client_max_window_bits=9",
                shared=f"{NO_TAKEOVER}; server_max_window_bits=10; client_max_window_bits=9",
                dedicated=f"{NO_TAKEOVER}; server_max_window_bits=10; client_max_window_bits=9",
            ),
        ),
    ),
    Client(
        "go-gorilla",
        partial(PipeClient, "go-gorilla"),
        "none",
        (Offer("default", "no-context-takeover", NO_TAKEOVER, dedicated=NO_TAKEOVER),),
    ),
    Client(
        "go-nhooyr",
        partial(PipeClient, "go-nhooyr"),
        "none",
        (
            Offer(
                "default",
                "no-context-takeover",
                f"{PLAIN}; client_no_context_takeover; server_no_context_takeover",
                dedicated=NO_TAKEOVER,
            ),
            Offer("context takeover", "context-takeover", PLAIN),
        ),
    ),
    Client(
        "libwebsockets",
        partial(PipeClient, "libwebsockets"),
        "",
        (
            Offer("default", PLAIN, PLAIN),
            Offer(
                "no context takeover",
                f"{PLAIN}; client_no_context_takeover; server_no_context_takeover",
                f"{PLAIN}; client_no_context_takeover; server_no_context_takeover",
                dedicated=NO_TAKEOVER,
            ),
            Offer(
                "small windows",
                f"{PLAIN}; client_max_window_bits=11; server_max_window_bits=10",
                f"{PLAIN}; client_max_window_bits=11; server_max_window_bits=10",
                shared=f"{NO_TAKEOVER}; server_max_window_bits=10; client_max_window_bits=11",
                dedicated=f"{PLAIN}; server_max_window_bits=10; client_max_window_bits=11",
            ),
        ),
        cannot_take_uncompressed="it takes the first bytes of one for ever (its issue 2794: 4.1 to 4.3)",
    ),
)
