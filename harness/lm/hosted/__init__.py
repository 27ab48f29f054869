"""Models on somebody's server, asked through the OpenAI protocol. Knows nothing of weights."""

from harness.lm.hosted.calls import Call, hosted_calls
from harness.lm.hosted.model import HostedModel, open_hosted
from harness.lm.hosted.server import key_of

__all__ = ["Call", "HostedModel", "hosted_calls", "key_of", "open_hosted"]
