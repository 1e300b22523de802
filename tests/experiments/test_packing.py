"""Arrays come out of their bytes as they went in, in this version and in the next."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as of_numpy

from carecommons.experiments.packing import PackingError, pack, unpack

ARRAYS = {
    "series": np.arange(12.0).reshape(4, 3) / 7,
    "flows": np.arange(8).reshape(2, 2, 2) - 3,
    "on": np.array([True, False]),
}
# As format 2 packs them. When this can no longer be read, folders of runs cannot either: raise `database.FORMAT`.
WRITTEN = (
    "jauvvObligOyQFjaxxkWWngBi45WSsvJLy9W0lFQssm0AFLRRjoKIBQbC2Qr5eeBZGqSDMEyELHi1KLMVIiONLAOEx0F49jYWK6/"
    "jP+Z/zExsPxnAEEGMEkKzcjAcPu26qRJDNsnbZ/kybBtm6eKCkOuSq7KJIbc3Emengy3PW97qgDVqADVbJu0DZ+a118OPfrw7dKz"
    "Tz8Z7BEAACnUU+o="
)

kinds = st.sampled_from(["<f8", ">f8", "<i8", ">i8", "|b1"])
shapes = of_numpy.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
arrays = kinds.flatmap(lambda kind: of_numpy.arrays(kind, shapes))


def test_what_was_packed_before_is_still_read() -> None:
    found = unpack(base64.b64decode(WRITTEN))
    assert list(found) == sorted(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].tolist() == array.tolist() and found[name].dtype == array.dtype


@given(st.dictionaries(st.text(max_size=5), arrays, max_size=4), st.booleans())
def test_arrays_come_out_as_they_went_in(kept: dict[str, Any], turned: bool) -> None:
    given_ = {name: array.T if turned else array for name, array in kept.items()}
    found = unpack(pack(given_))
    for name, array in given_.items():
        assert found[name].shape == array.shape and found[name].dtype == array.dtype.newbyteorder("<")
        assert found[name].astype(array.dtype).tobytes() == array.tobytes()
        assert not found[name].flags.writeable


@given(arrays, st.data())
def test_a_flipped_bit_is_found(array: Any, data: st.DataObject) -> None:
    content = bytearray(pack({"a": array}))
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    with pytest.raises(PackingError):
        unpack(bytes(content))
