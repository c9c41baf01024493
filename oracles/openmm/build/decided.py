"""Answers about a design that a few of its fields decide, kept for the designs that share them: candidates are judged
by the ten thousand, and their oxides and polymers are few."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache, wraps
from typing import Any, TypeVar

from loop.types import Value

KEPT = 4096

Answer = TypeVar("Answer", bound=Callable[..., Any])


def decided_by(*fields: str) -> Callable[[Answer], Answer]:
    """Keeps the last KEPT answers of a pure function of a whole design, which is told these fields of it and no
    others. Its other arguments are given by position and hashable; what it returns is immutable."""

    def keeping(answer: Answer) -> Answer:
        @lru_cache(maxsize=KEPT, typed=True)  # 8 and 8.0 are equal, and told apart in a check
        def kept(*told: Hashable) -> Any:
            return answer(dict(zip(fields, told, strict=False)), *told[len(fields) :])

        @wraps(answer)
        def asked(design: Mapping[str, Value], *others: Hashable) -> Any:
            return kept(*[design[field] for field in fields], *others)

        return asked  # type: ignore[return-value]

    return keeping
