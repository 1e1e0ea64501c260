"""The whole of a run's inputs, and the rules by which it is played: read `InputsBuilder.build` first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sim.assemble.scenes import SceneParts
from sim.errors import InputError, Problem, nearest_name
from sim.inputs import Policy, RunInputs, hours_of_run
from sim.own_rule import OwnRule, find, load
from sim.units import ms_from_min, ms_from_s, q16

if TYPE_CHECKING:
    from sim.settings import Settings

DISPATCH_RULES = ("nearest", "own_town_first", "keep_cover")
MOVE_UP_RULES = ("none", "nearest", "best_cover")
WATER = "water"
"""Code of the capability that hydrants serve."""


class InputsBuilder(SceneParts):
    """Builds the inputs of runs, keeping what they share."""

    def build(self, settings: Settings, replication: int) -> RunInputs:
        """Return all inputs of one run.

        Raises
        ------
        InputError
            With the problems of the first part that has any.
        """
        tables, durations = self.demand_tables(settings), self.durations(settings)
        demand, travel = self.demand(settings, replication), self.travel(settings)
        fleet, calendar = self.fleet(settings, replication), self.calendar(settings)
        order = self._station_order(travel, fleet)
        cards, ranks = self.asked_cards(settings).cards, self._slot_ranks(settings, replication)
        period, is_night = hours_of_run(
            calendar, travel.period_of_hour, settings.times.night_from_h, settings.times.night_to_h
        )
        return RunInputs(
            city=self.city(settings), fleet=fleet, demand=demand,
            changes=self._rows(settings, replication),
            kinds=tables.kinds, cards=cards, durations=durations, travel=travel, calendar=calendar,
            policy=self._policy_of(settings, replication), slot_ranks=ranks, station_order=order, period_of_hour=period,
            is_night_of_hour=is_night, roster=self.roster(settings, replication),
            sky=self._sky(settings, replication, len(period)), waterways=self.waterways(settings, replication),
            scenes=self._scenes(settings, replication), cell_weight=self._cell_weight(settings),
            seed=settings.seed, replication=replication, own_rule=self.own_rule(settings),
        )  # fmt: skip

    def _policy_of(self, settings: Settings, replication: int) -> Policy:
        """Return the rules of a run, with what its aircraft and boats are asked for."""
        air, boats = self.air_tasks(settings), self.boat_tasks(settings, replication)
        return replace(self.policy(settings), air_tasks=air, boat_tasks=boats)

    def own_rule(self, settings: Settings) -> OwnRule | None:
        """Return the dispatch rule of one's own that the settings name, found and made once to see that it can be."""
        name = settings.dispatch.own_rule
        if not name:
            return None
        rule = find(name)
        load(rule)
        return rule

    def policy(self, settings: Settings) -> Policy:
        """Return the rules by which units are sent, moved up and rested."""
        bits, dispatch = self.demand_tables(settings).capability_bit, settings.dispatch
        if dispatch.cover_capability not in bits:
            mend = nearest_name(dispatch.cover_capability, bits)
            rule = "(dispatch.cover_capability) is not in the city's register of capabilities"
            raise InputError([Problem("settings", rule, dispatch.cover_capability, mend=mend)])
        if settings.water_supply.is_limited and WATER not in bits:
            rule = "(water_supply.is_limited) needs this capability, which the city's register does not have"
            raise InputError([Problem("settings", rule, WATER, mend="add it to capabilities.csv")])
        return Policy(
            dispatch=DISPATCH_RULES.index(dispatch.rule),
            is_escalation_on=dispatch.is_escalation_on,
            is_scene_delay_on=dispatch.is_scene_delay_on,
            is_sent_on=dispatch.is_sent_on,
            home_factor_q16=q16(1.0 / settings.times.home_speed_factor),
            make_ready_ms=ms_from_min(settings.times.make_ready_min),
            slack_ms=ms_from_s(dispatch.slack_s),
            cover_ms=ms_from_min(dispatch.cover_min),
            cover_bit=bits[dispatch.cover_capability],
            move_up=MOVE_UP_RULES.index(settings.move_up.rule),
            move_up_after_ms=ms_from_min(settings.move_up.after_min),
            move_up_most_ms=ms_from_min(settings.move_up.most_min),
            water_bit=bits[WATER] if settings.water_supply.is_limited else 0,
            help_wait_ms=ms_from_min(settings.mutual_aid.wait_min) if settings.mutual_aid.wait_min >= 0 else -1,
            rest_after_ms=ms_from_min(60 * settings.relief.rest_after_h),
            rest_ms=ms_from_min(60 * settings.relief.rest_h),
        )


def build_inputs(settings: Settings, replication: int, builder: InputsBuilder | None = None) -> RunInputs:
    """Return the inputs of one run; a `builder` that is passed again keeps what runs share."""
    return (builder or InputsBuilder()).build(settings, replication)
