"""Replicas and requests with figures written down, to try a router without a simulation."""

from dataclasses import dataclass

from lab.serving.replica import Request


@dataclass(frozen=True)
class ScriptedReplica:
    """What a router sees of a replica: see `Replica`. prefixes: the shared prefixes in its cache."""

    index: int = 0
    queued: int = 0
    running: int = 0
    prompt_tokens_ahead: int = 0
    prefixes: tuple[int, ...] = ()

    @property
    def load(self) -> int:
        return self.queued + self.running

    def has_prefix(self, prefix: int) -> bool:
        """Whether the shared prefix is in the KV cache."""
        return prefix in self.prefixes


def scripted_request(
    index: int = 0, prompt_tokens: int = 100, output_tokens: int = 100, prefix: int = -1
) -> Request:
    """A request at time 0; its shared prefix, if it has one, is half of the prompt."""
    shared = prompt_tokens // 2 if prefix >= 0 else 0
    return Request(index, 0.0, prompt_tokens, output_tokens, prefix, shared)
