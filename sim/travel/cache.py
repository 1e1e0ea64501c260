"""Arrays kept on disk by the digest of what they were made from: built once, checked at every use, never half there.

An entry is a folder named by the key, with `array.npy` and `entry.json` (the array's digest). It is written under
another name and renamed, so a reader finds a whole entry or none; an entry that was cut short or altered is built
again.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.errors import InputError, Problem


def cached_array(folder: Path, key: str, build: Callable[[], NDArray[Any]]) -> tuple[NDArray[Any], str]:
    """Return (array, SHA-256) of the entry `key`, a read-only memory map, built and stored first if need be.

    The whole array is hashed at every use (0.05 s for 70 MB), so a changed byte is always found.

    Raises
    ------
    InputError
        If the entry cannot be stored, a full disk for instance; nothing half-written stays.
    """
    entry = folder / key
    found = _read(entry, key)
    if found is None:
        built = build()
        try:
            _store(entry, key, built)
        except OSError as error:
            rule = f"cannot hold the travel tables ({error.strerror or error})"
            mend = f"free {built.nbytes // 1_000_000 + 1} MB or name another cache folder"
            raise InputError([Problem(str(folder), rule, mend=mend)]) from error
        found = _read(entry, key)
    if found is None:
        raise InputError([Problem(str(entry), "changed while it was read", mend="check the disk and run again")])
    return found


def _read(entry: Path, key: str) -> tuple[NDArray[Any], str] | None:
    """Return the entry's array and digest, or None when it is absent, cut short or altered."""
    try:
        noted = json.loads((entry / "entry.json").read_text(encoding="utf-8"))
        array = np.load(entry / "array.npy", mmap_mode="r", allow_pickle=False)
        digest = digest_of({"array": array})
    except (OSError, ValueError, EOFError):
        return None
    return (array, digest) if noted == {"key": key, "sha256": digest} else None


def _store(entry: Path, key: str, array: NDArray[Any]) -> None:
    """Write the entry beside its place and rename it there; an unsound entry in that place is removed."""
    entry.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(prefix=".part-", dir=entry.parent))
    try:
        with (part / "array.npy").open("wb") as file:
            np.save(file, np.ascontiguousarray(array), allow_pickle=False)
            file.flush()
            os.fsync(file.fileno())
        note = json.dumps({"key": key, "sha256": digest_of({"array": array})})
        (part / "entry.json").write_text(note, encoding="utf-8")
        if entry.exists():
            if _read(entry, key) is not None:
                return  # another process was faster
            shutil.rmtree(entry)
        try:
            part.rename(entry)
        except OSError:
            if _read(entry, key) is None:
                raise
    finally:
        shutil.rmtree(part, ignore_errors=True)


def digest_of(arrays: Mapping[str, NDArray[Any]], *texts: str) -> str:
    """Return the SHA-256 of texts and of arrays with their names, types, shapes and little-endian bytes."""
    digest = hashlib.sha256(json.dumps(texts).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        array = array.astype(array.dtype.newbyteorder("<"), copy=False)
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.data)
    return digest.hexdigest()
