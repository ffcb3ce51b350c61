"""Which upstreams may answer for the name of a model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..openai_api.errors import unknown_model
from .config import GatewayConfig, KeyConfig
from .upstreams import Candidate, Upstream

__all__ = ("Router",)


class Router:
    """The upstreams of a configuration. Those that an earlier one had too keep their circuits."""

    def __init__(self, config: GatewayConfig, earlier: Router | None = None) -> None:
        known: Mapping[str, Upstream] = {} if earlier is None else earlier.upstreams
        self._aliases = config.aliases
        self.upstreams: dict[str, Upstream] = {
            one.name: found if (found := known.get(one.name)) and found.config == one else Upstream(one, config)
            for one in config.upstreams
        }

    def candidates(self, name: str, key: KeyConfig) -> list[Candidate]:
        """Return the upstreams for a name, in the order in which they are asked.

        Raises :class:`~millstream.server.openai_api.RequestError` for a model that there is not, or not for this key.
        """
        found = list(self._find(name)) if not key.models or name in key.models else []
        if not found:
            raise unknown_model(name)
        return found

    def names(self, key: KeyConfig) -> list[str]:
        """Return the names that the key may ask for, as far as they are listed."""
        listed = [*self._aliases, *(model for one in self.upstreams.values() for model in one.config.models)]
        return [name for name in dict.fromkeys(listed) if not key.models or name in key.models]

    def _find(self, name: str) -> Iterator[Candidate]:
        for target in self._aliases.get(name, (name,)):
            upstream_name, slash, model = target.partition("/")
            if slash and (upstream := self.upstreams.get(upstream_name)) is not None:
                yield Candidate(upstream, model)
                continue
            for upstream in self.upstreams.values():
                if not upstream.config.models or target in upstream.config.models:
                    yield Candidate(upstream, target)
