"""The graph of a store as it lies on disk, in files of the store or those of the user."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from torch import Tensor

from graphlab.disk import memory
from graphlab.disk.array_file import UNKNOWN_CRC, ArrayFile
from graphlab.disk.array_source import ArraySource, store_array
from graphlab.disk.csc import build_csc
from graphlab.disk.errors import CorruptStoreError, DiskError
from graphlab.disk.graph_source import GraphSource
from graphlab.disk.journal import Journal
from graphlab.disk.space import Space
from graphlab.disk.store_info import ArrayInfo


@dataclass(frozen=True)
class Parts:
    """Where everything of a graph lies.

    Args:
        num_nodes: Number of nodes.
        num_edges: Number of edges.
        features: The features of all nodes.
        graph: Its compressed sparse columns.
        node_attributes: Further arrays with a row per node.
        edge_attributes: Arrays with a row per edge, in the user's order.
        others: Further arrays that belong to the store.
    """

    num_nodes: int
    num_edges: int
    features: ArrayInfo
    graph: dict[str, ArrayInfo]
    node_attributes: dict[str, ArrayInfo]
    edge_attributes: dict[str, ArrayInfo]
    others: dict[str, ArrayInfo]

    @property
    def attributes(self) -> dict[str, ArrayInfo]:
        """All arrays besides features and graph."""
        return {**self.node_attributes, **self.edge_attributes, **self.others}


def lay_parts(
    path: Path,
    journal: Journal,
    source: GraphSource,
    memory_budget: int,
    disk_budget: int | None,
    say: Callable[[str], None],
) -> Parts:
    """Write what of a graph does not lie in usable files; each file is a unit of work.

    Args:
        path: The store.
        journal: What is done already.
        source: The graph as the user has it.
        memory_budget: Bytes of memory that the process may hold in all.
        disk_budget: Bytes that the store may take; ``None`` for what the disk has.
        say: Called with a line of text where there is something to tell.

    Raises:
        DiskError: The edges changed while they were read.
        CorruptStoreError: A file that was written before the work was cut off is not what was written.
        DiskFullError: There is no room for the files.
    """
    done = {unit["name"]: _read(unit["info"]) for unit in journal.units("array")}
    unit = journal.last("graph")
    graph = {name: _read(info) for name, info in unit["arrays"].items()} if unit else {}
    _check_content(path, [*done.values(), *graph.values()])
    arrays = {"features": source.features, **source.node_attributes, **source.edge_attributes}
    others: dict[str, ArraySource] = {} if source.input_nodes is None else {"input_nodes": source.input_nodes}
    missing = [a for name, a in {**arrays, **others}.items() if isinstance(a, Tensor) and name not in done]
    space = Space.of(path, disk_budget)
    space.check(space.held + sum(a.nbytes for a in missing), "give the features and attributes as files")

    def lay(name: str, array: ArraySource) -> ArrayInfo:
        if name not in done:
            done[name] = store_array(path, name, array)
            journal.append("array", name=name, info=asdict(done[name]))
        return done[name]

    features = lay("features", source.features)
    nodes = {name: lay(name, array) for name, array in source.node_attributes.items()}
    edges = {name: lay(name, array) for name, array in source.edge_attributes.items()}
    extra = {name: lay(name, array) for name, array in others.items()}
    if not graph:
        say("sorting the edges by target")
        room = memory.room(memory_budget, least=16 << 20) * 3 // 4
        try:
            graph = build_csc(source.edges, source.num_nodes, path, room, disk_budget)
        finally:
            # They are read more than once, and what that gave is no graph at all if they changed.
            check_unchanged(path, [each for each in source.edges.origin if not isinstance(each, Tensor)])
        source.check_edges(graph["col"].shape[0])
        memory.give_back()
        journal.append("graph", arrays={name: asdict(info) for name, info in graph.items()})
    return Parts(source.num_nodes, graph["col"].shape[0], features, graph, nodes, edges, extra)


def check_unchanged(path: Path, arrays: Iterable[ArrayInfo]) -> None:
    """Check that nobody wrote to files that a store is made from.

    Args:
        path: The store.
        arrays: The files.

    Raises:
        DiskError: Somebody did.
    """
    for info in arrays:
        stat = (path / info.path).stat()
        if (stat.st_size, stat.st_mtime_ns) != (info.size, info.mtime_ns):
            raise DiskError(
                f"{path / info.path} was written to while the store was made; delete {path} and prepare anew"
            )


def _check_content(path: Path, arrays: Iterable[ArrayInfo]) -> None:
    """Check what was written before the work was cut off."""
    for info in arrays:
        if info.crc32c == UNKNOWN_CRC:
            continue
        try:
            with ArrayFile(info, path) as array:
                array.check_content()
        except DiskError as error:
            raise CorruptStoreError(f"{error}; delete {path} and prepare anew") from error


def _read(described: dict) -> ArrayInfo:
    return ArrayInfo(**{**described, "shape": tuple(described["shape"])})
