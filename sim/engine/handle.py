"""Teach numba the type of `World`: one word, the address of a table of arrays.

A compiled function could take the arrays one by one (a microsecond a call for 28 of them), or numba's own `structref`
(an atomic reference count at every access, and a minute of compilation). This type costs an integer a call and a load
an access, owns nothing, and has a short name, which keeps compiled names and caches small. The table lives as long as
the `World` object on the Python side; nothing compiled keeps it.

Nor does the engine count from the end of an array: no index is below zero. Its arrays have a type of their own which
says so, and spares a comparison and a load at every access.
"""

from __future__ import annotations

import operator
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import types
from numba.core.types.containers import BaseTuple, UniTuple
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    intrinsic,
    lower_builtin,
    lower_getattr_generic,
    models,
    overload,
    register_model,
    unbox,
)
from numba.np import arrayobj

from sim.engine.world import FIELDS, World

_WORD_BYTES = 8
_PREFETCH = "llvm.prefetch.p0"


class WorldType(types.Type):
    """numba's type of `World`."""

    def __init__(self) -> None:
        super().__init__(name="World")


class TableType(types.Array):
    """numba's type of an array of the world: contiguous, and no index is below zero."""


WORLD = WorldType()
register_model(TableType)(models.ArrayModel)


def _layout() -> dict[str, tuple[Any, int]]:
    """Return each field's numba type and its byte offset in the table of arrays."""
    layout, offset = {}, 0
    for name, dtype, ndim, _ in FIELDS:
        layout[name] = (TableType(numba.from_dtype(np.dtype(dtype)), ndim, "C"), offset)
        offset += (5 + 2 * ndim) * _WORD_BYTES
    return layout


_LAYOUT = _layout()


World._numba_type_ = WORLD  # read by the dispatcher itself; numba's Python look-up would cost a microsecond a call


@register_model(WorldType)
class _WorldModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, fe_type: WorldType) -> None:
        super().__init__(manager, fe_type, ir.IntType(64))


@unbox(WorldType)
def _unbox_world(_fe_type: WorldType, obj: Any, c: Any) -> Any:
    address = c.pyapi.object_getattr_string(obj, "address")
    word = c.pyapi.long_as_ulonglong(address)
    c.pyapi.decref(address)
    return NativeValue(word, is_error=c.pyapi.c_api_error())


@infer_getattr
class _WorldFields(AttributeTemplate):  # type: ignore[misc]
    key = WorldType

    def generic_resolve(self, _fe_type: WorldType, name: str) -> Any:
        return _LAYOUT[name][0] if name in _LAYOUT else None


@lower_getattr_generic(WorldType)
def _get_field(context: Any, builder: Any, _fe_type: WorldType, word: Any, name: str) -> Any:
    """Load a field's array; the table never changes while compiled code runs, so the load may be moved and merged."""
    field_type, offset = _LAYOUT[name]
    struct_type = context.get_value_type(field_type)
    at = builder.inttoptr(builder.add(word, ir.Constant(ir.IntType(64), offset)), struct_type.as_pointer())
    loaded = builder.load(at)
    loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded


def _unsigned(context: Any, builder: Any, index_type: Any, index: Any) -> tuple[Any, Any]:
    """Return an index of one or several whole numbers as unsigned ones, which numba does not count from the end."""
    if isinstance(index_type, BaseTuple):
        wide = UniTuple(types.uintp, len(index_type))
        parts = [builder.extract_value(index, place) for place in range(len(index_type))]
        given = zip(parts, index_type.types, strict=True)
        return wide, context.make_tuple(builder, wide, [_widened(context, builder, *pair) for pair in given])
    return types.uintp, _widened(context, builder, index, index_type)


def _widened(context: Any, builder: Any, value: Any, value_type: Any) -> Any:
    return context.cast(builder, value, value_type, types.intp)


@lower_builtin(operator.getitem, TableType, types.Integer)
def _get_row(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    index_type, index = _unsigned(context, builder, sig.args[1], args[1])
    return arrayobj.getitem_arraynd_intp(context, builder, sig.return_type(sig.args[0], index_type), (args[0], index))


@lower_builtin(operator.getitem, TableType, BaseTuple)
def _get_item(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    index_type, index = _unsigned(context, builder, sig.args[1], args[1])
    return arrayobj.getitem_array_tuple(context, builder, sig.return_type(sig.args[0], index_type), (args[0], index))


@lower_builtin(operator.setitem, TableType, types.Any, types.Any)
def _set_item(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    index_type, index = _unsigned(context, builder, sig.args[1], args[1])
    wider = sig.return_type(sig.args[0], index_type, sig.args[2])
    return arrayobj.setitem_array(context, builder, wider, (args[0], index, args[2]))


@intrinsic
def _fetch(_typing_context: Any, table_type: Any, places_type: Any) -> Any:
    def generate(context: Any, builder: Any, sig: Any, args: Any) -> Any:
        byte, flag = ir.IntType(8).as_pointer(), ir.IntType(32)
        table = arrayobj.make_array(sig.args[0])(context, builder, args[0])
        at = builder.bitcast(table.data, byte)
        for axis, place_type in enumerate(sig.args[1].types):
            place = _widened(context, builder, builder.extract_value(args[1], axis), place_type)
            at = builder.gep(at, [builder.mul(place, builder.extract_value(table.strides, axis))])
        signature = ir.FunctionType(ir.VoidType(), [byte, flag, flag, flag])
        fetch = builder.module.globals.get(_PREFETCH) or ir.Function(builder.module, signature, _PREFETCH)
        builder.call(fetch, [at, flag(0), flag(3), flag(1)])
        return context.get_dummy_value()

    return types.void(table_type, places_type), generate


def fetch_ahead(table: Any, places: Any) -> None:
    """Let the processor fetch what will be read soon: where a table has its row at some places, one for each axis.

    Further axes begin at 0. A hint that changes nothing (plain Python ignores it).
    """


@overload(fetch_ahead)
def _fetch_ahead(table, places):  # type: ignore[no-untyped-def]
    return lambda table, places: _fetch(table, places)
