"""Times and ratios in units that people read."""

__all__ = ("ratio_text", "time_text")

_UNITS = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"))


def time_text(nanoseconds: float) -> str:
    """Return a time with three digits, in the unit that fits it.

    >>> [time_text(one) for one in (0.137, 123.4, 999.7, 2260.0, 34_370_829.0)]
    ['0.14 ns', '123 ns', '1.00 µs', '2.26 µs', '34.4 ms']
    """
    for scale, unit in _UNITS:
        if nanoseconds >= scale * 0.9995:
            return f"{_digits(nanoseconds / scale)} {unit}"
    return f"{_digits(nanoseconds)} ns"


def ratio_text(ratio: float) -> str:
    """Return a multiple.

    >>> [ratio_text(one) for one in (0.97, 5.512, 14.21, 158.4, 2019.0)]
    ['0.97×', '5.5×', '14×', '158×', '2,019×']
    """
    return f"{ratio:,.0f}×" if ratio >= 9.95 else f"{ratio:.1f}×" if ratio >= 1.995 else f"{ratio:.2f}×"


def _digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}"
