"""What a server's reply is called that cannot be used, and would be no better another time."""

from __future__ import annotations

from typing import Literal

import openai

Fault = Literal["the request", "the server", "the task file", "the account"]
"""Where the cause of a failed request may lie."""


class UnusableReply(openai.OpenAIError):
    """A reply that is not taken. The client passes it on at once and asks no second time.

    Args:
        why: what the server does, and what to do about it; without the key.
        fault: where the cause may lie.
    """

    def __init__(self, why: str, fault: Fault):
        super().__init__(why)
        self.fault = fault
