"""A server that sends any bytes at all, at any pace, in threads of this process."""

from __future__ import annotations

import base64
import json
import socket
import threading
from contextlib import contextmanager, suppress


def whole(body, status="200 OK", headers=(), kind="application/json"):
    """A reply in the form of HTTP, whatever its status, headers and body are."""
    body = body if isinstance(body, bytes) else body.encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "Connection: close", *headers, "", ""]).encode() + body


def completion(content="fine", **changes):
    """The body of a proper answer, as JSON values; None takes a field away."""
    body = {
        "id": "1",
        "object": "chat.completion",
        "model": "asked",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": content},
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 2},
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


class RawServer:
    """Sends to each request what `mode(key, server)` returns or yields; keeps what it was sent."""

    def __init__(self, mode):
        self.mode, self.requests = mode, []
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:  # closed: the test is over
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection):
        with connection, suppress(OSError):
            request = b""
            while b"\r\n\r\n" not in request:
                request += connection.recv(65536)
            head, _, body = request.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            length = int({k.lower(): v for k, v in headers.items()}.get("content-length", 0))
            while len(body) < length:
                body += connection.recv(65536)
            self.requests.append(head + b"\r\n\r\n" + body)
            given = {k.lower(): v for k, v in headers.items()}.get("authorization", "")
            sent = self.mode(given.removeprefix("Bearer "), self)
            for part in [sent] if isinstance(sent, bytes) else sent:
                connection.sendall(part)


@contextmanager
def raw_server(mode):
    """Run a server of one mode."""
    server = RawServer(mode)
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        yield server
    finally:
        server.over.set()
        server.listener.close()


def as_json(**changes):
    """The mode of one proper answer with changes."""
    return lambda key, server: whole(json.dumps(completion(**changes)))


def coded(text):
    return base64.b64encode(text.encode()).decode()
