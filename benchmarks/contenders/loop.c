/* The common workload as a plain loop in C: the limit of one core for this algorithm.
 *
 * Reads the arrays that the engine's world is built of, keeps its own small structs, and writes the same event rows in
 * the same order. It knows the plain course only: see `plain.py` for what an input must not have. Times are whole
 * milliseconds, factors are in 1/65536. Rows are LOG_DTYPE, kinds of row those of `LogKind`.
 *
 * With IS_FETCHING, what coming calls and ways home will read is asked from memory ahead of time: a third of the plain
 * loop's time is waiting for it.
 */
#include <stdint.h>

#ifndef IS_FETCHING
#define IS_FETCHING 0
#endif

enum { ROW_CHANGE = 1, ROW_CALL, ROW_DISPATCH, ROW_WAIT, ROW_ENROUTE, ROW_ARRIVE, ROW_REVEAL, ROW_CLEAR = 9, ROW_HOME,
       ROW_AVAILABLE, ROW_UNFILLED = 13, ROW_MET, ROW_CLOSED, ROW_END };
enum { STATION_CLOSE, STATION_OPEN, UNIT_WITHDRAW, UNIT_IN_SERVICE, STATION_PEOPLE };
enum { TURNOUT, TRAVEL, ACCESS, SCENE };
/* Kinds of event in the calendar, in the order in which they happen at one instant. */
enum { AVAILABLE = 2, HOME, CLEAR, ARRIVE = 7, ENROUTE };

#define MS_PER_H 3600000
#define NEVER INT64_MAX
#define LEVEL 1024
#define TABLE (3 * LEVEL)
/* An event is one word: 40 bits of time, 4 of kind, 20 of unit. Words sort as the events do. */
#define KIND_SHIFT 20
#define TIME_SHIFT 24
#define UNIT_MASK ((1 << KIND_SHIFT) - 1)

typedef struct { int64_t time_ms, value; int32_t incident, unit, mission; int16_t slot, kind; } Row;
typedef struct { int64_t time_ms, value; int32_t kind, entity; } Change;
typedef struct { int32_t station, to_ms, home_ms; } Road;
typedef struct { int32_t capability, from_grade, is_critical, spare; } Need;
typedef struct { int32_t cell, first_unit, end_unit, people_free; int32_t is_open; } Station;
typedef struct {
    uint64_t capabilities;
    int32_t callout_ms, crew_min, crew_preferred, crew;
    int32_t station, incident, slot, mission;
    int64_t arrive_ms;
    int32_t ready_ms, access_ms;
    uint8_t is_in_bay, is_fit;
} Unit;
typedef struct {
    int64_t call_ms, due_ms, met_ms;
    int32_t first_slot, cell, travel_factor, kind, grade, priority, n_active, n_waiting;
    uint8_t is_revealed;
} Incident;

typedef struct {
    int64_t n_changes, n_calls, n_hours, n_cells, n_stations, make_ready_ms, home_factor, noise_table;
    const Change *changes;
    const int32_t *call_order, *quantiles, *card_start, *n_needs;
    const Road *roads; /* [period][cell][place]: the stations in order of driving time, and the way home to each */
    const int16_t *turnout_table, *access_table, *scene_table;
    const int8_t *period_of_hour, *turnout_row;
    const int64_t *turnout_mean_ms, *turnout_least_ms;
    const uint32_t *slot_ranks;
    const Need *needs;
    Station *stations;
    Unit *units;
    Incident *incidents;
    int64_t *working_ms; /* by slot: when its unit is at work, NEVER before it has come */
    int32_t *waiting;    /* slots that wait, first served first */
    int32_t *slot_incident;
    uint64_t *heap;
    Row *log;
} World;

typedef struct { World w; Row *row; int64_t n_heap, n_waiting, n_open; } Run;

/* --- calendar and log ------------------------------------------------------------------------------------------- */

static inline void push(Run *r, int64_t time_ms, int64_t kind, int64_t unit) {
    uint64_t *heap = r->w.heap, event = (uint64_t)time_ms << TIME_SHIFT | (uint64_t)kind << KIND_SHIFT | (uint64_t)unit;
    int64_t at = r->n_heap++;
    while (at > 0 && event < heap[(at - 1) >> 1]) {
        heap[at] = heap[(at - 1) >> 1];
        at = (at - 1) >> 1;
    }
    heap[at] = event;
}

static inline void drop_first(Run *r) {
    uint64_t *heap = r->w.heap, last = heap[--r->n_heap];
    int64_t at = 0, below, n = r->n_heap;
    while ((below = 2 * at + 1) < n) {
        if (below + 1 < n && heap[below + 1] < heap[below]) below++;
        if (last <= heap[below]) break;
        heap[at] = heap[below];
        at = below;
    }
    heap[at] = last;
}

static inline void write(Run *r, int64_t now, int kind, int32_t incident, int32_t slot, int32_t unit, int64_t value) {
    Row *row = r->row++;
    row->time_ms = now;
    row->value = value;
    row->incident = incident;
    row->unit = unit;
    row->mission = unit < 0 ? -1 : r->w.units[unit].mission;
    row->slot = (int16_t)slot;
    row->kind = (int16_t)kind;
}

/* --- tables ----------------------------------------------------------------------------------------------------- */

static inline int64_t hour_of(const World *w, int64_t now) {
    int64_t hour = now / MS_PER_H;
    return hour < w->n_hours ? hour : w->n_hours - 1;
}

static inline int64_t look_up(const World *w, int64_t table, uint32_t rank) {
    const int32_t *values = w->quantiles + table * TABLE;
    uint32_t bin = rank >> 22;
    if (bin < LEVEL - 1) return values[bin];
    bin = rank >> 12 & (LEVEL - 1);
    if (bin < LEVEL - 1) return values[LEVEL + bin];
    return values[2 * LEVEL + (rank >> 2 & (LEVEL - 1))];
}

static inline const Road *roads_to(const World *w, int64_t now, int64_t cell) {
    return w->roads + (w->period_of_hour[hour_of(w, now)] * w->n_cells + cell) * w->n_stations;
}

static inline const Road *road_between(const World *w, int64_t now, int64_t cell, int32_t station) {
    const Road *road = roads_to(w, now, cell);
    while (road->station != station) road++;
    return road;
}

/* --- what will be read soon ------------------------------------------------------------------------------------- */

static inline void fetch_roads(const World *w, int64_t now, int64_t cell) {
    const Road *road = roads_to(w, now, cell);
    if (!IS_FETCHING) return;
    __builtin_prefetch(road);
    __builtin_prefetch((const char *)road + 64);
}

/* What a call further on will read. */
static inline void fetch_call(const World *w, int64_t next_call) {
    enum { FURTHER = 3 };
    if (!IS_FETCHING || next_call + FURTHER >= w->n_calls) return;
    const Incident *it = &w->incidents[w->call_order[next_call + FURTHER]];
    fetch_roads(w, it->due_ms, it->cell);
    __builtin_prefetch(&w->slot_ranks[4 * (int64_t)it->first_slot]);
    __builtin_prefetch(&w->working_ms[it->first_slot]);
}

/* --- who goes --------------------------------------------------------------------------------------------------- */

static inline int32_t ready_unit(const World *w, const Station *station, int32_t capability) {
    int32_t best = -1;
    for (int32_t unit = station->first_unit; unit < station->end_unit; unit++) {
        const Unit *it = &w->units[unit];
        if (!it->is_in_bay || !it->is_fit || it->crew_min > station->people_free) continue;
        if (!(it->capabilities >> capability & 1)) continue;
        if (best < 0 || it->callout_ms < w->units[best].callout_ms) best = unit;
    }
    return best;
}

/* The unit with the earliest expected arrival, -1 if none can go; stations come in order of driving time. */
static int32_t nearest(const World *w, int64_t now, int64_t cell, int32_t capability, int64_t *expected_ms) {
    int64_t row = w->turnout_row[hour_of(w, now)], best_ms = NEVER;
    int64_t least_ms = w->turnout_least_ms[row];
    const int64_t *turnout_ms = w->turnout_mean_ms + row * w->n_stations;
    const Road *road = roads_to(w, now, cell), *end = road + w->n_stations;
    int32_t best = -1;
    for (; road < end; road++) {
        const Station *station = &w->stations[road->station];
        if (least_ms + road->to_ms > best_ms) break;
        if (!station->is_open) continue;
        int32_t unit = ready_unit(w, station, capability);
        if (unit < 0) continue;
        int64_t arrival_ms = turnout_ms[road->station] + w->units[unit].callout_ms + road->to_ms;
        if (arrival_ms < best_ms || (arrival_ms == best_ms && unit < best)) best = unit, best_ms = arrival_ms;
    }
    *expected_ms = best_ms;
    return best;
}

/* --- needs ------------------------------------------------------------------------------------------------------ */

static inline int32_t crew_for(const World *w, const Station *station, int32_t unit) {
    int32_t spare = station->people_free;
    for (int32_t other = station->first_unit; other < station->end_unit; other++)
        if (other != unit && w->units[other].is_in_bay && w->units[other].is_fit) spare -= w->units[other].crew_min;
    if (spare > w->units[unit].crew_preferred) spare = w->units[unit].crew_preferred;
    return spare > w->units[unit].crew_min ? spare : w->units[unit].crew_min;
}

static void assign(Run *r, int64_t now, int32_t incident, int32_t slot, int32_t unit, int64_t expected_ms) {
    const World *w = &r->w;
    Unit *it = &w->units[unit];
    Station *station = &w->stations[it->station];
    int64_t table = w->turnout_table[w->turnout_row[hour_of(w, now)] * w->n_stations + it->station];
    w->incidents[incident].n_active++;
    it->crew = crew_for(w, station, unit);
    station->people_free -= it->crew;
    it->is_in_bay = 0;
    it->mission++;
    it->incident = incident;
    it->slot = slot;
    write(r, now, ROW_DISPATCH, incident, slot - w->incidents[incident].first_slot, unit, expected_ms);
    push(r, now + look_up(w, table, w->slot_ranks[4 * (int64_t)slot + TURNOUT]) + it->callout_ms, ENROUTE, unit);
}

static inline int32_t capability_of(const World *w, const Incident *it, int32_t slot) {
    return w->needs[w->card_start[it->kind] + slot - it->first_slot].capability;
}

static int goes_before(const World *w, int32_t a, int32_t b) {
    const Incident *first = &w->incidents[w->slot_incident[a]], *second = &w->incidents[w->slot_incident[b]];
    if (first->priority != second->priority) return first->priority < second->priority;
    if (first->call_ms != second->call_ms) return first->call_ms < second->call_ms;
    return a < b;
}

static void enqueue(Run *r, int32_t incident, int32_t slot) {
    int64_t at = r->n_waiting++;
    r->w.slot_incident[slot] = incident;
    for (; at > 0 && goes_before(&r->w, slot, r->w.waiting[at - 1]); at--) r->w.waiting[at] = r->w.waiting[at - 1];
    r->w.waiting[at] = slot;
    r->w.incidents[incident].n_waiting++;
}

static void dequeue(Run *r, int64_t at) {
    r->w.incidents[r->w.slot_incident[r->w.waiting[at]]].n_waiting--;
    for (r->n_waiting--; at < r->n_waiting; at++) r->w.waiting[at] = r->w.waiting[at + 1];
}

static void serve_waiting(Run *r, int64_t now) {
    const World *w = &r->w;
    for (int64_t at = 0; at < r->n_waiting;) {
        int32_t slot = w->waiting[at], incident = w->slot_incident[slot];
        const Incident *it = &w->incidents[incident];
        int64_t expected_ms;
        int32_t unit = nearest(w, now, it->cell, capability_of(w, it, slot), &expected_ms);
        if (unit < 0) {
            at++;
            continue;
        }
        dequeue(r, at);
        assign(r, now, incident, slot, unit, expected_ms);
    }
}

static void give_up(Run *r, int64_t now, int64_t at) {
    int32_t slot = r->w.waiting[at], incident = r->w.slot_incident[slot];
    const Incident *it = &r->w.incidents[incident];
    dequeue(r, at);
    write(r, now, ROW_UNFILLED, incident, slot - it->first_slot, -1, capability_of(&r->w, it, slot));
}

/* The instant from which the critical task is met: for each critical capability as many units at work as it has
 * critical needs; NEVER while one of them has too few. */
static int64_t met_instant(const World *w, const Incident *it) {
    const Need *card = &w->needs[w->card_start[it->kind]];
    const int64_t *working_ms = w->working_ms + it->first_slot;
    int32_t n_needs = w->n_needs[it->kind * 8 + it->grade];
    int64_t latest_ms = 0;
    for (int32_t place = 0; place < n_needs; place++) {
        if (!card[place].is_critical) continue;
        int32_t n_earlier = 0;
        for (int32_t other = 0; other < place; other++)
            n_earlier += card[other].is_critical && card[other].capability == card[place].capability;
        int64_t nth_ms = NEVER; /* the one that exactly n_earlier of the same capability precede */
        for (int32_t slot = 0; slot < n_needs && nth_ms == NEVER; slot++) {
            if (card[slot].capability != card[place].capability || working_ms[slot] == NEVER) continue;
            int32_t n_before = 0;
            for (int32_t other = 0; other < n_needs; other++)
                n_before += card[other].capability == card[place].capability &&
                    (working_ms[other] < working_ms[slot] || (working_ms[other] == working_ms[slot] && other < slot));
            if (n_before == n_earlier) nth_ms = working_ms[slot];
        }
        if (nth_ms == NEVER) return NEVER;
        if (nth_ms > latest_ms) latest_ms = nth_ms;
    }
    return latest_ms;
}

/* --- one function per event ------------------------------------------------------------------------------------- */

static inline void on_call(Run *r, int64_t now, int32_t incident) {
    const World *w = &r->w;
    const Incident *it = &w->incidents[incident];
    const Need *card = &w->needs[w->card_start[it->kind]];
    r->n_open++;
    write(r, now, ROW_CALL, incident, -1, -1, it->call_ms);
    for (int32_t number = 0; number < w->n_needs[it->kind * 8 + it->grade]; number++) {
        int64_t expected_ms;
        int32_t unit = nearest(w, now, it->cell, card[number].capability, &expected_ms);
        if (unit >= 0) {
            assign(r, now, incident, it->first_slot + number, unit, expected_ms);
        } else {
            write(r, now, ROW_WAIT, incident, number, -1, card[number].capability);
            enqueue(r, incident, it->first_slot + number);
        }
    }
}

static inline void on_enroute(Run *r, int64_t now, int32_t unit) {
    const World *w = &r->w;
    const Unit *it = &w->units[unit];
    const Incident *incident = &w->incidents[it->incident];
    int64_t trip_ms = road_between(w, now, incident->cell, it->station)->to_ms;
    trip_ms = (trip_ms * incident->travel_factor) >> 16;
    trip_ms = (trip_ms * look_up(w, w->noise_table, w->slot_ranks[4 * (int64_t)it->slot + TRAVEL])) >> 16;
    write(r, now, ROW_ENROUTE, it->incident, it->slot - incident->first_slot, unit, it->crew);
    push(r, now + trip_ms, ARRIVE, unit);
}

static inline void on_arrive(Run *r, int64_t now, int32_t unit) {
    const World *w = &r->w;
    Unit *it = &w->units[unit];
    Incident *incident = &w->incidents[it->incident];
    const uint32_t *ranks = w->slot_ranks + 4 * (int64_t)it->slot;
    int32_t number = it->slot - incident->first_slot;
    int64_t access_ms = it->access_ms;
    if (access_ms < 0) access_ms = look_up(w, w->access_table[incident->kind], ranks[ACCESS]);
    it->arrive_ms = now;
    fetch_roads(w, now, incident->cell);
    w->working_ms[it->slot] = now + access_ms;
    write(r, now, ROW_ARRIVE, it->incident, number, unit, access_ms);
    if (!incident->is_revealed) {
        incident->is_revealed = 1;
        write(r, now, ROW_REVEAL, it->incident, number, unit, incident->kind * 8 + incident->grade);
    }
    push(r, now + look_up(w, w->scene_table[incident->kind * 6 + incident->grade], ranks[SCENE]), CLEAR, unit);
    if (incident->met_ms > now + access_ms) {
        int64_t met_ms = met_instant(w, incident);
        if (met_ms < incident->met_ms) {
            incident->met_ms = met_ms;
            write(r, now, ROW_MET, it->incident, -1, -1, met_ms);
        }
    }
}

static inline void on_clear(Run *r, int64_t now, int32_t unit) {
    const World *w = &r->w;
    const Unit *it = &w->units[unit];
    Incident *incident = &w->incidents[it->incident];
    int64_t home_ms = road_between(w, now, incident->cell, it->station)->home_ms;
    write(r, now, ROW_CLEAR, it->incident, it->slot - incident->first_slot, unit, now - it->arrive_ms);
    push(r, now + ((home_ms * w->home_factor) >> 16), HOME, unit);
    if (--incident->n_active > 0) return;
    for (int64_t at = 0; incident->n_waiting > 0;) {
        if (w->slot_incident[w->waiting[at]] == it->incident) give_up(r, now, at);
        else at++;
    }
    r->n_open--;
    write(r, now, ROW_CLOSED, it->incident, -1, -1, -1);
}

static inline void on_home(Run *r, int64_t now, int32_t unit) {
    Unit *it = &r->w.units[unit];
    r->w.stations[it->station].people_free += it->crew;
    it->crew = 0;
    write(r, now, ROW_HOME, -1, -1, unit, -1);
    push(r, now + (it->ready_ms < 0 ? r->w.make_ready_ms : it->ready_ms), AVAILABLE, unit);
    if (r->n_waiting > 0) serve_waiting(r, now);
}

static inline void on_available(Run *r, int64_t now, int32_t unit) {
    r->w.units[unit].is_in_bay = 1;
    write(r, now, ROW_AVAILABLE, -1, -1, unit, -1);
    if (r->n_waiting > 0) serve_waiting(r, now);
}

/* Free are those on duty less those out, so a new number on duty shifts the free ones by the difference. */
static void on_change(Run *r, int64_t now, int32_t number, int32_t *people_on_duty) {
    const Change *change = &r->w.changes[number];
    if (change->kind == STATION_CLOSE || change->kind == STATION_OPEN) {
        r->w.stations[change->entity].is_open = change->kind == STATION_OPEN;
    } else if (change->kind == UNIT_WITHDRAW || change->kind == UNIT_IN_SERVICE) {
        r->w.units[change->entity].is_fit = change->kind == UNIT_IN_SERVICE;
    } else if (change->kind == STATION_PEOPLE) {
        r->w.stations[change->entity].people_free += (int32_t)change->value - people_on_duty[change->entity];
        people_on_duty[change->entity] = (int32_t)change->value;
    }
    write(r, now, ROW_CHANGE, number, -1, -1, change->value);
    if (r->n_waiting > 0) serve_waiting(r, now);
}

/* Play the run; return the number of rows written. `people_on_duty`: by station, all zero. */
int64_t play(const World *world, int32_t *people_on_duty) {
    Run run = {*world, world->log, 0, 0, 0}, *r = &run;
    const World *w = &r->w;
    int64_t next_call = 0, next_change = 0, now = 0;
    for (;;) {
        int64_t call_ms = next_call < w->n_calls ? w->incidents[w->call_order[next_call]].due_ms : NEVER;
        int64_t change_ms = next_change < w->n_changes ? w->changes[next_change].time_ms : NEVER;
        int64_t event_ms = r->n_heap > 0 ? (int64_t)(w->heap[0] >> TIME_SHIFT) : NEVER;
        if (change_ms <= event_ms && change_ms <= call_ms) { /* at one instant: changes, then units, then calls */
            if (change_ms == NEVER) break;
            now = change_ms;
            on_change(r, now, (int32_t)next_change++, people_on_duty);
        } else if (event_ms <= call_ms) {
            int kind = (int)(w->heap[0] >> KIND_SHIFT & 15);
            int32_t unit = (int32_t)(w->heap[0] & UNIT_MASK);
            now = event_ms;
            drop_first(r);
            switch (kind) {
            case ENROUTE: on_enroute(r, now, unit); break;
            case ARRIVE: on_arrive(r, now, unit); break;
            case CLEAR: on_clear(r, now, unit); break;
            case HOME: on_home(r, now, unit); break;
            case AVAILABLE: on_available(r, now, unit); break;
            }
        } else {
            now = call_ms;
            fetch_call(w, next_call);
            on_call(r, now, w->call_order[next_call++]);
        }
    }
    while (r->n_waiting > 0) give_up(r, now, 0);
    write(r, now, ROW_END, -1, -1, -1, r->n_open);
    return r->row - w->log;
}
