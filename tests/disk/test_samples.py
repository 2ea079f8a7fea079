import pytest
import torch

from graphlab.disk import CorruptStoreError
from graphlab.disk.journal import Journal
from graphlab.disk.samples import Samples

BATCHES = [torch.randint(256, (n,), dtype=torch.uint8) for n in (100, 64, 4096, 1, 300)]


@pytest.fixture
def written(tmp_path):
    with Journal(tmp_path, "work") as journal:
        samples = Samples(tmp_path / "scratch", journal)
        samples.append(BATCHES[:2], [5, 6])
        samples.append(iter(BATCHES[2:]), [7, 8, 9])
    return tmp_path


def test_batches_are_read_as_they_were_written(written):
    with Journal(written, "work") as journal:
        samples = Samples(written / "scratch", journal)
    assert len(samples) == 5
    assert [samples.size(i) for i in range(5)] == [len(b) for b in BATCHES]
    assert [samples.nodes(i) for i in range(5)] == [5, 6, 7, 8, 9]
    for numbers in (range(5), [4, 0, 3], []):
        read = list(samples.read(numbers))
        assert all(torch.equal(a, BATCHES[i]) for a, i in zip(read, numbers, strict=True))


def test_a_group_that_was_not_noted_is_written_again(written):
    (written / "scratch" / "samples-00000005.bin").write_bytes(b"what a crash left behind" * 100)
    with Journal(written, "work") as journal:
        samples = Samples(written / "scratch", journal)
        samples.append([BATCHES[1]], [2])
        assert torch.equal(*samples.read([5]), BATCHES[1])


def test_damage_is_noticed(written):
    file = written / "scratch" / "samples-00000002.bin"
    content = bytearray(file.read_bytes())
    content[4098] ^= 4
    file.write_bytes(content)
    with Journal(written, "work") as journal:
        samples = Samples(written / "scratch", journal)
    list(samples.read([0, 1, 2, 3]))
    with pytest.raises(CorruptStoreError, match=r"samples-00000002\.bin is damaged: the checksum of batch 4"):
        list(samples.read([4]))
