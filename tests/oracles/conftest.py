"""What several tests of the MD oracle share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from oracles.openmm.simulate.segments import Journal


class Killed(BaseException):
    """Stands for a process that ends at this very point."""


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], AbstractContextManager[None]]:
    """A block that is left as if killed when a journal has committed so often, and must not end before."""

    @contextmanager
    def killed(commits: int) -> Iterator[None]:
        commit, left = Journal.commit, [commits]

        def dying(self, *args, **kwargs):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            commit(self, *args, **kwargs)

        with monkeypatch.context() as patched, pytest.raises(Killed):
            patched.setattr(Journal, "commit", dying)
            yield

    return killed
