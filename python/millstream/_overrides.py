"""Whether a subclass writes a method anew: users' code runs then, where ours would take a shortcut."""

__all__ = ("overrides",)


def overrides(thing: object, base: type, name: str) -> bool:
    """Return whether the class of ``thing``, a subclass of ``base``, has another method under ``name``."""
    return getattr(type(thing), name) is not getattr(base, name)
