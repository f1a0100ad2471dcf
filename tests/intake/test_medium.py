from __future__ import annotations

from pathlib import Path

from moodride.intake.medium import in_medium, medium_of, uuid_of


def test_uuid_is_that_of_the_link_to_the_same_device(tmp_path: Path) -> None:
    (tmp_path / "AAAA-0001").symlink_to("/dev/zero")
    (tmp_path / "BBBB-0002").symlink_to("/dev/null")
    (tmp_path / "CCCC-0003").symlink_to("nowhere")
    assert uuid_of(Path("/dev/null").stat().st_rdev, by_uuid=tmp_path) == "BBBB-0002"
    assert uuid_of(Path("/dev/full").stat().st_rdev, by_uuid=tmp_path) == ""


def test_uuid_is_none_when_there_are_no_links(tmp_path: Path) -> None:
    assert uuid_of(Path("/dev/null").stat().st_rdev, by_uuid=tmp_path / "missing") == ""


def test_medium_is_none_when_nothing_tells(tmp_path: Path) -> None:
    assert medium_of(tmp_path, by_uuid=tmp_path) == ""
    assert medium_of(tmp_path / "missing", by_uuid=tmp_path) == ""


def test_medium_names_the_path_when_a_folder_is_not_the_top(tmp_path: Path) -> None:
    folder = tmp_path.resolve()
    mount = next(each for each in (folder, *folder.parents) if each.is_mount())
    assert in_medium("AAAA-0001", mount) == "AAAA-0001"
    assert in_medium("AAAA-0001", folder) == f"AAAA-0001:{folder.relative_to(mount)}"
