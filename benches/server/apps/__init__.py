"""The gateways: each module has ``create(upstream)``, which returns an ASGI app in front of a model's server."""
