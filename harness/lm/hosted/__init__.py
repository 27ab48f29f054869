"""Models on somebody's server, asked through the OpenAI protocol. Knows nothing of weights."""

from harness.lm.hosted.client import answer_hosted
from harness.lm.hosted.server import HostedModel, key_of, open_hosted

__all__ = ["HostedModel", "answer_hosted", "key_of", "open_hosted"]
