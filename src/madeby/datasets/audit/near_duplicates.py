"""Look-alikes: perceptual hashes find the candidates, thumbnails decide.

Candidates are pairs of 64-bit hashes that differ in at most 7 bits. Cut into 8 bytes, such hashes agree in one
byte at least, so it suffices to compare the pictures that share a byte in the same place (multi-index hashing;
M. Norouzi, A. Punjani, D. Fleet, "Fast search in Hamming space with multi-index hashing", 2012). Hashes alone
would call most plain pictures the same; two pictures only count as look-alikes if what their thumbnails show
beyond a ramp of brightness agrees, and their colours do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
Thumbnails = npt.NDArray[np.uint8]

DISTANCE = 7
"""Bits that candidates' hashes may differ in; 8 bands find all such pairs."""

AGREEMENT = 0.93
"""Least correlation of the thumbnails' details."""

COLOUR_DISTANCE = 30.0
"""Largest root mean square distance of the thumbnails, 0..255."""

LEAST_DETAIL = 5.0
"""Standard deviation (0..127.5) that a thumbnail's detail needs; less is too little to recognise by."""

MOST_CANDIDATES = 50_000_000
MOST_PAIRS = 5_000_000

_BLOCK = 2048
_CHUNK = 16384


def near_pairs(hashes: Hashes, thumbnails: Thumbnails) -> tuple[Indices, bool]:
    """Find the pairs of pictures that look alike.

    Args:
        hashes: (n,) perceptual hashes.
        thumbnails: (n, side, side, 3) uint8.

    Returns:
        (k, 2) int64 rows, the first below the second, each pair once; and whether the search went to its end
        (it stops after :data:`MOST_CANDIDATES` comparisons or :data:`MOST_PAIRS` pairs).
    """
    details, strength = _details(thumbnails)
    rows = np.flatnonzero(strength >= LEAST_DETAIL)
    found: list[Indices] = []
    candidates = pairs = 0
    for one, other in _candidates(hashes[rows]):
        for start in range(0, len(one), _CHUNK):
            a, b = rows[one[start : start + _CHUNK]], rows[other[start : start + _CHUNK]]
            alike = _alike(a, b, details, strength, thumbnails)
            found.append(np.stack([np.minimum(a, b)[alike], np.maximum(a, b)[alike]], axis=1))
            candidates += len(a)
            pairs += len(found[-1])
            if candidates > MOST_CANDIDATES or pairs > MOST_PAIRS:
                return np.concatenate(found), False
    return (np.concatenate(found) if found else np.empty((0, 2), np.int64)), True


def linked(pairs: Indices, count: int) -> Indices:
    """(count,) int64: the same number for items that a chain of pairs links."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(pairs), np.bool_)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    labels: Indices = connected_components(graph, directed=False)[1].astype(np.int64)
    return labels


def _candidates(hashes: Hashes) -> Iterator[tuple[Indices, Indices]]:
    """Pairs of rows with close hashes, each pair once, block by block."""
    for band in range(8):
        shift = np.uint64(8 * (7 - band))
        byte = (hashes >> shift) & np.uint64(0xFF)
        order = np.argsort(byte, kind="stable")
        for rows in np.split(order, np.flatnonzero(np.diff(byte[order])) + 1):
            for top in range(0, len(rows), _BLOCK):
                for left in range(top, len(rows), _BLOCK):
                    yield from _close(hashes, rows[top : top + _BLOCK], rows[left : left + _BLOCK], band, top == left)


def _close(hashes: Hashes, rows: Indices, columns: Indices, band: int, same: bool) -> Iterator[tuple[Indices, Indices]]:
    differing = hashes[rows][:, None] ^ hashes[columns][None, :]
    close = np.bitwise_count(differing) <= DISTANCE
    if same:
        close = np.triu(close, 1)
    one, other = np.nonzero(close)
    if band and len(one):
        # A pair that agrees in an earlier byte has been met there.
        bits = differing[one, other]
        earlier = np.zeros(len(bits), np.bool_)
        for before in range(band):
            earlier |= (bits >> np.uint64(8 * (7 - before))) & np.uint64(0xFF) == 0
        one, other = one[~earlier], other[~earlier]
    if len(one):
        yield rows[one], columns[other]


def _details(thumbnails: Thumbnails) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """What the thumbnails show beyond a ramp of brightness: (n, side^2) of unit length, and (n,) its strength."""
    count, side = thumbnails.shape[:2]
    position = np.linspace(-1, 1, side)
    ramp = np.stack([np.ones((side, side)), *np.meshgrid(position, position)]).reshape(3, -1).astype(np.float32)
    ramp /= np.linalg.norm(ramp, axis=1, keepdims=True)
    details = np.empty((count, side * side), np.float32)
    for start in range(0, count, _CHUNK):
        grey = thumbnails[start : start + _CHUNK].mean(axis=3, dtype=np.float32).reshape(-1, side * side)
        details[start : start + _CHUNK] = grey - (grey @ ramp.T) @ ramp
    length = np.linalg.norm(details, axis=1)
    details /= np.maximum(length, 1e-6)[:, None]
    return details, (length / side).astype(np.float32)


def _alike(
    one: Indices,
    other: Indices,
    details: npt.NDArray[np.float32],
    strength: npt.NDArray[np.float32],
    thumbnails: Thumbnails,
) -> npt.NDArray[np.bool_]:
    """(k,): whether the thumbnails of each pair agree in their details, the details' strength and the colours."""
    alike: npt.NDArray[np.bool_] = np.einsum("ij,ij->i", details[one], details[other]) >= AGREEMENT
    ratio = strength[one] / strength[other]
    alike &= (ratio > 0.7) & (ratio < 1 / 0.7)
    left = np.flatnonzero(alike)
    distance = thumbnails[one[left]].astype(np.float32) - thumbnails[other[left]]
    alike[left] = np.sqrt(np.square(distance).mean(axis=(1, 2, 3))) <= COLOUR_DISTANCE
    return alike
