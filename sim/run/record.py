"""Do the files of a run directory say the same of it? What `verify` can tell without making anything again.

`run.json`, `manifest.json`, each arm's `config.yaml` and each replication's `result.json` must agree on arms, keys,
settings, digests and the number of replications; each key must come out of the configuration; each configuration must
be written as the program writes it and state what `configs/` states. Next: `remake.py`, which makes things again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sim.config import ABOUT
from sim.errors import InputError
from sim.provenance import list_files
from sim.run.stated import stated_faults
from sim.run.work import CONFIG, NOTE, REPLICATIONS, RESULT, SINGLE, Arm, Work, config_text, read_note, read_result
from sim.settings import GROUPS, Settings, what_key

_OF_THE_RUN = r"run\.json|config\.yaml|report\.html|tables/[a-z0-9_]+\.(parquet|csv|sql|xlsx)"
_OF_AN_ARM = r"config\.yaml|inputs/quantile_tables\.npz|replications/r\d{4,}/([a-z_]+\.parquet|result\.json)"


def record_faults(work: Work, manifest: Mapping[str, Any]) -> list[str]:
    """Return where the files of a run directory contradict each other, the program's own `configs/`, or its layout."""
    noted, listed = read_note(work.folder)["arms"], manifest["arms"]
    is_same = (work.kind, work.name) == (manifest["kind"], manifest["name"])
    faults = [] if is_same else [f"kind or name in {NOTE} is not the manifest's"]
    faults += [f"{name}: is not an arm of both {NOTE} and the manifest" for name in sorted({*noted} ^ {*listed})]
    for arm in work.arms:
        if arm.name in listed:
            faults += _arm_faults(work, arm, noted[arm.name], listed[arm.name])
    return [*faults, *_config_faults(work), *_unknown_files(work)]


def _arm_faults(work: Work, arm: Arm, noted: Mapping[str, Any], listed: Mapping[str, Any]) -> Iterator[str]:
    """Yield what contradicts itself in one arm."""
    name, where = arm.name, work.arm_folder(arm)
    if (listed["key"], listed["folder"]) != (noted["key"], noted["folder"]):
        yield f"{name}: key or folder in {NOTE} is not the manifest's"
    if _compared(work, arm.settings) != _compared(work, listed["settings"]) or arm.settings.seed != listed["seed"]:
        yield f"{name}: the settings in {CONFIG} are not the manifest's"
    wanted = [f"r{r:04d}" for r in range(arm.n_replications)]
    present = sorted(path.name for path in (where / REPLICATIONS).glob("*"))
    if wanted != sorted(listed["replications"]) or wanted != present:
        yield f"{name}: replications are not exactly the {len(wanted)} that {NOTE} names"
    results = {r: read_result(where / REPLICATIONS / r) for r in present}
    others = [r for r, result in results.items() if _is_other(result, r, listed)]
    yield from (f"{name} {r}: {RESULT} is not as the manifest tells it" for r in others)
    strays = [r for r, result in results.items() if result.get("arm") != name and not work.folders]
    yield from (f"{name} {r}: {RESULT} is of another arm" for r in strays)
    keys = sorted({(result["city"], result["software"]["source"]["result"]) for result in results.values()})
    yield from (f"{name}: {fault}" for city, source in keys for fault in _key_faults(arm, city, source))
    yield from stated_faults(arm)


def _compared(work: Work, settings: Settings | Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as JSON knows them; without those that say how, where another command may set them anew."""
    plain = settings.as_map() if isinstance(settings, Settings) else dict(settings)
    how = [group.name for group in GROUPS if not group.is_what and work.folders]
    found: dict[str, Any] = json.loads(json.dumps({name: value for name, value in plain.items() if name not in how}))
    return found


def _is_other(result: Mapping[str, Any], replication: str, arm: Mapping[str, Any]) -> bool:
    """Return whether a result has another key or other digests than the manifest says of it."""
    told = arm["replications"].get(replication)
    is_same = told is None or all(result.get(name) == value for name, value in told.items())
    return not is_same or result["key"] != arm["key"]


def _key_faults(arm: Arm, city: str, source: str) -> list[str]:
    """Return whether an arm's key does not come out of its configuration and the digests that its results note."""
    try:
        key = what_key(arm.settings, city, source)
    except InputError as error:
        return [f"its key cannot be made again: {error}"]
    made = f"its key is not that of {CONFIG} with the city and source that {RESULT} names"
    return [] if key == arm.key else [made]


def _config_faults(work: Work) -> Iterator[str]:
    """Yield each `config.yaml` that is not what the program writes of an arm; a study's own is its base arm's."""
    texts = {} if work.folders else {work.arm_folder(arm) / CONFIG: (config_text(arm), arm.name) for arm in work.arms}
    base = str(work.study.get("base", ""))
    if work.kind != SINGLE and base in [arm.name for arm in work.arms]:
        texts[work.folder / CONFIG] = (config_text(work.arm(base)), base)
    elif work.kind != SINGLE:
        yield f"the base arm {base!r} that {NOTE} names is no arm, so nothing tells what {CONFIG} must be"
    for path, (text, arm) in texts.items():
        shown = path.relative_to(work.folder).as_posix()
        if not path.is_file():
            yield f"{shown}: is missing"
        elif _without_how(work, path.read_text(encoding="utf-8")) != _without_how(work, text):
            yield f"{shown}: is not the configuration of arm {arm} as the program writes it"


def _without_how(work: Work, text: str) -> Any:
    """Return a configuration's text, or of a comparison of runs that lie elsewhere what `_compared` keeps of it."""
    import yaml

    if not work.folders:
        return text
    content = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    about = {key: entry for key, entry in content.pop(ABOUT).items() if not key.startswith("run.")}
    return _compared(work, content), about


def _unknown_files(work: Work) -> Iterator[str]:
    """Yield the files that no run makes; whether all it makes are there is told by making them again."""
    folders = [work.arm_folder(arm) for arm in work.arms]
    inside = [path.relative_to(work.folder).as_posix() for path in folders if path.is_relative_to(work.folder)]
    of_arms = [rf"{'' if name == '.' else re.escape(name) + '/'}({_OF_AN_ARM})" for name in inside]
    known = re.compile("|".join([_OF_THE_RUN, *of_arms]))
    for path in list_files(work.folder):
        name = path.relative_to(work.folder).as_posix()
        if not known.fullmatch(name):
            yield f"{name}: is no file that a run makes"
