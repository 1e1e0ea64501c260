"""What the numbers were measured on."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGES = ("numpy", "numba", "simpy", "pyarrow")


def facts() -> dict[str, str]:
    """Return processor, cores this process may use, memory, system, Python, packages that matter, C compiler."""
    known = {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    return known | {name: metadata.version(name) for name in PACKAGES} | {"C compiler": _compiler()}


def _memory() -> str:
    names = ("SC_PHYS_PAGES", "SC_PAGE_SIZE")
    if not set(names) <= set(getattr(os, "sysconf_names", {})):
        return "unknown"
    pages, n_bytes = (os.sysconf(name) for name in names)
    return f"{pages * n_bytes / 2**30:.0f} GiB"


def _compiler() -> str:
    """Return the first line of what the system's `cc` says of itself."""
    if shutil.which("cc") is None:
        return "none"
    told = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=False).stdout
    return (told.splitlines() or ["unknown"])[0]


def _processor() -> str:
    told = Path("/proc/cpuinfo")
    if told.exists():
        for line in told.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"
