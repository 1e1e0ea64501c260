"""Who is away on which day: days off, leave, training, sickness and vacancies of every post, keyed and compiled.

A *post* is one place on the strength of one station, numbered from 0; its chance is keyed by (station, number) and the
date, so it is the same in every scenario, window and roster, and a scenario with more people only adds posts. Steps of
`fill_away`: for each post, mark its days of each cause. `count_on_duty` counts who is left. Next: `rosters.py`.
"""

from __future__ import annotations

import numpy as np

from sim.chance import Stream, rank, ranks4
from sim.compiled import compiled

_LEAVE, _TRAINING = int(Stream.ANNUAL_LEAVE), int(Stream.TRAINING)
_SICKNESS, _VACANCY = int(Stream.ABSENCE), int(Stream.VACANCY)
_POST_BITS = 20
DAY_CHANCE_ONE = 1 << 32
"""A chance of one, in the scale of ranks."""


@compiled
def _mark(away, first, n):  # type: ignore[no-untyped-def]
    """Mark the days first … first + n - 1 of a post that lie within its row."""
    for day in range(max(first, 0), min(first + n, away.shape[0])):
        away[day] = 1


@compiled
def _mark_yearly(away, identity, stream, years, first_ordinal, n, seed, replication):  # type: ignore[no-untyped-def]
    """Mark one piece of `n` days in each year (rows of first day, length), begun on a day of the year drawn evenly."""
    for year in range(years.shape[0]):
        jan_1, length = years[year, 0], years[year, 1]
        begin = jan_1 + np.int64(
            (rank(seed, replication, stream, identity, jan_1) * np.uint64(length)) >> np.uint64(32)
        )
        _mark(away, begin - first_ordinal, n)


@compiled
def _mark_drawn(away, identity, stream, chance, first_ordinal, n, seed, replication):  # type: ignore[no-untyped-def]
    """Mark spells of `n` days, each day beginning one with `chance` / 2**32, those before the row's first day too."""
    first = first_ordinal - n + 1
    for block in range(first // 4, (first_ordinal + away.shape[0] - 1) // 4 + 1):
        drawn = ranks4(seed, replication, stream, identity, block)
        for lane in range(4):
            day = 4 * block + lane
            if np.int64(drawn[lane]) < chance and day >= first:
                _mark(away, day - first_ordinal, n)


@compiled
def fill_away(away, post, rule, vacancy_chance, years, first_ordinal, seed, replication):  # type: ignore[no-untyped-def]
    """Mark in `away` the days on which each post's holder is not there.

    Parameters
    ----------
    away : (n_posts, n_days) uint8, zeros; the first day is the ordinal date `first_ordinal`.
    post : (n_posts, 2) int64, station and number within it.
    rule : (n_crews, off_days, off_cycle_days, leave_days, training_days, sickness chance a day, sick_days, refill_days)
        int64; chances in 1/2**32.
    vacancy_chance : (n_posts,) int64, chance a day that the holder leaves for good.
    years : (n_years, 2) int64, ordinal of 1 January and days of each year that a piece begun in may reach the days.
    """
    n_crews, off_days, off_cycle = rule[0], rule[1], rule[2]
    leave_days, training_days, sick_chance, sick_days, refill_days = rule[3], rule[4], rule[5], rule[6], rule[7]
    for row in range(post.shape[0]):
        station, number = post[row, 0], post[row, 1]
        identity = (station << _POST_BITS) | number
        phase = (number // n_crews) * off_days + station
        for day in range(away.shape[1]):
            if (first_ordinal + day + phase) % off_cycle < off_days:
                away[row, day] = 1
        if leave_days > 0:
            _mark_yearly(away[row], identity, _LEAVE, years, first_ordinal, leave_days, seed, replication)
        if training_days > 0:
            _mark_yearly(away[row], identity, _TRAINING, years, first_ordinal, training_days, seed, replication)
        if sick_chance > 0:
            _mark_drawn(away[row], identity, _SICKNESS, sick_chance, first_ordinal, sick_days, seed, replication)
        if vacancy_chance[row] > 0:
            _mark_drawn(
                away[row], identity, _VACANCY, vacancy_chance[row], first_ordinal, refill_days, seed, replication
            )


@compiled
def count_on_duty(away, first_post, posts, step, duty_day, part, whole, out):  # type: ignore[no-untyped-def]
    """Count the people on duty at every station from each instant on.

    The posts of a station belong to its crews in turn, those of station n beginning with crew n, so that no crew is the
    larger one everywhere.

    Parameters
    ----------
    away : (n_posts, n_days) uint8. first_post : (n_stations,) row of each station's post 0.
    posts : (n_steps, n_stations) int64. step : (n_instants,) the step in force.
    duty_day : (n_instants, n_crews) int64, day on which the crew's present shift began, -1 when it is off duty.
    part, whole : (n_instants, n_crews) int64, the part of those there who are on duty: present x part // whole.
    out : (n_instants, n_stations) int16.
    """
    n_crews = duty_day.shape[1]
    present = np.zeros(n_crews, dtype=np.int64)
    for instant in range(duty_day.shape[0]):
        for station in range(first_post.shape[0]):
            present[:] = 0
            for number in range(posts[step[instant], station]):
                crew = (number + station) % n_crews
                day = duty_day[instant, crew]
                if day >= 0 and not away[first_post[station] + number, day]:
                    present[crew] += 1
            total = np.int64(0)
            for crew in range(n_crews):
                total += present[crew] * part[instant, crew] // whole[instant, crew]
            out[instant, station] = total
