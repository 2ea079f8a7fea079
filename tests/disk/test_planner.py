import json
from dataclasses import replace

import pytest

from graphlab.disk import DiskFullError
from graphlab.disk.planner import Plan, Volume, default_cache_bytes, make_plan
from graphlab.disk.probe import Speed
from graphlab.disk.space import Space

GB = 10**9
#: One epoch of 200 batches with 40,000 cold rows of 512 bytes each.
VOLUME = Volume(
    epochs=1,
    batches=200,
    record_bytes=GB // 5,
    pack_bytes=200 * 40_000 * 512,
    cold_rows=200 * 40_000,
    all_rows=200 * 58_000,
    hot_rows=200_000,
    hot_bytes=200_000 * 512,
    feature_bytes=100 * GB,
    other_bytes=GB,
)
DISK = Speed(bytes_per_second=GB, rows_per_second=80_000)


def plan(volume=VOLUME, mode="auto", speed=DISK, planned_epochs=50, free=100 * GB, limited=False, path="/store"):
    return make_plan(
        volume, mode, planned_epochs=planned_epochs, speed=speed, space=Space(path, volume.other_bytes, free, limited)
    )


def test_the_times_follow_from_the_figures():
    made = plan()
    assert made.packed_seconds == pytest.approx(0.2 + 4.096)
    assert made.online_seconds == pytest.approx(0.2 + 100)
    assert made.packing_seconds == pytest.approx(2 * 4.096)
    assert made.break_even_epochs == pytest.approx(8.192 / (100 - 4.096))
    assert made.needed == VOLUME.record_bytes + VOLUME.pack_bytes + VOLUME.hot_bytes + GB
    assert made.mode == "packed"
    assert "packing pays after 0.1 of the 50 planned epochs" in str(made)


def test_sampled_epochs_are_taken_in_turn():
    one, two = plan(), plan(replace(VOLUME, epochs=2, batches=400, cold_rows=2 * VOLUME.cold_rows))
    assert two.online_seconds == pytest.approx(one.online_seconds - 0.1)


def test_where_packing_does_not_pay_rows_are_read_online():
    few = plan(speed=Speed(GB, 10**7), planned_epochs=2)
    assert few.mode == "online"
    assert few.break_even_epochs is None
    assert "as fast as reading packs" in few.reason
    late = plan(speed=Speed(GB, 1.5e6), planned_epochs=5)
    assert late.mode == "online"
    assert late.reason == f"packing pays after {late.break_even_epochs:.1f} epochs only, 5 are planned"
    assert plan(speed=Speed(GB, 1.5e6), planned_epochs=50).mode == "packed"


def test_reading_all_features_bounds_what_random_rows_cost():
    small = plan(replace(VOLUME, feature_bytes=GB // 1000))
    assert small.online_seconds == pytest.approx(0.2 + 0.2)


def test_packs_that_do_not_fit_are_left_out():
    made = plan(free=4 * GB, limited=True)
    assert made.mode == "online"
    assert made.reason == "packs need 5,398,400,000 bytes of disk, 'disk_budget' allows 4,000,000,000"
    assert "there are 4,000,000,000" in plan(free=4 * GB).reason


def test_what_was_asked_for_is_done_or_refused():
    assert plan(mode="online").reason == "asked for"
    assert plan(mode="packed", speed=None, planned_epochs=1).mode == "packed"
    with pytest.raises(DiskFullError, match=r"needs 5,398,400,000 bytes, 4,000,000,000 bytes are free; free"):
        plan(mode="packed", free=4 * GB)
    with pytest.raises(DiskFullError, match=r"raise 'disk_budget', or give more 'cache_bytes'.*mode='online'"):
        plan(mode="packed", free=4 * GB, limited=True)
    with pytest.raises(DiskFullError, match=r"fewer 'epochs'$"):
        plan(mode="online", free=GB, limited=True)


def test_without_cold_rows_there_is_nothing_to_decide():
    made = plan(replace(VOLUME, cold_rows=0, pack_bytes=0), speed=None)
    assert made.mode == "packed"
    assert "all rows are hot" in str(made)


def test_plans_go_through_json():
    for made in (plan(), plan(mode="online", speed=None)):
        assert Plan.from_json(json.loads(json.dumps(made.to_json()))) == made


def test_the_hot_set_takes_a_part_of_features_and_memory():
    assert default_cache_bytes(1000, 10**6) == 100
    assert default_cache_bytes(10**9, 1000) == 250
