"""An engine that cannot be is refused in one line, and shards are a list cut into blocks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments.engines import Engine, check_engine, check_jobs, processors, shard


@given(length=st.integers(0, 200), n=st.integers(1, 40))
def test_all_shards_together_are_the_whole_in_order_and_differ_by_one_at_most(length: int, n: int) -> None:
    tasks = list(range(length))
    blocks = [shard(tasks, f"{i}/{n}") for i in range(1, n + 1)]
    assert [task for block in blocks for task in block] == tasks
    assert max(map(len, blocks)) - min(map(len, blocks)) <= 1


@pytest.mark.parametrize(
    "part", ["", "3", "0/3", "4/3", "1/0", "-1/3", "1/3/5", "a/b", "1 /3", "1/3\n", "٣/٤", "9" * 99]
)
def test_a_shard_that_cannot_be_is_refused_in_one_line(part: str) -> None:
    with pytest.raises(InputError, match=r"^shard = .* must be i/n with 1 <= i <= n, such as 3/8$") as caught:
        shard([1, 2, 3], part)
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 160


@pytest.mark.parametrize("jobs", [0, -1, True, 1.0, 1025, "2", None])
def test_a_number_of_workers_that_cannot_be_is_refused(jobs: Any) -> None:
    with pytest.raises(InputError, match=r"jobs = .* must be a whole number from 1 to 1024"):
        check_jobs(jobs)
    with pytest.raises(InputError, match="jobs = "):
        Engine("processes", jobs)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"kind": "process"}, "engine = process is none of here, processes, threads, dask; did you mean 'processes'"),
        ({"kind": ""}, "engine =  is none of"),
        ({"timeout": 0}, "timeout = 0 must be seconds"),
        ({"timeout": float("nan")}, "timeout = nan must be seconds"),
        ({"timeout": True}, "timeout = True must be seconds"),
        ({"patience": -1.0}, "patience = -1.0 must be seconds"),
        ({"patience": None}, "patience = None must be seconds"),
        ({"retries": -1}, "retries = -1 must be a whole number from 0 to 100"),
        ({"kind": "dask"}, "engine = dask needs the address of a scheduler"),
        ({"scheduler": "tcp://a:1"}, "is for the engine dask, not for here"),
    ],
)
def test_an_engine_that_cannot_be_is_refused_in_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Engine(**values)
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_there_is_at_least_one_processor() -> None:
    assert processors() >= 1


@pytest.mark.parametrize("wrong", ["processes", 4, None])
def test_what_is_no_engine_is_refused_in_one_line(wrong: Any) -> None:
    with pytest.raises(InputError, match=r"^engine = .* must be an Engine, such as cc.Engine\('processes', 4\)$"):
        check_engine(wrong)
