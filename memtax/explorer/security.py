"""What every answer carries and every request must have, since a page of the explorer shows text that anyone may have written.

The server listens on the loopback alone, but a page elsewhere can have its own name resolve to 127.0.0.1 (DNS rebinding) and
then read the answers: so the Host header must be the loopback's. A page elsewhere can also name a download as a picture, which
would keep this machine at work: so a page that is not ours is answered only where somebody follows its link. Nothing is
executed, framed or fetched but what memtax ships.
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
    """Refuses requests under another name than the loopback's, and by other pages; adds HEADERS to every answer."""

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

        refusal = _refusal(Headers(scope=scope))
        await (refusal or self._app)(scope, receive, send_with_headers)


def _refusal(headers: Headers) -> PlainTextResponse | None:
    if _without_port(headers.get("host", "")) not in HOSTS:
        return PlainTextResponse(
            "memtax explore answers to the names 127.0.0.1 and localhost alone; open the address that it printed.\n",
            421,
        )
    # Browsers say who asks, and what for. Another port of this machine is of the same site, and somebody else's all the same.
    ours = headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    followed = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest", "document") == "document"
    if not ours and not followed:
        return PlainTextResponse(
            "memtax explore does not answer what another page asks for; open its address itself.\n", 403
        )
    return None


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()
