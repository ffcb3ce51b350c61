"""Whether a subclass writes a method anew: users' code runs then, where ours would take a shortcut."""

__all__ = ("overrides",)


def overrides(thing: object, base: type, *names: str) -> bool:
    """Return whether the class of ``thing``, a subclass of ``base``, has another method under one of ``names``."""
    cls = type(thing)
    return cls is not base and any(getattr(cls, name) is not getattr(base, name) for name in names)
