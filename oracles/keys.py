"""Keys of a campaign that an oracle cannot use."""

from __future__ import annotations

from collections.abc import Sequence


class BadKey(ValueError):
    """A campaign key of an oracle has a value it does not know; `key` names it, or is the path to it within the
    oracle's entry."""

    def __init__(self, key: str | tuple[str, ...], message: str) -> None:
        super().__init__(message)
        self.key = key


def one_of(key: str, value: str, allowed: Sequence[str]) -> None:
    """Raises BadKey where the value of a key is not one of those allowed."""
    if value not in allowed:
        raise BadKey(key, f"{key} {value!r} is not one of {', '.join(allowed)}")
