"""A study directory with made-up numbers in the schema of a comparison's tables, on the example city."""

from __future__ import annotations

import csv
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sim.report import load_study, render

YEARS = (2022, 2023, 2024, 2025, 2026)
ARMS = (
    ("nothing", "不新建", "build nothing", "main"),
    ("plan", "按规划建设", "build as planned", "main"),
    ("nothing_026", "不新建（人员恒定 0.26‰）", "build nothing (staff constant at 0.26 permille)", "staffing"),
    ("plan_026", "按规划建设（人员恒定 0.26‰）", "build as planned (staff constant at 0.26 permille)", "staffing"),
    ("nothing_own", "不新建（属地优先）", "build nothing (own town first)", "policy"),
    ("plan_own", "按规划建设（属地优先）", "build as planned (own town first)", "policy"),
    ("nothing_norm", "不新建（标准车速）", "build nothing (norm speeds)", "travel"),
    ("plan_norm", "按规划建设（标准车速）", "build as planned (norm speeds)", "travel"),
    ("nothing_congested", "不新建（拥堵车速）", "build nothing (congested speeds)", "travel"),
    ("plan_congested", "按规划建设（拥堵车速）", "build as planned (congested speeds)", "travel"),
    ("plan_january", "按规划建设，一月启用", "build as planned, opening in January", "opening"),
    ("plan_december", "按规划建设，十二月启用", "build as planned, opening in December", "opening"),
)
REPEATED = ("plan", "plan_026", "plan_own", "plan_norm", "plan_congested")
PAIRS = (
    *((arm, arm.replace("plan", "nothing")) for arm in REPEATED),
    ("plan_january", "plan"),
    ("plan_december", "plan"),
)
METRICS = ("p50", "p80", "p90", "p95", "mean", "share_300", "share_480", "share_600")
N = 30
SPEED = {"norm": 0.82, "congested": 1.35}

Rows = list[dict[str, Any]]


def scale(arm: str, year: int) -> float:
    """Made-up typical seconds of an arm in a year."""
    slow = next((factor for name, factor in SPEED.items() if arm.endswith(name)), 1.0)
    built = 0.055 * min(max(year - 2021, 0), 4) if arm.startswith("plan") and year else 0.12 * arm.startswith("plan")
    own = 1.03 if arm.endswith("own") else 1.0
    return 330 * slow * own * (1 - built)


def value(metric: str, seconds: float) -> float:
    """A metric of a made-up distribution: gamma-like with that typical time."""
    if metric.startswith("share_"):
        return float(1 - np.exp(-((int(metric[6:]) / (seconds * 1.18)) ** 2.6)))
    return seconds * {"p50": 1.0, "p80": 1.4, "p90": 1.62, "p95": 1.9, "mean": 1.08}[metric]


def around(row: dict[str, Any], key: str, wide: float, mc: float) -> dict[str, Any]:
    """Add a total and a Monte Carlo interval around row[key]."""
    v = row[key]
    return row | {
        "low": v - wide,
        "high": v + wide,
        "mc_low": v - mc,
        "mc_high": v + mc,
        "siting_sd": wide / 2.3,
        "mc_sd": mc / 2,
    }


def arms_table() -> Rows:
    return [
        {
            "arm": a,
            "label_zh": z,
            "label_en": e,
            "purpose": p,
            "first_line_zh": f"{z}。",
            "first_line_en": f"{e.capitalize()}.",
            "n_replications": N if p == "main" else 10,
            "overrides": "{}",
        }
        for a, z, e, p in ARMS
    ]


def headline_table() -> Rows:
    rows: Rows = []
    for arm, _, _, purpose in ARMS:
        for year in (0, *YEARS):
            for clock in ("arrival", "critical", "full_alarm", "call_to_arrival"):
                late = {"arrival": 0, "critical": 20, "full_alarm": 160, "call_to_arrival": 55}[clock]
                for metric in METRICS:
                    v = value(metric, scale(arm, year) + late)
                    width = 0.012 if metric.startswith("share") else 9.0
                    row = {"arm": arm, "year": year, "group": "headline", "metric": metric, "clock": clock, "value": v}
                    rows.append(
                        around(row, "value", width, width / 3)
                        | {
                            "n_incidents": 8_200 * N if year else 41_000 * N,
                            "n_replications": N if purpose == "main" else 10,
                        }
                    )
    return rows


def towns_table(towns: list[str], factors: np.ndarray) -> Rows:
    rows: Rows = []
    for arm, *_ in ARMS[:2]:
        for year in (0, *YEARS):
            for i, town in enumerate(towns):
                for metric in METRICS:
                    v = value(metric, scale(arm, year) * factors[i])
                    w = 0.03 if metric.startswith("share") else 22.0
                    rows.append(
                        {
                            "arm": arm,
                            "year": year,
                            "town": town,
                            "group": "headline",
                            "clock": "arrival",
                            "metric": metric,
                            "value": v,
                            "low": v - w,
                            "high": v + w,
                            "n_incidents": 240 * N,
                        }
                    )
    return rows


def contrasts_table(towns: list[str], factors: np.ndarray, gains: np.ndarray) -> Rows:
    rows: Rows = []
    for arm, base in PAIRS:
        for year in (0, *YEARS):
            for metric in ("p50", "p90", "mean", "share_300", "share_600"):
                d = value(metric, scale(arm, year)) - value(metric, scale(base, year))
                if arm in ("plan_january", "plan_december"):
                    d = {"plan_january": -1, "plan_december": 1}[arm] * (0.004 if metric.startswith("share") else -6.0)
                w = 0.011 if metric.startswith("share") else 8.0
                primary = arm == "plan" and year == 2026 and metric in ("p50", "p90", "share_300")
                rows.append(
                    {
                        "contrast": f"{arm}_{metric}_{year}",
                        "arm": arm,
                        "base": base,
                        "year": year,
                        "scope": "city",
                        "town": "",
                        "group": "headline",
                        "clock": "arrival",
                        "metric": metric,
                        "diff": d,
                        "low": d - w,
                        "high": d + w,
                        "p_value": 0.0004,
                        "p_adjusted": 0.0012,
                        "is_primary": primary,
                        "static_diff": d * 0.9,
                        "congestion_diff": d * 0.1,
                        "n_pairs": N,
                        "n_incidents": 8_200 * N,
                        "share_faster": 0.31,
                        "share_slower": 0.04,
                    }
                )
    for year in (0, *YEARS):
        for i, town in enumerate(towns):
            for metric in ("p50", "p90", "share_300"):
                d = (
                    value(metric, scale("plan", year) * factors[i]) - value(metric, scale("nothing", year) * factors[i])
                ) * gains[i]
                w = 0.02 if metric.startswith("share") else 18.0
                rows.append(
                    {
                        "contrast": "plan_vs_nothing",
                        "arm": "plan",
                        "base": "nothing",
                        "year": year,
                        "scope": "town",
                        "town": town,
                        "group": "headline",
                        "clock": "arrival",
                        "metric": metric,
                        "diff": d,
                        "low": d - w,
                        "high": d + w,
                        "p_value": 0.2,
                        "p_adjusted": np.nan,
                        "is_primary": False,
                        "static_diff": d * 0.9,
                        "congestion_diff": d * 0.1,
                        "n_pairs": N,
                        "n_incidents": 240 * N,
                        "share_faster": 0.3,
                        "share_slower": 0.1,
                    }
                )
    for row in rows:
        is_share = row["metric"].startswith("share")
        row["equivalence"] = (0.2 if is_share else 5.0) if row["is_primary"] else float("nan")
        row["is_equivalent"] = bool(row["is_primary"] and is_share)
    return rows


def ecdf_table() -> Rows:
    t = np.arange(0, 1801, dtype=float)
    rows: Rows = []
    for arm, *_ in ARMS[:2]:
        for year in (0, *YEARS):
            s = 1 - np.exp(-((t / (scale(arm, year) * 1.18)) ** 2.6))
            rows += [
                {
                    "arm": arm,
                    "year": year,
                    "group": "headline",
                    "clock": "arrival",
                    "t_s": a,
                    "share": b,
                    "low": max(b - 0.01, 0),
                    "high": min(b + 0.01, 1),
                }
                for a, b in zip(t.tolist(), s.tolist(), strict=True)
            ]
    return rows


def small_tables(towns: list[str], factors: np.ndarray) -> dict[str, Rows]:
    beyond: Rows = []
    for arm, *_ in ARMS[:2]:
        for year in (0, *YEARS):
            for town, factor in (*zip(towns, factors, strict=True), ("", 1.1)):
                n = (240 if town else 8_200) * (1 - value("share_600", scale(arm, year) * factor))
                beyond.append(
                    {
                        "arm": arm,
                        "year": year,
                        "town": town,
                        "n_beyond_600": n,
                        "low": n * 0.9,
                        "high": n * 1.1,
                        "residents_beyond_600": int(9000 * n),
                        "residents_beyond_300": int(60000 * factor),
                        "n_unfilled": 0.2,
                        "n_incidents": (240 if town else 8_200) * N,
                        "n_replications": N,
                    }
                )
    order = np.argsort(-factors)
    return {
        "beyond": beyond,
        "workload": [
            {
                "arm": arm,
                "year": year,
                "town": town,
                "k": k,
                "station": f"{town}-{k}",
                "n_dispatches": 160.0 + 10 * i,
                "busy_h": 120.0 + i,
                "utilisation": 0.01 + 0.001 * i,
                "crew_busy_share": 0.02 + 0.001 * i,
            }
            for arm, *_ in ARMS[:2]
            for year in (0, *YEARS)
            for i, town in enumerate(towns)
            for k in range(1, 4)
        ],
        "queueing": [
            {
                "arm": arm,
                "year": year,
                "n_waited": 40.0,
                "mean_wait_s": 210.0,
                "n_unfilled": 1.5,
                "n_escalations": 80.0,
                "n_incidents": 15_800.0,
                "n_replications": N if arm in ("plan", "nothing") else 10,
            }
            for arm, *_ in ARMS
            for year in (0, *YEARS)
        ],
        "one_more": [
            {
                "arm": "nothing",
                "year": year,
                "rank": r + 1,
                "town": towns[i],
                "gain_share_300": g,
                "low": g - 0.0009,
                "high": g + 0.0009,
                "gain_share_600": g / 3,
                "gain_mean_s": 2.0 / (r + 1),
                "plan_year": (2022, 2023, 2024, 0)[r % 4],
                "residents": 300_000 + 1000 * r,
                "n_incidents": 8_200 * N,
                "n_replications": N,
            }
            for year in (0, *YEARS)
            for r, i in enumerate(order)
            for g in [0.006 / (r + 1) ** 0.5]
        ],
        "one_more_worlds": [
            {
                "arm": "nothing",
                "town": towns[i],
                "n_worlds": 40,
                "share_first": 0.65 if r == 0 else 0.0,
                "share_leading": 1.0 if r < 6 else 0.4,
                "rank_p5": r + 0.5,
                "rank_median": r + 1.0,
                "rank_p95": r + 4.0,
            }
            for r, i in enumerate(order)
        ],
        "indicators": [
            {
                "arm": arm,
                "year": year,
                "indicator": ind,
                "value": v + 0.1 * (year - 2022) * (arm == "plan"),
                "target": t,
                "met": v > 1,
            }
            for arm, *_ in ARMS[:2]
            for year in YEARS
            for ind, v, t in (("stations_per_100k", 1.01, 1.7), ("staff_share", 0.26, 0.45))
        ],
        "travel_worlds": [
            {"travel": w, "benchmark": b, "model_value": m, "published_value": p, "source": s}
            for w, f in (("norm", 1.4), ("measured", 1.0), ("congested", 0.5))
            for b, m, p, s in (
                ("five_minute_share", 0.16 * f, 0.082, "real-time map service, cars, September 2020"),
                ("mean_drive_dense_min", 9 / f, 10.0, "the same"),
            )
        ],
        "replication_guide": [
            {
                "contrast": "",
                "arm": arm,
                "base": "",
                "metric": m,
                "year": 0,
                "group": "headline",
                "n_now": N,
                "half_width_now": h,
                "target": t,
                "n_for_half_width": n,
            }
            for arm in ("nothing", "plan")
            for m, h, t, n in (("p90", 3.1, 1.0, -1), ("p90", 3.1, 5.0, 13), ("share_300", 0.004, 0.005, 20))
        ],
        "assumptions": [
            {"key": k, "value": v, "standing": s, "source": "somewhere, https://example.org/x"}
            for k, v, s in (
                ("staffing.initial_permille", "0.26", "plan"),
                ("travel.local_kmh", "22", "assumed"),
                ("demand.alarms", "16000", "published"),
                ("times.turnout_s", "60", "standard"),
                ("travel.detour", "1.31", "fitted"),
            )
        ],
        "empty_stations": [
            {"arm": "plan_026", "station": f"{towns[0]}-5", "date": "2024-07-01", "reason": "opens_empty"}
        ],
    }


KINDS = (("home_fire", "住宅火灾", "home fire", "fire"), ("wasp_nest", "摘除蜂巢", "wasp nest", "social"))
RARE = ("tunnel", "隧道救援", "tunnel rescue", "rescue")


def matched_table() -> Rows:
    """The main pair over the replications of each condition: 2 points less gain than over all, and a change of 1."""
    rows: Rows = []
    for arm in REPEATED[1:]:
        for metric in ("p50", "p90", "share_300"):
            levels = [value(metric, scale(name, 2026) * 1.02) for name in ("nothing", "plan")]
            row = {"arm": arm, "base": arm.replace("plan", "nothing"), "main_arm": "plan", "main_base": "nothing"}
            row |= {"year": 2026, "metric": metric, "base_value": levels[0], "arm_value": levels[1]}
            d, unit = levels[1] - levels[0], 0.01 if metric.startswith("share") else 5.0
            row |= {"diff": d, "low": d - unit, "high": d + unit, "change": unit, "change_low": -unit}
            rows.append(row | {"change_high": 3 * unit, "n_pairs": 10, "n_worlds": 8, "n_incidents": 82_000})
    return rows


def detail_tables() -> dict[str, Rows]:
    """Levels and differences by kind and by hour; a rare kind is in the tables of levels and differences too."""
    kinds: Rows = []
    hours: Rows = []
    diffs: dict[str, Rows] = {"kind_contrasts": [], "hour_contrasts": []}
    rush = {hour: 1.3 if hour in (7, 8, 17) else 1.0 for hour in range(24)}
    cells = [("kind", kind[0], 1.0 + 0.1 * i) for i, kind in enumerate((*KINDS, RARE))]
    cells += [("hour", hour, slow) for hour, slow in rush.items()]
    for key, at, slow in cells:
        n = 90 if at == RARE[0] else 4_000 if key == "kind" else 1_000 + 100 * int(at)
        for metric in METRICS:
            v = {arm: value(metric, scale(arm, 2026) * slow) for arm in ("nothing", "plan")}
            w = 0.02 if metric.startswith("share") else 15.0
            for arm in v:
                row = {"arm": arm, "year": 2026, key: at, "clock": "arrival", "metric": metric, "value": v[arm]}
                row |= {"low": v[arm] - w, "high": v[arm] + w, "n_incidents": n}
                if key == "kind":
                    kinds += [{**row, "grade": 0}, {**row, "grade": 0, "clock": "critical", "value": v[arm] + w}]
                else:
                    hours.append({**row, "group": "headline"})
            d = v["plan"] - v["nothing"]
            row = {"arm": "plan", "base": "nothing", "year": 2026, key: at, "metric": metric, "diff": d}
            row |= {"low": d - w, "high": d + w, "n_pairs": N, "n_incidents": n}
            diffs[f"{key}_contrasts"].append(row)
    names = [dict(zip(("kind", "name_zh", "name_en", "family"), kind, strict=True)) for kind in (*KINDS, RARE)]
    return {"kinds": kinds, "hours": hours, "kind_names": names, **diffs}


TEXTS = ("of", "code", "base", "beaten_by", "cause", "causes", "kind", "type")
"""Columns of the stored tables that hold texts alone: an empty cell is an empty text."""


def stored_tables(folder: Path) -> dict[str, pa.Table]:
    """The small tables of money, of plausible worlds and of the levers, which lie beside the tests as CSV."""
    import pandas as pd

    tables = {}
    for path in sorted(folder.glob("*.csv")):
        frame = pd.read_csv(path, dtype=dict.fromkeys(TEXTS, str))
        told = [name for name in TEXTS if name in frame]
        frame[told] = frame[told].fillna("")
        tables[path.stem] = pa.Table.from_pandas(frame, preserve_index=False)
    return tables


def write_study(folder: Path, root: Path) -> Path:
    """Write the made-up study and return its folder."""
    with (root / "configs/city/dongguan/towns.csv").open(encoding="utf-8-sig", newline="") as file:
        towns = [row["code"] for row in csv.DictReader(file)]
    rng = np.random.Generator(np.random.Philox(7))
    factors, gains = rng.uniform(0.75, 1.6, len(towns)), rng.uniform(-0.4, 2.2, len(towns))
    tables = {
        "arms": arms_table(),
        "headline": headline_table(),
        "towns": towns_table(towns, factors),
        "contrasts": contrasts_table(towns, factors, gains),
        "ecdf": ecdf_table(),
        "matched": matched_table(),
        **detail_tables(),
        **small_tables(towns, factors),
    }
    (folder / "tables").mkdir(parents=True)
    made = {name: pa.Table.from_pylist(rows) for name, rows in tables.items()}
    for name, table in (made | stored_tables(Path(__file__).parent / "tables")).items():
        table = table.replace_schema_metadata({"schema": name, "schema_version": "1"})
        pq.write_table(table, folder / "tables" / f"{name}.parquet")
    (folder / "run.json").write_text(
        '{"kind": "study", "name": "made_up", "arms": {}, "study": {"question_en": "What?", "question_zh": "如何？"}}'
    )
    for arm, _, _, purpose in ARMS:
        steps = (
            []
            if purpose == "staffing"
            else [{"from_date": "2024-01-01", "permille": 0.4}, {"from_date": "2026-01-01", "permille": 0.45}]
        )
        config = {"seed": 20260, "city": {"folder": "dongguan"}, "staffing": {"initial_permille": 0.26, "steps": steps}}
        (folder / "arms" / arm).mkdir(parents=True)
        (folder / "arms" / arm / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def study_folder(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """A study directory with every table."""
    return write_study(tmp_path_factory.mktemp("study") / "made_up", root)


VOID = {"meta", "link", "input", "br", "img"}


class Page(HTMLParser):
    """A page taken apart: balance of tags, ids, addresses, texts by section and language, tables and footnotes."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html, self.faults = html, list[str]()
        self.ids, self.links, self.titles = list[str](), list[str](), list[str]()
        self.tables, self.under, self.alts = list[tuple[str, int]](), list[dict[str, str]](), list[tuple[str, str]]()
        self._open: list[tuple[str, dict[str, str]]] = []
        self._texts: dict[tuple[str, str], list[str]] = {}
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.ids += [given["id"]] if "id" in given else []
        self.links += [given[name] for name in ("src", "href", "action", "data") if name in given]
        if given.get("role") == "img" and "aria-label" in given:
            self.alts.append((given.get("lang", ""), given["aria-label"]))
        if tag == "table":
            self.tables.append((self._section(), len(self.under)))
        if tag == "p" and given.get("class") == "under":
            self.under.append({"zh": "", "en": ""})
        if tag not in VOID:
            self._open.append((tag, given))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1][0] != tag:
            self.faults.append(f"</{tag}> at {self.getpos()} closes {self._open[-1][0] if self._open else 'nothing'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if not data.strip() or any(tag in ("style", "script") for tag, _ in self._open):
            return
        languages = [given["lang"] for tag, given in self._open if "lang" in given and tag != "html"]
        told = ["zh", "en"] if not languages else ["zh" if languages[-1].startswith("zh") else "en"]
        for language in told:
            self._texts.setdefault((self._section(), language), []).append(data)
            if any(tag == "p" and given.get("class") == "under" for tag, given in self._open):
                self.under[-1][language] += data

    def _section(self) -> str:
        return next((given.get("id", "") for tag, given in reversed(self._open) if tag == "section"), "")

    def text(self, section: str, language: str) -> str:
        """The words of a section in one language, those common to both among them."""
        return " ".join(self._texts.get((section, language), []))


@pytest.fixture(scope="session")
def html(study_folder: Path) -> str:
    """The page of the made-up study."""
    return render(load_study(study_folder))


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    """The same, taken apart."""
    return Page(html)


@pytest.fixture(scope="session")
def take_apart() -> type[Page]:
    """The class that takes a page apart."""
    return Page
