"""Incidents and their needs: called, served or waiting, revealed, outgrown, over."""

from __future__ import annotations

from . import choice, ways
from .codes import AIR, EVENTS
from .parts import AT_SCENE, SENT, Incident, Slot, Unit


class Needs:
    """What happens to incidents; a part of `loop.City`."""

    def on_call(self, entity: int, _: int) -> None:
        incident = self.incidents[entity]
        incident.is_called = True
        self.tell("CALL", incident=entity, value=incident.call_ms)
        village_ms = int(self.inputs.scenes.village_ms[entity])
        if village_ms >= 0:
            self.tell("VILLAGE", incident=entity, value=incident.call_ms + village_ms)
        self.plan_escalation(incident)
        self.open_needs(incident)

    def open_needs(self, incident: Incident) -> None:
        """Open what the known kind asks for at the known grade and is not open yet, in the order of the card."""
        for slot in incident.true_slots if self.is_true_card(incident) else incident.told_slots:
            if slot.from_grade <= incident.known_grade and not slot.is_open:
                slot.is_open, slot.since_ms = True, self.now
                if not self.serve(slot):
                    self.tell("WAIT", incident=incident.id, slot=slot.number, value=slot.capability)
                    if self.policy.help_wait_ms >= 0:
                        self.plan(self.now + self.policy.help_wait_ms, "POLICY", len(self.stations) + incident.id)
                    self.await_flight()

    @staticmethod
    def is_true_card(incident: Incident) -> bool:
        return incident.known_kind == incident.true_kind

    def await_flight(self) -> None:
        """Let what waits be offered again as the next window opens for an aircraft that is asked for some of it."""
        windows = [
            ways.next_window_ms(self, unit, slot.incident.cell, self.now)
            for slot in self.waiting() for unit in self.units
            if unit.mode == AIR and unit.can(slot.capability) and choice.is_asked(self, unit, slot)
            and ways.is_in_range(self, unit, slot.incident.cell)
        ]  # fmt: skip
        windows = [at for at in windows if at >= 0]
        event = (min(windows, default=-1), EVENTS.index("POLICY"), len(self.stations) + len(self.incidents), 0)
        if windows and event not in self.pending:
            self.pending.append(event)

    def serve(self, slot: Slot) -> bool:
        unit, expected_ms = choice.choose(self, slot, self.now)
        if unit is None:
            return False
        self.send(unit, slot, expected_ms)
        return True

    def serve_waiting(self) -> None:
        """Offer what is free to the needs that wait: by priority, call time, id and place in the card."""
        for slot in self.waiting():
            self.serve(slot)

    def waiting(self) -> list[Slot]:
        """Return the needs that wait, in the order in which they are served."""
        waiting = [slot for incident in self.incidents for slot in incident.slots if slot.waits]
        priority = self.inputs.kinds.priority
        return sorted(
            waiting, key=lambda s: (int(priority[s.incident.known_kind]), s.incident.call_ms, s.incident.id, s.number)
        )

    def hand_over(self, incident: Incident, came_for: Slot) -> None:
        """Give units sent for the told kind to needs of the true one: whoever is there first, then by the told card."""
        if incident.told_kind == incident.true_kind:
            self.take_need(incident, came_for)
        for need in incident.true_slots:
            if need.from_grade <= incident.grade:
                able = [old for old in incident.told_slots if old.unit is not None and old.unit.can(need.capability)]
                able.sort(key=lambda old: (old.unit is not None and old.unit.status != AT_SCENE, old.number))
                if able and able[0].unit is not None:
                    need.unit, able[0].unit.slot, able[0].unit, able[0].is_open = able[0].unit, need, None, False
                    need.is_open = True

    @staticmethod
    def take_need(incident: Incident, came_for: Slot) -> None:
        """Let who came for what is no need take the first it can serve, who was sent for that the next, and so on."""
        if came_for.from_grade <= incident.grade:
            return
        moved, came_for.unit = came_for.unit, None
        for need in incident.true_slots:
            if moved is not None and need.from_grade <= incident.grade and moved.can(need.capability):
                displaced, need.unit, moved.slot = need.unit, moved, need
                moved = displaced
        came_for.unit, came_for.is_open = moved, moved is not None
        if moved is not None:
            moved.slot = came_for

    def reveal(self, unit: Unit, slot: Slot) -> None:
        """Show the true kind and grade: turn back and drop what is too much, open what lacks."""
        incident = slot.incident
        self.tell_of("REVEAL", unit, slot, incident.true_kind * 8 + incident.grade)
        incident.is_revealed = True
        for old in incident.slots:
            is_needed = old in incident.true_slots and old.from_grade <= incident.grade
            if old.is_open and not is_needed and (old.unit is None or old.unit.status in SENT):
                if old.unit is not None:
                    self.turn_back(old.unit)
                old.is_open = False
        self.open_needs(incident)

    def tell_if_met(self, incident: Incident) -> None:
        critical = [s.capability for s in incident.true_slots if s.from_grade <= incident.grade and s.is_critical]
        instants = [0]
        for capability in sorted(set(critical)):
            there = sorted(
                s.works_from_ms for s in incident.slots if s.capability == capability and s.works_from_ms >= 0
            )
            if len(there) < critical.count(capability):
                return
            instants.append(there[critical.count(capability) - 1])
        if incident.met_ms < 0 or max(instants) < incident.met_ms:
            incident.met_ms = max(instants)
            self.tell("MET", incident=incident.id, value=incident.met_ms)

    def plan_escalation(self, incident: Incident) -> None:
        if not self.policy.is_escalation_on:
            return
        latent_ms = ways.latent_ms(self, incident)
        if latent_ms >= 0:
            self.plan(max(self.now, incident.call_ms + latent_ms), "ESCALATE", incident.id, incident.grade)

    def on_escalate(self, entity: int, grade: int) -> None:
        incident = self.incidents[entity]
        if incident.is_closed or incident.grade != grade or 0 <= incident.met_ms <= self.now:
            return
        incident.grade += 1
        incident.met_ms = -1
        self.tell("ESCALATE", incident=entity, value=incident.grade)
        for unit in self.units:
            if unit.slot is not None and unit.slot.incident is incident and unit.status == AT_SCENE:
                self.plan_clear(unit)
        self.plan_escalation(incident)
        if incident.is_revealed:
            self.open_needs(incident)
            self.tell_if_met(incident)
        self.serve_waiting()

    def close_if_over(self, incident: Incident) -> None:
        if incident.is_closed or any(u.slot is not None and u.slot.incident is incident for u in self.units):
            return
        incident.is_closed = True
        self.give_up([slot for slot in self.waiting() if slot.incident is incident])
        self.tell("CLOSED", incident=incident.id)

    def give_up(self, slots: list[Slot]) -> None:
        for slot in slots:
            slot.is_open = False
            self.tell("UNFILLED", incident=slot.incident.id, slot=slot.number, value=slot.capability)
