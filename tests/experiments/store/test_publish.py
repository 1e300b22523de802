"""What is put beside the runs is whole, stays in its folder, and replaces only what we wrote ourselves."""

from __future__ import annotations

from pathlib import Path

import kept
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments.store import files
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.publish import publish
from carecommons.experiments.store.verify import verify


def test_what_we_wrote_is_replaced_and_what_somebody_changed_is_not(tmp_path: Path) -> None:
    publish(tmp_path, {"a.csv": b"1", "b.svg": lambda path: path.write_text("2") and None})
    publish(tmp_path, {"a.csv": b"3"})
    (tmp_path / "b.svg").write_text("mine")
    with pytest.raises(InputError, match=r"b\.svg: was changed"):
        publish(tmp_path, {"a.csv": b"4", "b.svg": b"5"})
    assert ((tmp_path / "a.csv").read_text(), (tmp_path / "b.svg").read_text()) == ("3", "mine")
    publish(tmp_path, {"b.svg": b"5"}, force=True)
    assert (tmp_path / "b.svg").read_text() == "5"
    assert verify(tmp_path) == []


def test_a_file_of_somebody_elses_is_not_replaced_unless_it_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("mine")
    with pytest.raises(InputError, match="of something else"):
        publish(tmp_path, {"a.csv": b"ours"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv"]
    publish(tmp_path, {"a.csv": b"mine"})
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="of something else"):
        publish(tmp_path, {"b.csv": b"ours"}, force=True)


def test_a_name_that_is_given_up_goes_only_if_we_wrote_it(tmp_path: Path) -> None:
    publish(tmp_path, {"a.csv": b"1"})
    (tmp_path / "b.csv").write_text("mine")
    publish(tmp_path, {"a.csv": None, "b.csv": None, "c.csv": b"3"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.csv", "c.csv", "manifest.json"]


def test_a_picture_that_cannot_be_made_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise ZeroDivisionError

    publish(tmp_path, {"a.csv": b"1"})
    with pytest.raises(ZeroDivisionError):
        publish(tmp_path, {"a.csv": b"2", "b.svg": fail})
    assert (tmp_path / "a.csv").read_text() == "1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "manifest.json"]


def test_one_that_was_killed_between_two_files_can_be_repeated(tmp_path: Path) -> None:
    publish(tmp_path, {"a.csv": b"1", "b.csv": b"1"})
    coming = {"a.csv": files.draft(tmp_path / "a.csv", b"2"), "b.csv": files.draft(tmp_path / "b.csv", b"2")}
    files.write_manifest(tmp_path, files.read_manifest(tmp_path) | {"coming": coming})
    files.place(tmp_path / "a.csv")
    publish(tmp_path, {"a.csv": b"3", "b.csv": b"3"})
    assert verify(tmp_path) == []
    assert list(tmp_path.glob(".*")) == []


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside.txt", tmp_path / "a"
    outside.write_text("mine")
    folder.mkdir()
    for name in ("a.csv", ".a.csv.part"):
        (folder / name).symlink_to(outside)
    publish(folder, {"a.csv": b"ours"}, force=True)
    assert outside.read_text() == "mine"
    assert not (folder / "a.csv").is_symlink()


WRONG = [
    "", ".", "..", "../a", "a/b", "a\\b", "/a", "C:a", "a\0b", "a\nb", "con", "NUL.csv", "lpt1.txt", ".hidden", "a.",
    "a ", "a" * 300, "a..b", "\uff2e\uff35\uff2c.csv", "a\u2215b", "lock", "manifest.json", "results.sqlite",
    "results.sqlite-wal", "Results-1.sqlite", "a|b", "~", "-rf", "=1+1",
]  # fmt: skip


@given(name=st.text(max_size=30) | st.sampled_from(WRONG))
@example(name="a/../../b")
def test_no_name_leads_out_of_the_folder_or_over_the_store(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    folder = outside / "folder"
    kept.fill(folder, [])
    before = (folder / "results.sqlite").read_bytes()
    try:
        publish(folder, {name: b"x"})
    except InputError as problem:
        assert "\n" not in str(problem)
    else:
        assert name not in WRONG
    assert [path.name for path in outside.iterdir()] == ["folder"]
    assert (folder / "results.sqlite").read_bytes() == before
    assert all(path.is_file() for path in folder.iterdir())


@pytest.mark.parametrize("name", WRONG)
def test_such_names_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="file name"):
        publish(tmp_path, {name: b"x"})
    assert list(tmp_path.iterdir()) == []


def test_a_store_publishes_while_it_is_open_and_a_stranger_does_not(tmp_path: Path) -> None:
    with Store.write(tmp_path, kept.identity(), command="test") as store:
        publish(store, {"a.csv": b"1"})
    assert set(files.read_manifest(tmp_path)["files"]) == {"a.csv"}
    assert verify(tmp_path) == []
    (tmp_path / "a.csv").write_bytes(b"2")
    assert [each.file for each in verify(tmp_path)] == ["a.csv"]
