"""The errors of models, each in one line with the remedy."""

from ..errors import CONNECTION_REMEDY, CommandError, reason_of
from ..providers import PROVIDERS
from .models import ModelSettings

__all__ = ("describe_failure",)


def describe_failure(error: Exception, settings: ModelSettings, *, is_interactive: bool) -> CommandError:
    """Return the line for an error of a model; the commands of a conversation remedy it if there is one."""
    again = "/retry asks again" if is_interactive else "run it again"
    model = "/model NAME" if is_interactive else "--model NAME"
    return CommandError(
        reason_of(error).partition(" (if the server requires none")[0], _find_remedy(error, settings, again, model)
    )


def _find_remedy(error: Exception, settings: ModelSettings, again: str, model: str) -> str:
    from ... import errors

    provider = PROVIDERS.get(settings.provider)
    key = " or ".join(provider.keys) if provider is not None else "the environment"
    match error:
        case errors.AuthenticationError():
            return f"check the key in {key}"
        case errors.PermissionDeniedError():
            return f"the key may not do this: choose another model with {model}, or another key in {key}"
        case errors.NotFoundError():
            return f"check the model's name ({model}) and --base-url"
        case errors.RateLimitError():
            wait = "a little" if error.retry_after is None else f"{error.retry_after:.0f} s"
            return f"wait {wait}, then {again}"
        case errors.ContextOverflowError():
            return "the conversation is too long: /clear begins a new one"
        case errors.APIStatusError() if not error.is_retryable:
            return f"the server does not accept the request: check --option, or choose another model with {model}"
        case errors.APIConnectionError() if not error.is_retryable or error.is_final:
            return "check --base-url"
        case errors.APITimeoutError() | errors.APIStatusError() | errors.StreamError():
            return again
        case errors.APIConnectionError():
            return CONNECTION_REMEDY
    return ""
