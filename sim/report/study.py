"""A study directory as a report reads it: its tables, its settings, its city, and which arms stand against which.

Reads files only; a table that is not there is None and the section that needed it says so. It knows table and column
names, no city and no picture. Next: `build.py`, which puts the sections together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sim.report.texts import Bi, same

if TYPE_CHECKING:
    import pandas as pd

    from sim.city import City

HEADLINE, CLOCK = "headline", "arrival"
MAIN = "main"
_LARGE, _TOLD = ("ecdf", "towns"), [("group", "==", HEADLINE), ("clock", "==", CLOCK)]
"""Of these tables only such rows are read."""
_NO_CHOICE = frozenset({"about", "run"})
"""What an arm's file of settings holds beside what the city is."""
_FATE = frozenset({"planted", "window", "weather"})
"""Groups of settings that say what befalls the city."""
_NOT_MATCHED = frozenset({"planted", "window"})
"""Groups of settings in which two arms must agree, or hardly an incident of one is one of the other."""
_LABEL_BREAKS = "，,；;·、（(）)"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two arms that are compared: `arm` against `base`; `purpose` is the arm's, `label` the condition it stands for."""

    arm: str
    base: str
    purpose: str
    label: Bi
    is_primary: bool


Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Index:
    """Rows asked for often, by key: arms and towns by name; the headline's figures and its differences citywide.

    `headline`: (arm, metric, year, clock). `contrasts`: (arm, base, metric, year), clock arrival. `matched`: the main
    pair over the replications of another pair, by that pair: (arm, base, metric, year). `names`: (what, code).
    """

    arms: Mapping[str, Row]
    towns: Mapping[str, Bi]
    headline: Mapping[tuple[str, str, int, str], Row]
    contrasts: Mapping[tuple[str, str, str, int], Row]
    matched: Mapping[tuple[str, str, str, int], Row]
    names: Mapping[tuple[str, str], Bi]


@dataclass(frozen=True, slots=True)
class TableFiles(Mapping[str, "pd.DataFrame"]):
    """Tables by name, each read from its file when it is first asked for."""

    paths: Mapping[str, Path]
    _read: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __getitem__(self, name: str) -> pd.DataFrame:
        if name not in self._read:
            self._read[name] = _frame(self.paths[name])
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.paths)

    def __len__(self) -> int:
        return len(self.paths)


@dataclass(frozen=True, slots=True)
class Study:
    """Tables by name, settings by arm, the run directory's note (`run.json`) and the city of a study or comparison."""

    folder: Path
    tables: Mapping[str, pd.DataFrame]
    configs: Mapping[str, Mapping[str, Any]]
    note: Mapping[str, Any]
    city: City | None
    index: Index

    def table(self, name: str, *columns: str, **equal: object) -> pd.DataFrame | None:
        """Return the rows of a table in which each column given by name equals its value; None if there are none.

        `columns` are needed besides: a table without one of them counts as missing.
        """
        found = self.tables.get(name)
        if found is None or any(column not in found for column in (*columns, *equal)):
            return None
        for column, value in equal.items():
            found = found[found[column] == value]
        return None if found.empty else found

    def by_scheme(self, name: str, **equal: object) -> list[Row]:
        """Return such rows with their schemes in the study's order; none where there is no such table."""
        found = self.table(name, **equal)
        rows: list[Any] = [] if found is None else found.to_dict("records")
        order = {arm: place for place, arm in enumerate(self.arms())}
        return sorted(rows, key=lambda row: order.get(row["arm"], len(order)))

    def row(self, name: str, **equal: object) -> pd.Series[Any] | None:
        """Return the first such row, or None."""
        found = self.table(name, **equal)
        return None if found is None else found.iloc[0]

    def files(self) -> list[Path]:
        """Return the files of all tables, by name."""
        return sorted((self.folder / "tables").glob("*.parquet"))

    @property
    def states_stations(self) -> bool:
        """Whether the city itself says where its stations stand: no siting worlds, and names of their own."""
        return any(of == "station" for of, _ in self.index.names)

    @property
    def years(self) -> tuple[int, ...]:
        """The years measured, without 0, the whole window."""
        found = self.tables.get("headline")
        return () if found is None else tuple(sorted(int(y) for y in found["year"].unique() if y != 0))

    @property
    def year(self) -> int:
        """The year that page one speaks of: the last measured, by when every build has opened."""
        return self.years[-1] if self.years else 0

    def arms(self, purpose: str | None = None) -> list[str]:
        """Return the arms in the study's order, all or those of one purpose."""
        return [arm for arm, row in self.index.arms.items() if purpose in (None, row["purpose"])]

    def label(self, arm: str) -> Bi:
        """Return the arm's name."""
        row = self.index.arms.get(arm)
        return same(arm) if row is None else Bi(str(row["label_zh"]), str(row["label_en"]))

    def purpose(self, arm: str) -> str:
        """Return what the arm is for, "" where it is not said."""
        row = self.index.arms.get(arm)
        return "" if row is None else str(row["purpose"])

    def town(self, code: object) -> Bi:
        """Return a town's name, its code where no table names it."""
        return self.index.towns.get(str(code), same(code))

    def town_both(self, code: object) -> Bi:
        """Return a town's name in both languages at once, for tables."""
        name = self.town(code)
        return name if name.zh == name.en else Bi(f"{name.zh} {name.en}", f"{name.en} {name.zh}")

    def name(self, of: str, code: object) -> Bi:
        """Return what a unit_type, base or capability is called, its code where no table names it."""
        return self.index.names.get((of, str(code)), same(code))

    def place(self) -> Bi:
        """Return the city's name, empty where the city is not known."""
        return same("") if self.city is None else Bi(self.city.name_zh, self.city.name_en)

    def pairs(self) -> list[Pair]:
        """Return the pairs of arms compared, each once, in the study's order; the main one first."""
        found = self.table("contrasts", "arm", "base", "is_primary")
        if found is None:
            return []
        rows = found[["arm", "base"]].drop_duplicates()
        declared = found.loc[found["is_primary"].astype(bool), ["arm", "base"]]
        is_primary = {(str(a), str(b)) for a, b in declared.itertuples(index=False)}
        pairs = [self._pair(str(a), str(b), (str(a), str(b)) in is_primary) for a, b in rows.itertuples(index=False)]
        first = self._first(pairs)
        return [first, *(pair for pair in pairs if pair != first)]

    def main(self) -> Pair | None:
        """Return the pair that the study is about, None where nothing is compared."""
        pairs = self.pairs()
        return pairs[0] if pairs else None

    def conditions(self) -> list[Pair]:
        """Return the main pair, others of the main purpose, and the pairs that repeat it under one other condition.

        Two arms that differ in nothing but what befalls the city are no choice between schemes and left out, as are
        two that have no incident in common.
        """
        pairs = [pair for i, pair in enumerate(self.pairs()) if i == 0 or pair.purpose == self.purpose(pair.base)]
        return [p for p in pairs if not self.differs_only_in(p, _FATE) and not self.differing(p) & _NOT_MATCHED]

    def peers(self) -> list[Pair]:
        """Return the pairs that the study is about: the main one and the conditions of its purpose."""
        main = self.main()
        return [pair for pair in self.conditions() if main is not None and pair.purpose == main.purpose]

    def repeats(self) -> list[Pair]:
        """Return the pairs that repeat the main one under other conditions (staffing, policy, travel)."""
        peers = self.peers()
        return [pair for pair in self.conditions() if pair not in peers]

    def differing(self, pair: Pair) -> Set[str]:
        """Return the groups of settings in which a pair's two arms differ, as far as these are known."""
        ours, theirs = self.configs.get(pair.arm, {}), self.configs.get(pair.base, {})
        return {name for name in {*ours, *theirs} - _NO_CHOICE if ours.get(name) != theirs.get(name)}

    def differs_only_in(self, pair: Pair, groups: Set[str]) -> bool:
        """Return whether the settings of a pair's two arms differ, and in nothing but the groups named."""
        found = self.differing(pair)
        return bool(found) and found <= groups

    def is_one_fate(self) -> bool:
        """Return whether all arms meet the same incidents, as far as their settings are known."""
        arms = self.arms()
        telling = _NOT_MATCHED | {"demand"}
        return not any(self.differing(self._pair(arm, arms[0], False)) & telling for arm in arms[1:])

    def contrast(self, pair: Pair, metric: str, year: int) -> Row | None:
        """Return the row of the headline's difference citywide, or None."""
        return self.index.contrasts.get((pair.arm, pair.base, metric, year))

    def matched(self, pair: Pair, metric: str, year: int) -> Row | None:
        """Return the row of the main comparison over a condition's own replications, or None."""
        return self.index.matched.get((pair.arm, pair.base, metric, year))

    def headline(self, arm: str, metric: str, year: int, clock: str = CLOCK) -> Row | None:
        """Return the row of a headline of an arm, or None."""
        return self.index.headline.get((arm, metric, year, clock))

    def _pair(self, arm: str, base: str, is_primary: bool) -> Pair:
        return Pair(arm, base, self.purpose(arm), self._condition(arm, base), is_primary)

    def _condition(self, arm: str, base: str) -> Bi:
        """Return what the names of two arms of one condition share, else the arm's own name."""
        ours, theirs = self.label(arm), self.label(base)
        if self.purpose(base) == MAIN or self.purpose(arm) != self.purpose(base):
            return ours
        zh, en = _shared(ours.zh, theirs.zh, "，"), _shared(ours.en, theirs.en, ", ")
        return Bi(zh, en) if zh and en else ours

    def apart(self, pair: Pair) -> tuple[Bi, Bi]:
        """Return the names of a pair's arm and base without the condition that both share."""
        told = []
        for arm in (pair.arm, pair.base):
            name = self.label(arm)
            told.append(Bi(_without(name.zh, pair.label.zh), _without(name.en, pair.label.en)))
        return told[0], told[1]

    def is_condition(self, pair: Pair) -> bool:
        """Return whether a pair is named by a condition that both its arms share."""
        return pair.label != self.label(pair.arm)

    def _first(self, pairs: list[Pair]) -> Pair:
        main = [p for p in pairs if p.purpose == MAIN and self.purpose(p.base) == MAIN]
        primary = [p for p in pairs if p.is_primary]
        return (main or primary or pairs)[0]


def _without(name: str, condition: str) -> str:
    """Return a name without the condition in brackets at its end; the whole where it does not end so."""
    for mark in (f"（{condition}）", f" ({condition})"):
        name = name.removesuffix(mark)
    return name


def _shared(first: str, second: str, comma: str) -> str:
    """Return the parts between commas or brackets that both names hold; "" for names that begin alike.

    A condition stands behind the name of a scheme; what begins alike is one scheme, and the rest tells the two apart.
    """
    for mark in _LABEL_BREAKS:
        first, second = first.replace(mark, "\n"), second.replace(mark, "\n")
    others = [part.strip() for part in second.split("\n")]
    if first.split("\n")[0].strip() == others[0]:
        return ""
    return comma.join(part.strip() for part in first.split("\n") if part.strip() and part.strip() in others)


def load_study(folder: Path) -> Study:
    """Return the study in `folder`: `tables/*.parquet`, `run.json`, the arms' `config.yaml`, and the city they name.

    Raises
    ------
    InputError
        If there are no tables, or a file cannot be read; a table's file is read, and refused, when it is first used.
    """
    from sim.errors import InputError, Problem

    paths = sorted((folder / "tables").glob("*.parquet"))
    if not paths:
        mend = "run a study, or `dgsim compare`, first"
        raise InputError([Problem(str(folder / "tables"), "holds no tables", mend=mend)])
    tables = TableFiles({path.stem: path for path in paths})
    arms = [str(arm) for arm in tables["arms"]["arm"]] if "arms" in tables else []
    note = _note(folder / "run.json")
    told = note.get("arms") or {}
    places = {arm: folder / str((told.get(arm) or {}).get("folder", f"arms/{arm}")) for arm in arms}
    configs = {arm: _config(place / "config.yaml") for arm, place in places.items()}
    whole = _config(folder / "config.yaml")
    configs = {arm: config or whole for arm, config in configs.items()} or {"": whole}
    city = _city(next(iter(configs.values())))
    return Study(folder, tables, configs, note, city, _index(tables, city))


def _index(tables: Mapping[str, pd.DataFrame], city: City | None) -> Index:
    towns = (
        {} if city is None else dict(zip(city.towns.code, map(Bi, city.towns.name_zh, city.towns.name_en), strict=True))
    )
    towns |= {r["town"]: Bi(r["name_zh"], r["name_en"]) for r in _records(tables, "town_names")}
    arms = {str(r["arm"]): r for r in _records(tables, "arms")}
    headline = _records(tables, "headline", group=HEADLINE)
    contrasts = _records(tables, "contrasts", group=HEADLINE, scope="city", clock=CLOCK)
    return Index(
        arms,
        towns,
        {(r["arm"], r["metric"], int(r["year"]), r["clock"]): r for r in headline},
        {(r["arm"], r["base"], r["metric"], int(r["year"])): r for r in contrasts},
        {(r["arm"], r["base"], r["metric"], int(r["year"])): r for r in _records(tables, "matched")},
        {(r["of"], r["code"]): Bi(r["name_zh"], r["name_en"]) for r in _records(tables, "names")},
    )


def _records(tables: Mapping[str, pd.DataFrame], name: str, **equal: str) -> list[dict[str, Any]]:
    """Return the rows of a table with these values; none where the table, or one of the columns, is not there."""
    found = tables.get(name)
    if found is None or any(column not in found for column in equal):
        return []
    for column, value in equal.items():
        found = found[found[column] == value]
    return [{str(key): value for key, value in row.items()} for row in found.to_dict("records")]


def n_rows(path: Path) -> int:
    """Return the number of rows of a table's file."""
    import pyarrow.parquet as pq

    return int(pq.read_metadata(path).num_rows)


def _frame(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from sim.errors import InputError, Problem

    try:
        filters = _TOLD if path.stem in _LARGE and {"group", "clock"} <= set(pq.read_schema(path).names) else None
        frame: pd.DataFrame = pq.read_table(path, use_threads=False, filters=filters).to_pandas()
    except (OSError, pa.ArrowInvalid) as error:
        problem = Problem(str(path), f"cannot be read as Parquet ({error})", mend="make the tables again")
        raise InputError([problem]) from error
    return frame


def _config(path: Path) -> dict[str, Any]:
    """Return the settings in a YAML, without `about` (the table `assumptions` tells that); {} where there is none."""
    import yaml

    from sim.errors import InputError, Problem

    if not path.is_file():
        return {}
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        problem = Problem(str(path), f"cannot be read as YAML ({error})", mend="restore the file")
        raise InputError([problem]) from error
    return {key: value for key, value in content.items() if key != "about"} if isinstance(content, dict) else {}


def _note(path: Path) -> dict[str, Any]:
    from sim.errors import InputError, Problem

    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError([Problem(str(path), f"cannot be read ({error})", mend="restore the file")]) from error
    return content if isinstance(content, dict) else {}


def _city(config: Mapping[str, Any]) -> City | None:
    from sim.city import load_city
    from sim.settings import find_city

    choice = config.get("city")
    name = choice.get("folder") if isinstance(choice, Mapping) else choice
    folder = find_city(str(name)) if name else None
    return load_city(folder) if folder is not None and (folder / "city.yaml").is_file() else None
