import random

import pytest

from graphlab.disk import CorruptStoreError
from graphlab.disk.journal import NAME, Journal


@pytest.fixture
def written(tmp_path):
    with Journal(tmp_path, "work") as journal:
        for i in range(5):
            journal.append("sample", start=i, crc=[1, 2, 3])
        journal.append("pack", stop=7, note="naïve \r\n")
    return tmp_path


def units(directory, kind="sample"):
    with Journal(directory, "work") as journal:
        return journal.units(kind)


def test_what_is_done_is_remembered(written):
    assert units(written) == [{"start": i, "crc": [1, 2, 3]} for i in range(5)]
    with Journal(written, "work") as journal:
        assert journal.last("pack") == {"stop": 7, "note": "naïve \r\n"}
        assert journal.last("other") is None
        journal.append("pack", stop=9)
    assert [u["stop"] for u in units(written, "pack")] == [7, 9]


def test_a_torn_last_line_is_cut_off_wherever_it_is_torn(written):
    content = (written / NAME).read_bytes()
    last = content[:-1].rfind(b"\n") + 1
    for end in range(last, len(content)):
        (written / NAME).write_bytes(content[:end])
        with Journal(written, "work") as journal:
            assert journal.units("pack") == []
            assert len(journal.units("sample")) == 5
            journal.append("pack", stop=8)
        assert units(written, "pack") == [{"stop": 8}]


def test_a_last_line_of_zeros_is_cut_off(written):
    with (written / NAME).open("ab") as file:
        file.write(bytes(5000))
    assert len(units(written)) == 5
    assert not (written / NAME).read_bytes().endswith(b"\0")


def test_a_torn_first_line_is_written_anew(tmp_path):
    Journal(tmp_path, "work").close()
    content = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(content[:-5])
    assert units(tmp_path) == []
    assert (tmp_path / NAME).read_bytes() == content


def test_a_damaged_earlier_line_is_never_believed(written):
    content = (written / NAME).read_bytes()
    last = content[:-1].rfind(b"\n") + 1
    for bit in random.Random(0).sample(range(8 * (last - 1)), 300):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        (written / NAME).write_bytes(flipped)
        with pytest.raises(CorruptStoreError, match=r"damaged in line \d"):
            Journal(written, "work")


def test_other_work_is_refused(written):
    with pytest.raises(CorruptStoreError, match="of other work"):
        Journal(written, "another")
