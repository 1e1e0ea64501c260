"""Keyed chance: published known answers, uniformity, and quantile tables that keep mean and tail."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sim.chance import (
    TABLE_SIZE,
    Stream,
    bin_weights,
    constant_table,
    look_up,
    philox4x32,
    quantile_table,
    rank,
    ranks4,
    slot_ranks,
)
from sim.units import Q16

# Known-answer vectors of Random123 (Salmon et al. 2011), kat_vectors, philox4x32 10 rounds.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_known_answers(counter, key, expected):
    assert tuple(int(word) for word in philox4x32(*counter, *key)) == expected


def test_a_rank_is_one_lane_of_its_block():
    identity = np.uint64(0xABCDEF0123456789)
    words = [int(w) for w in ranks4(7, 3, Stream.TEST, identity, 5)]
    assert [int(rank(7, 3, Stream.TEST, identity, 20 + lane)) for lane in range(4)] == words


def test_every_part_of_the_key_changes_the_rank():
    base = (7, 3, int(Stream.TEST), np.uint64(99), 4)
    first = int(rank(*base))
    for part, other in enumerate((8, 4, int(Stream.SLOT), np.uint64(98), 5)):
        assert int(rank(*base[:part], other, *base[part + 1 :])) != first


def test_slot_ranks_are_keyed_by_identity_and_not_by_position():
    identities = np.array([11, 22, 33], dtype=np.uint64)
    start = np.array([0, 2, 5, 6], dtype=np.int64)
    out = np.empty((6, 4), dtype=np.uint32)
    slot_ranks(1, 0, int(Stream.SLOT), identities, start, out)
    turned = np.empty((6, 4), dtype=np.uint32)
    slot_ranks(1, 0, int(Stream.SLOT), identities[::-1].copy(), np.array([0, 1, 4, 6]), turned)
    assert np.array_equal(out[0:2], turned[4:6])
    assert np.array_equal(out[2:5], turned[1:4])
    assert np.array_equal(out[5:6], turned[0:1])


def test_ranks_are_uniform_over_identities():
    draws = np.array([int(rank(1, 0, Stream.TEST, np.uint64(i), 0)) for i in range(20_000)]) / 2.0**32
    assert stats.kstest(draws, "uniform").pvalue > 0.001


LOGNORMAL = stats.lognorm(0.8, scale=75_000)


def test_a_table_keeps_its_mean_within_half_a_millisecond():
    table = quantile_table(LOGNORMAL.ppf, LOGNORMAL.mean())
    assert abs(float(table @ bin_weights()) - LOGNORMAL.mean()) < 0.5


@pytest.mark.parametrize("probability", [0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.999999])
def test_a_table_quantile_lies_within_the_quantiles_of_its_bin(probability):
    table = quantile_table(LOGNORMAL.ppf, LOGNORMAL.mean())
    value = look_up(table, np.uint32(probability * 2**32))
    width = 1 / 1024 if probability < 1 - 1 / 1024 else 1 / 1024**2
    low = max(probability - width, 1e-12)
    high = min(probability + width, 1 - 1e-12)
    assert LOGNORMAL.ppf(low) * 0.999 - 1 <= value <= LOGNORMAL.ppf(high) * 1.001 + 1


def test_a_table_is_monotone_in_the_rank():
    table = quantile_table(LOGNORMAL.ppf, LOGNORMAL.mean())
    ranks = np.concatenate([np.arange(0, 2**32, 2**20), np.arange(2**32 - 2**22, 2**32, 257)]).astype(np.uint32)
    values = [int(look_up(table, r)) for r in np.unique(ranks)]
    assert values == sorted(values)
    assert values[-1] > LOGNORMAL.ppf(1 - 2.0**-26)


def test_a_wrong_mean_is_refused():
    with pytest.raises(ValueError, match="integrates to"):
        quantile_table(LOGNORMAL.ppf, LOGNORMAL.mean() * 1.1)


def test_a_constant_table_ignores_the_rank():
    table = constant_table(4321)
    assert table.shape == (TABLE_SIZE,)
    assert {int(look_up(table, np.uint32(r))) for r in (0, 2**31, 2**32 - 1)} == {4321}


def test_one_in_factor_tables_is_what_the_engine_shifts_by():
    assert Q16 == 1 << 16
