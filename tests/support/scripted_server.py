"""A server that speaks the OpenAI protocol and misbehaves on demand, in threads of this process."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness import lm
from harness.types import ChatSettings, Context, Endpoint, ModelRef, TaskInfo

KEY = "sk-never-to-be-written"
FACTS = TaskInfo("t", "Which?", "text", {}, max_new_tokens=9)
USAGE = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}


def reply(text="fine", usage=USAGE, finish="stop", model="served", **message):
    """A whole and proper answer."""
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text, **message},
            }
        ],
        "usage": usage,
    }
    return lambda call: call.send(200, json.dumps(body))


def fails(status, message="no", headers=(), **error):
    body = json.dumps({"error": {"message": message, **error}})
    return lambda call: call.send(status, body, dict(headers))


def says(text, kind="application/json", status=200):
    """A reply with any body."""
    return lambda call: call.send(status, text, {"Content-Type": kind})


def cut_off(call):
    """Promises more bytes than it sends."""
    call.send(200, '{"choices": [', {"Content-Length": "5000"})
    call.close_connection = True


def hangs(call):
    call.server.over.wait(20)


def slow(seconds, then):
    def step(call):
        time.sleep(seconds)
        then(call)

    return step


class Call(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        script = self.server.script
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][-1]["content"]
        with script.lock:
            script.bodies.append(body)
            script.headers.append({k.lower(): v for k, v in self.headers.items()})
            script.times.append(time.monotonic())
            steps = script.by_prompt.get(prompt, script.steps)
            step = steps.popleft() if steps else script.default
            script.in_flight += 1
            script.most_in_flight = max(script.most_in_flight, script.in_flight)
        try:
            step(self)
        finally:
            with script.lock:
                script.in_flight -= 1

    def send(self, status, text, headers=()):
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **dict(headers)}.items():
            self.send_header(name, value)
        if "Content-Type" not in dict(headers):
            self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        pass


class Script:
    """What the server does, call by call, and what it saw."""

    def __init__(self, *steps, default=None, by_prompt=None):
        self.steps = deque(steps)
        self.by_prompt = {prompt: deque(s) for prompt, s in (by_prompt or {}).items()}
        self.default = default or reply()
        self.bodies, self.headers, self.times = [], [], []
        self.in_flight = self.most_in_flight = 0
        self.lock = threading.Lock()
        self.url = ""


@contextmanager
def serving(script):
    """Run a script's server; gives the script with its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Call)
    server.daemon_threads = True
    server.script, server.over = script, threading.Event()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield script
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def open_at(url, notes=None, seed=0, name="asked", chat=None, **endpoint):
    """A model that asks the server at `url`; its remarks are added to `notes`."""
    settings = {"provider": "openai", "key_env": "TEST_KEY", "timeout_s": 5.0, "max_retries": 2}
    ref = ModelRef(
        name, url, hosted=Endpoint(**{**settings, **endpoint}), chat=chat or ChatSettings()
    )
    note = (lambda kind, text: notes.append(text)) if notes is not None else lambda *words: None
    context = Context(FACTS, (), ref, seed, "cpu", "float32", 0, None, None, note, None)
    return lm.open_model(context)
