"""Which upstreams may answer for the name of a model."""

from __future__ import annotations

from collections.abc import Iterator

from ..openai_api.errors import unknown_model
from .config import GatewayConfig, KeyConfig, UpstreamConfig
from .upstreams import Candidate, Upstream

__all__ = ("Router",)


class Router:
    """The upstreams of a configuration. Those that an earlier one had too keep their circuits."""

    def __init__(self, config: GatewayConfig, earlier: Router | None = None) -> None:
        self._aliases = config.aliases
        known: dict[str, Upstream] = {} if earlier is None else earlier.upstreams
        self.upstreams: dict[str, Upstream] = {
            one.name: _keep(known.get(one.name), one, config) for one in config.upstreams
        }

    def states(self) -> dict[str, str]:
        """Return the state of each upstream's circuit."""
        return {name: upstream.circuit.state for name, upstream in self.upstreams.items()}

    def candidates(self, name: str, key: KeyConfig) -> list[Candidate]:
        """Return the upstreams for a name, in the order in which they are asked.

        Raises :class:`~millstream.server.openai_api.RequestError` for a model that there is not, or not for this key.
        """
        is_allowed = not key.models or name in key.models
        # Each is asked once, in the place where it comes first.
        found = list({(one.upstream.name, one.model): one for one in self._find(name)}.values()) if is_allowed else []
        if not found:
            raise unknown_model(name)
        return found

    def names(self, key: KeyConfig) -> list[str]:
        """Return the names that the key may ask for, as far as they are listed."""
        listed = [*self._aliases, *(model for one in self.upstreams.values() for model in one.config.models)]
        return [name for name in dict.fromkeys(listed) if not key.models or name in key.models]

    def _find(self, name: str) -> Iterator[Candidate]:
        aliased = self._aliases.get(name)
        for target in (name,) if aliased is None else aliased:
            upstream_name, slash, model = target.partition("/")
            named = self.upstreams.get(upstream_name) if slash else None
            # An alias may have any model of an upstream; a client, those that the upstream lists.
            if named is not None and (aliased is not None or _has(named, model)):
                yield Candidate(named, model)
                continue
            for upstream in self.upstreams.values():
                if _has(upstream, target):
                    yield Candidate(upstream, target)


def _has(upstream: Upstream, model: str) -> bool:
    return not upstream.config.models or model in upstream.config.models


def _keep(known: Upstream | None, one: UpstreamConfig, config: GatewayConfig) -> Upstream:
    """Return a known upstream if its configuration is the same, else another one."""
    circuit = config.circuit_failures, config.circuit_seconds
    is_same = known is not None and known.config == one and known.circuit.has_limits(*circuit)
    return known if known is not None and is_same else Upstream(one, config)
