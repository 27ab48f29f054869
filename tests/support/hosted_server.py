"""A real server of a real, tiny model: `python hosted_server.py MODEL_FOLDER KEY`.

Speaks as much of the OpenAI protocol as chat completions need. Prints its port and then, line by
line, the prompts that it answers; ends with its standard input.
"""

from __future__ import annotations

import hmac
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from harness.lm import load
from harness.toolkit import generate
from harness.types import ModelRef


class Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        given = self.headers.get("Authorization", "")
        if not hmac.compare_digest(given, f"Bearer {self.server.key}"):
            # Unkind, but seen: the key is repeated in the refusal.
            self.send(401, {"error": {"message": f"{given} is no key of ours"}})
            return
        turns = tuple(message["content"] for message in body["messages"])
        prompt = turns if len(turns) > 1 else turns[0]
        with self.server.one_at_a_time:
            print(json.dumps(prompt), flush=True)
            (answer,) = generate(
                self.server.lm, [prompt], body["max_tokens"], body.get("stop") or ()
            )
        tokens = {
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.output_tokens,
            "total_tokens": answer.prompt_tokens + answer.output_tokens,
        }
        message = {"role": "assistant", "content": answer.text}
        choice = {"index": 0, "finish_reason": answer.finish_reason, "message": message}
        self.send(200, {"model": body["model"], "choices": [choice], "usage": tokens})

    def send(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Chat)
    server.daemon_threads = True
    server.lm = load(ModelRef("tiny", sys.argv[1]), "cpu", "float32")
    server.key = sys.argv[2]
    server.one_at_a_time = threading.Lock()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()
