"""Random functions that every field and every run draws alike."""

from __future__ import annotations

from functools import lru_cache

PRIME = 4294967291
CERTAIN = 40  # whole numbers of at most this size keep their true sign
FULL = 2**64 - 1
GOLDEN = 0x9E3779B97F4A7C15
BOUNDS = ((0.6, 1.4), (0.7, 1.3), (-1.0, 1.0), (0.2, 0.9), (0.15, 0.45))


def mixed(x: int, salt: int) -> int:
    """A pseudo-random function of 64-bit integers (the finaliser of splitmix64)."""
    z = (x + salt * GOLDEN) & FULL
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & FULL
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & FULL
    return z ^ (z >> 31)


@lru_cache(maxsize=256)
def salt_of(name: str) -> int:
    """A number for a name (FNV-1a)."""
    value = 1469598103934665603
    for byte in name.encode():
        value = (value ^ byte) * 1099511628211 % 2**64
    return value


@lru_cache(maxsize=256)
def smooth(name: str) -> tuple[float, ...]:
    """The parameters of the smooth function that stands in for an unspecified one."""
    salt = salt_of(name)
    return tuple(low + (high - low) * mixed(k, salt) / 2**64 for k, (low, high) in enumerate(BOUNDS))
