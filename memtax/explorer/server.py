"""Listening: on the loopback alone, until Ctrl-C."""

from __future__ import annotations

import errno
import socket
import threading
import webbrowser
from types import FrameType

import uvicorn

from memtax.errors import MemtaxError
from memtax.explorer.app import Explorer, create_app

HOST = "127.0.0.1"
# A page that still loads when Ctrl-C is pressed has this long to end.
GRACE_SECONDS = 2


def listen(port: int) -> socket.socket:
    """A socket that listens on a port of the loopback; 0 takes any that is free.

    Raises:
        MemtaxError: the port is taken, or this user may not have it.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # A port that was served a moment ago may be had again; one that is being served may not.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise MemtaxError(
                f"port {port} is taken, perhaps by another memtax explore; name another with --port N, or --port 0 for "
                "any that is free"
            ) from error
        if error.errno == errno.EACCES:
            raise MemtaxError(
                f"port {port} is reserved for administrators; name one from 1024 on with --port N"
            ) from error
        raise MemtaxError(f"port {port} of {HOST} cannot be listened on: {error.strerror}") from error
    return listener


def address_of(listener: socket.socket) -> str:
    """Where a browser finds it."""
    return f"http://{HOST}:{listener.getsockname()[1]}/"


def serve(explorer: Explorer, listener: socket.socket, *, browser: bool) -> None:
    """Answer requests until Ctrl-C; with `browser`, open the first page in one."""
    config = uvicorn.Config(
        create_app(explorer),
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        lifespan="off",
        ws="none",
    )
    if browser:
        # The socket listens already, so that the browser waits rather than fails, however quick it is.
        threading.Thread(target=webbrowser.open, args=[address_of(listener)], daemon=True).start()
    try:
        _Server(config, explorer).run(sockets=[listener])
    except KeyboardInterrupt:
        # uvicorn has shut down, and says once more that it was asked to.
        return


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, explorer: Explorer) -> None:
        super().__init__(config)
        self._explorer = explorer

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._explorer.stop()
        super().handle_exit(sig, frame)
