"""Room for the last words."""

from pathlib import Path

from penstock.store.reserve import Reserve


def test_the_reserve_takes_up_real_room_until_it_is_needed(tmp_path: Path) -> None:
    """Blocks on the disk, not only a length; given back once."""
    reserve = Reserve(tmp_path / "reserve", size=65536)

    assert reserve.take()
    assert (tmp_path / "reserve").stat().st_blocks * 512 >= 65536
    assert reserve.release()
    assert not reserve.release()


def test_the_reserve_is_not_taken_from_a_disk_that_is_nearly_full(tmp_path: Path) -> None:
    """Room that was given back for a status stays free until there is plenty."""
    reserve = Reserve(tmp_path / "reserve", size=2**60)

    assert not reserve.take()
    assert not (tmp_path / "reserve").exists()
