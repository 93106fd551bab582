"""A process of a pool loads the program's own module to find its functions; what the program does when it is run must not happen
there again."""

from __future__ import annotations

import os

from ..errors import BatonError

MARK = "BATON_POOL_LOADS"  # in the environment of such a process, while it loads


def refuse_while_loading(what: str) -> None:
    """Raises BatonError where `what` would be done by a process that only looks for functions."""
    if MARK in os.environ:
        raise BatonError(f"{what} while a process of a pool loads the program to find its functions; put it under "
                         'if __name__ == "__main__":')
