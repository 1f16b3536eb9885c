"""Damages files the way accidents and attackers do, from a seeded generator."""


def mutated(data, rng, others):
    """A damaged copy of ``data``; ``others`` are files whose pieces may be spliced in."""
    damaged = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        MUTATIONS[rng.integers(len(MUTATIONS))](damaged, rng, others)
    return bytes(damaged[: 4 << 20])


def _place(damaged, rng):
    """Somewhere in the file, more often near its beginning, where the metadata stand."""
    size = max(1, len(damaged))
    return int(rng.integers(min(size, 4096) if rng.random() < 0.7 else size))


def _flip_bits(damaged, rng, others):
    for _ in range(int(rng.integers(1, 9))):
        if damaged:
            damaged[_place(damaged, rng)] ^= 1 << int(rng.integers(8))


def _overwrite(damaged, rng, others):
    place = _place(damaged, rng)
    damaged[place : place + int(rng.integers(1, 64))] = rng.bytes(int(rng.integers(1, 64)))


def _extreme_number(damaged, rng, others):
    """Lengths, offsets and counts at the edges of their ranges."""
    width = int(rng.choice([1, 2, 4, 8]))
    number = int(rng.choice([0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF])) & (256**width - 1)
    place = _place(damaged, rng)
    damaged[place : place + width] = number.to_bytes(width, rng.choice(["big", "little"]))


def _truncate(damaged, rng, others):
    del damaged[_place(damaged, rng) :]


def _remove(damaged, rng, others):
    place = _place(damaged, rng)
    del damaged[place : place + int(rng.integers(1, 256))]


def _repeat(damaged, rng, others):
    place, length = _place(damaged, rng), int(rng.integers(1, 512))
    damaged[place:place] = damaged[place : place + length] * int(rng.integers(1, 20))


def _splice(damaged, rng, others):
    other = others[rng.integers(len(others))]
    start = int(rng.integers(max(1, len(other))))
    place = _place(damaged, rng)
    damaged[place:place] = other[start : start + int(rng.integers(1, 2048))]


def _append(damaged, rng, others):
    damaged += others[rng.integers(len(others))]


def _nest(damaged, rng, others):
    place = _place(damaged, rng)
    damaged[place:place] = rng.choice([b"{", b"[", b"<a>", b'{"a":', b"\xff\xe1", b"8BIM"]) * int(rng.integers(1, 5000))


MUTATIONS = (_flip_bits, _flip_bits, _overwrite, _extreme_number, _extreme_number, _truncate, _remove, _repeat,
             _splice, _append, _nest)  # fmt: skip
