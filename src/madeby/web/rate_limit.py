"""How many pictures each client may send: a token bucket for each key, or each address where there are no keys."""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

MOST_CLIENTS = 10_000
"""Clients remembered at a time; the one that was silent longest is forgotten first, and then has a full bucket."""


@dataclass
class _Bucket:
    tokens: float
    filled: float


class RateLimit:
    """``per_minute`` pictures a minute on average, as many at once as a minute's worth; 0 is no limit."""

    def __init__(self, per_minute: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        """``clock`` tells seconds; tests bring their own."""
        self.per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, client: str, pictures: int = 1) -> int:
        """Take tokens for a request; seconds to wait (at least 1) where there are not enough, else 0.

        A request larger than a full bucket passes when the bucket is full, and leaves a debt.
        """
        if self.per_minute <= 0:
            return 0
        now, rate = self._clock(), self.per_minute / 60
        with self._lock:
            bucket = self._buckets.setdefault(client, _Bucket(float(self.per_minute), now))
            self._buckets.move_to_end(client)
            if len(self._buckets) > MOST_CLIENTS:
                self._buckets.popitem(last=False)
            bucket.tokens = min(float(self.per_minute), bucket.tokens + (now - bucket.filled) * rate)
            bucket.filled = now
            needed = min(pictures, self.per_minute)
            if bucket.tokens < needed:
                return max(1, math.ceil((needed - bucket.tokens) / rate))
            bucket.tokens -= pictures
            return 0
