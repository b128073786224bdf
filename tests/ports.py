"""Ports for servers that cannot choose one themselves."""

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """
    A port on 127.0.0.1 on which nothing listens.

    It is below those that systems give to whoever asks for any: another test would get one of those before the server
    that it is for has started.
    """
    while True:
        port = random.randrange(15_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
