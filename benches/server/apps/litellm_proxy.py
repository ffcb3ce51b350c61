"""LiteLLM's proxy, in an environment of its own."""

import json
import os
import tempfile
from typing import Any

# Its app reads the configuration when it starts up.
LIFESPAN = "on"


def create(upstream: str) -> Any:
    """Return the app."""
    model = {"model": "openai/gpt-4o-mini", "api_base": upstream, "api_key": "none", "max_retries": 0}
    config = {
        "model_list": [{"model_name": "gpt-4o-mini", "litellm_params": model}],
        "litellm_settings": {"num_retries": 0, "telemetry": False},
        "general_settings": {"disable_spend_logs": True, "dangerously_permit_weak_or_unset_master_key": True},
    }
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", delete=False) as file:
        # YAML reads JSON.
        json.dump(config, file)
    os.environ |= {"CONFIG_FILE_PATH": file.name, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    from litellm.proxy.proxy_server import app

    return app
