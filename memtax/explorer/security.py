"""What every answer carries and every request must have, since a page of the explorer shows text that anyone may have written.

The server listens on the loopback alone, but a page elsewhere can have its own name resolve to 127.0.0.1 (DNS rebinding) and
then read the answers: so the Host header must be the loopback's. Nothing is executed, framed or fetched but what memtax ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = frozenset(("127.0.0.1", "localhost", "[::1]"))
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def protect(headers: MutableHeaders) -> None:
    """Add HEADERS to those of an answer; what it holds is kept nowhere, unless it says otherwise."""
    for name, value in HEADERS.items():
        headers[name] = value
    headers.setdefault("Cache-Control", "no-store")


class LoopbackOnly:
    """Refuses requests under another name than the loopback's, and adds HEADERS to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                protect(MutableHeaders(scope=message))
            await send(message)

        host = Headers(scope=scope).get("host", "")
        if _without_port(host) in HOSTS:
            await self._app(scope, receive, send_with_headers)
            return
        refusal = PlainTextResponse(
            "memtax explore answers to the names 127.0.0.1 and localhost alone; open the address that it printed.\n",
            421,
        )
        await refusal(scope, receive, send_with_headers)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
