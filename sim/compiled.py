"""The one decorator for compiled functions, and the folder where machine code is kept between runs.

numba's own cache looks only at the file of the function it compiles, so an edit in a *called* module would go unseen.
The folder is therefore named by a digest of all compiled source, the numba version and the CPU: an edit anywhere
opens a new folder. Nor does numba see a damaged file, which would run as machine code: each file ends with its SHA-256
here, and one that is not whole is compiled anew. `NUMBA_DISABLE_JIT=1` runs the same source as plain Python (for
coverage and debugging).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar, cast

_Function = TypeVar("_Function", bound=Callable[..., Any])
_COMPILED_SOURCES = (
    "compiled.py", "chance.py", "units.py", "inputs.py", "recorded.py", "demand/*.py", "engine/*.py", "fleet/parts.py",
    "fleet/absences.py", "fleet/vehicles.py", "metrics/gains.py", "metrics/milestones.py", "metrics/outings.py",
    "metrics/replay.py", "weather/timeline.py",
)  # fmt: skip
"""Every file with compiled functions, and those whose constants are frozen into them."""
_DIGEST_BYTES = 32


def cache_root() -> Path:
    """Return the folder for caches that any run may fill and anyone may delete (`DGSIM_CACHE`, else outputs/.cache)."""
    given = os.environ.get("DGSIM_CACHE")
    if given:
        return Path(given)
    clone = Path(__file__).resolve().parent.parent
    home = clone if (clone / "pyproject.toml").exists() else Path.cwd()
    return home / "outputs" / ".cache"


def compiled_source_digest() -> str:
    """Return the SHA-256 (hex) of every file that holds compiled functions, names and contents."""
    package = Path(__file__).resolve().parent
    digest = hashlib.sha256()
    for pattern in _COMPILED_SOURCES:
        for path in sorted(package.glob(pattern)):
            digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _machine_code_folder() -> str:
    import llvmlite.binding
    import numba

    cpu = f"{llvmlite.binding.get_host_cpu_name()}|{llvmlite.binding.get_host_cpu_features().flatten()}"
    key = hashlib.sha256(f"{compiled_source_digest()}|{numba.__version__}|{cpu}".encode()).hexdigest()[:20]
    return str(cache_root() / "numba" / key)


def _choose_folder() -> None:
    import numba

    if not numba.config.DISABLE_JIT and not str(numba.config.CACHE_DIR).startswith(str(cache_root())):
        numba.config.CACHE_DIR = _machine_code_folder()


def kept_machine_code() -> Path | None:
    """Return the folder in which this process keeps machine code; None where nothing is compiled."""
    import numba

    _choose_folder()
    return None if numba.config.DISABLE_JIT else Path(numba.config.CACHE_DIR)


def n_compiled_functions() -> int:
    """Return about how many functions are compiled at most: those marked so in the source."""
    package = Path(__file__).resolve().parent
    files = [path for pattern in _COMPILED_SOURCES for path in package.glob(pattern)]
    return sum(path.read_text(encoding="utf-8").count("\n@compiled") for path in files)


def is_whole(path: Path) -> bool:
    """Return whether a file of the cache ends with the SHA-256 of what comes before; False where there is none."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return content[-_DIGEST_BYTES:] == hashlib.sha256(content[:-_DIGEST_BYTES]).digest()


@cache
def _sealed_file() -> Any:
    """Return numba's cache file with a digest at its end; pickles, which it holds, end before that by themselves."""
    from numba.core.caching import IndexDataCacheFile

    class SealedFile(IndexDataCacheFile):  # type: ignore[misc]
        @contextmanager
        def _open_for_write(self, filepath: str) -> Iterator[BytesIO]:
            with super()._open_for_write(filepath) as file:
                content = BytesIO()
                yield content
                file.write(content.getvalue() + hashlib.sha256(content.getvalue()).digest())

        def _load_index(self) -> Any:
            return super()._load_index() if is_whole(Path(self._index_path)) else {}

        def _load_data(self, name: str) -> Any:
            path = self._data_path(name)
            if not is_whole(Path(path)):
                raise OSError(f"{path} is damaged")  # to numba it is not there
            return super()._load_data(name)

    return SealedFile


def _sealed(dispatcher: Any) -> Any:
    """Return a numba function whose files on disk are checked; a plain one, where numba is switched off, as it is."""
    kept = getattr(dispatcher, "_cache", None)
    if kept is not None:
        file = kept._cache_file
        base = file._index_name.removesuffix(".nbi")
        kept._cache_file = _sealed_file()(file._cache_path, base, file._source_stamp)
    return dispatcher


def _widened(dispatcher: Any) -> Any:
    """Return a numba function that is compiled once for all signed integers, constants among them, as 64 bits wide.

    numba itself compiles a function anew for every width and for constants; with the widths of the tables' columns that
    was more than twice the work. Unsigned integers, whose overflow means something, stay as they are.
    """
    from numba.core.types import Integer, int64
    from numba.core.types.misc import unliteral

    def wide(given: Any) -> Any:
        plain = unliteral(given)
        is_signed = isinstance(plain, Integer) and bool(getattr(plain, "signed", False))
        return int64 if is_signed else plain

    if hasattr(dispatcher, "overloads"):  # a plain function, where numba is switched off, has none
        compile_exactly = dispatcher.compile
        dispatcher.compile = lambda signature: compile_exactly(tuple(wide(given) for given in signature))
    return dispatcher


def _compiled_with(function: _Function, **options: Any) -> _Function:
    """Compile a function of its own, cached on disk and without Python's lock, with further options of numba."""
    import numba

    _choose_folder()
    options = {"cache": True, "error_model": "numpy", "nogil": True, **options}
    return cast(_Function, _widened(_sealed(numba.njit(**options)(function))))


def compiled(function: _Function) -> _Function:
    """Compile `function` in numba's nopython mode, without fast-math, cached on disk by the digest of all sources.

    Threads run it side by side: it lets Python's lock go.
    """
    return _compiled_with(function)


def compiled_borrowing(function: _Function) -> _Function:
    """Compile a function that makes and keeps no array, so that nothing has to be counted; cached on disk."""
    return _compiled_with(function, _nrt=False)


@cache
def _alone() -> Any:
    """Return numba's compiler for a function whose callees serve nobody else, so that LLVM may take them apart.

    numba keeps every callee as other functions could call it: with all its arguments, a result in memory and a word for
    errors that each caller looks at. Where nobody else can, LLVM drops what is constant or unused, and absorbs what is
    called once. That takes the main loop a quarter less time, and compiling it a few seconds more.
    """
    from llvmlite.binding import Linkage
    from numba.core.codegen import JITCodeLibrary
    from numba.core.compiler import Compiler
    from numba.core.compiler_machinery import LoweringPass, register_pass
    from numba.core.typed_passes import NativeLowering

    class AloneLibrary(JITCodeLibrary):  # type: ignore[misc]
        def _optimize_final_module(self) -> None:
            defined = [function for function in self._final_module.functions if not function.is_declaration]
            called = [function for function in defined if function.linkage == Linkage.linkonce_odr]
            own = "".join(sorted(one.name for one in defined if one.linkage != Linkage.linkonce_odr))
            owner = hashlib.sha256(own.encode()).hexdigest()[:12]
            for function in called:
                function.linkage = Linkage.internal
                function.name = f"{function.name}.{owner}"  # others find names of other functions, internal ones too
            super()._optimize_final_module()

    @register_pass(mutates_CFG=True, analysis_only=False)
    class ChooseLibrary(LoweringPass):  # type: ignore[misc]
        _name = "choose_library"

        def __init__(self) -> None:
            super().__init__()

        def run_pass(self, state: Any) -> bool:
            state.library = AloneLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
            return False

    class AloneCompiler(Compiler):  # type: ignore[misc]
        def define_pipelines(self) -> list[Any]:
            (passes,) = super().define_pipelines()
            steps = [step for step, _ in passes.passes]
            passes.add_pass_after(ChooseLibrary, steps[steps.index(NativeLowering) - 1])
            passes.finalize()
            return [passes]

    return AloneCompiler


def compiled_alone(function: _Function) -> _Function:
    """Compile a function that only Python calls, together with all that it calls; it makes and keeps no array."""
    import numba

    pipeline = {} if numba.config.DISABLE_JIT else {"pipeline_class": _alone()}
    return _compiled_with(function, _nrt=False, **pipeline)


def compiled_within(function: _Function) -> _Function:
    """Compile a function as part of its callers, so that their loops over it may take several turns at once."""
    import numba

    return cast(_Function, numba.njit(error_model="numpy", inline="always")(function))


def compiled_inline(function: _Function) -> _Function:
    """Compile a small function that callers absorb and that keeps no array; it is cached with them only."""
    import numba

    return cast(_Function, _widened(numba.njit(error_model="numpy", _nrt=False)(function)))
