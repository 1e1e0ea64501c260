"""Dispatch rules of one's own, as a user would write them, for the tests."""

from __future__ import annotations

import numpy as np


class Nearest:
    """What the built-in rule `nearest` does: the earliest at work, by road before a craft, then by id."""

    def choose(self, need):
        is_craft = need.units["mode"][need.able] != 0
        order = np.lexsort((need.able, is_craft, need.work_ms[need.able]))
        return need.able[order[0]] if len(order) else None


class Stubborn:
    def choose(self, need):
        return 0


class Outside:
    def choose(self, need):
        return 99


class Text:
    def choose(self, need):
        return "unit 1"


class Fails:
    def choose(self, need):
        return 1 / need.waited_ms


class Meddler:
    def choose(self, need):
        need.units["status"][0] = 0


class Watcher:
    """Lets every need wait once and keeps what it was shown."""

    seen: list[tuple[object, ...]] = []  # noqa: RUF012 - looked at by the test

    def choose(self, need):
        ways = need.arrival_ms.tolist(), need.work_ms.tolist()
        self.seen.append((need.now_ms, need.waited_ms, need.incident, need.capability, need.cell, need.kind,
                          need.grade, *ways))  # fmt: skip
        return None if need.waited_ms == 0 else int(need.able[0])


class Needy:
    def __init__(self, what):
        pass


Empty = object
