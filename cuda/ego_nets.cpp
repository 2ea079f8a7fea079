// Ego nets: around each root the nodes within some hops of it, and all edges among them.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

#include "library.h"

namespace gl {
namespace {

// Roots that a thread takes at a time: few, because nets differ in size by orders of magnitude.
constexpr int64_t kRootsAtATime = 16;
// Nodes whose edges are asked for ahead: in a large graph they lie anywhere in memory.
constexpr int64_t kAhead = 4;

template <class I>
struct Adjacency {
  const I* rowptr;
  const I* col;
  int64_t size;
};

template <class I>
struct Net {
  I *node, *hop, *row, *col, *edge;
};

// One net after another, its nodes in the order in which a breadth-first search meets them.
template <class I>
class Search {
 public:
  explicit Search(const Adjacency<I>& graph)
      // Unlike a vector's, these zeros take no memory where no search comes by.
      : graph_(graph), place_(static_cast<int32_t*>(std::calloc(graph.size, sizeof(int32_t))), &std::free) {
    if (!place_) throw std::bad_alloc();
  }

  void run(I root, int64_t num_hops) {
    for (const I node : nodes_) place_[node] = 0;
    nodes_.clear();
    hop_ptr_.assign(1, 0);
    meet(root);
    while (static_cast<int64_t>(hop_ptr_.size()) <= num_hops && hop_ptr_.back() < num_nodes()) {
      const int64_t begin = hop_ptr_.back(), end = num_nodes();
      hop_ptr_.push_back(end);
      for (int64_t i = begin; i < end; ++i) each_edge(i, [&](I e) { meet(graph_.col[e]); });
    }
  }

  int64_t num_nodes() const { return static_cast<int64_t>(nodes_.size()); }

  int64_t count_edges() const {
    int64_t count = 0, i = 0;
    // All neighbours of these were met.
    for (; i < hop_ptr_.back(); ++i) count += graph_.rowptr[nodes_[i] + 1] - graph_.rowptr[nodes_[i]];
    for (; i < num_nodes(); ++i) {
      coming(i);
      each_edge(i, [&](I e) { count += place_[graph_.col[e]] != 0; });
    }
    return count;
  }

  void write(const Net<I>& net, int64_t num_edges) const {
    size_t hop = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < num_nodes(); ++i) {
      if (hop + 1 < hop_ptr_.size() && i == hop_ptr_[hop + 1]) ++hop;
      net.node[i] = nodes_[i];
      net.hop[i] = static_cast<I>(hop);
      coming(i);
      const I end = graph_.rowptr[nodes_[i] + 1];
      // An edge is written before it is known to stay, so that no branch is mispredicted; once all are found there is
      // no place left for another.
      for (I e = graph_.rowptr[nodes_[i]]; e < end && at < num_edges; ++e) {
        const int32_t place = place_[graph_.col[e]];
        net.row[at] = static_cast<I>(i);
        net.col[at] = place - 1;
        net.edge[at] = e;
        at += place != 0;
      }
    }
  }

 private:
  void meet(I node) {
    if (place_[node]) return;
    __builtin_prefetch(graph_.rowptr + node);
    nodes_.push_back(node);
    place_[node] = static_cast<int32_t>(nodes_.size());
  }

  // Asks for the edges of a node that is soon to be read.
  void coming(int64_t i) const {
    if (i + kAhead < num_nodes()) __builtin_prefetch(graph_.col + graph_.rowptr[nodes_[i + kAhead]]);
  }

  template <class F>
  void each_edge(int64_t i, F f) const {
    const I end = graph_.rowptr[nodes_[i] + 1];
    for (I e = graph_.rowptr[nodes_[i]]; e < end; ++e) f(e);
  }

  Adjacency<I> graph_;
  std::unique_ptr<int32_t[], decltype(&std::free)> place_;  // in the net, counted from 1; 0 outside
  std::vector<I> nodes_;
  std::vector<int64_t> hop_ptr_;  // the first node of each hop; those of the last one were not asked for neighbours
};

// Calls f(i, search) with the net of each root, in any order, on torch's threads.
template <class I, class F>
void each_net(const Adjacency<I>& graph, const int64_t* roots, int64_t count, int64_t num_hops, F f) {
  std::atomic<int64_t> next{0};
  std::atomic<bool> no_memory{false};
  const auto work = [&](int64_t, int64_t) {
    try {
      Search<I> search(graph);
      for (int64_t begin; !no_memory && (begin = next.fetch_add(kRootsAtATime)) < count;)
        for (int64_t i = begin; i < std::min(begin + kRootsAtATime, count); ++i) {
          search.run(static_cast<I>(roots ? roots[i] : i), num_hops);
          f(i, search);
        }
    } catch (const std::bad_alloc&) {
      no_memory = true;
    }
  };
  const int64_t takes = (count + kRootsAtATime - 1) / kRootsAtATime;
  const int64_t workers = std::min<int64_t>(torch::stable::get_num_threads(), takes);
  if (workers > 1) torch::stable::parallel_for(0, workers, 1, work);
  else if (workers == 1) work(0, 1);
  STD_TORCH_CHECK(!no_memory, "not enough memory to search a graph of ", graph.size, " nodes with ", workers,
                  " threads, which takes 4 to 12 bytes for each node and thread; torch.set_num_threads lessens them");
}

using Nets = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

Tensor make_or_tell(const Tensor& like, int64_t size, ScalarType dtype, const std::string& what) {
  try {
    return make(like, {size}, dtype);
  } catch (const std::exception&) {
    STD_TORCH_CHECK(false, "not enough memory for ", what, "; give fewer 'nodes' or 'num_hops' at a time");
  }
}

template <class I>
Nets extract(const Tensor& rowptr, const Tensor& col, int64_t num_hops, const int64_t* roots, int64_t count) {
  const Adjacency<I> graph{data<I>(rowptr), data<I>(col), rowptr.numel() - 1};
  const auto boundaries = [&] {
    return make_or_tell(rowptr, count + 1, ScalarType::Long,
                        "the boundaries of " + std::to_string(count) + " ego nets");
  };
  Tensor node_ptr = boundaries(), edge_ptr = boundaries();
  int64_t *first_node = mutable_data<int64_t>(node_ptr), *first_edge = mutable_data<int64_t>(edge_ptr);
  first_node[0] = first_edge[0] = 0;
  each_net(graph, roots, count, num_hops, [&](int64_t i, const Search<I>& search) {
    first_node[i + 1] = search.num_nodes();
    first_edge[i + 1] = search.count_edges();
  });
  for (int64_t i = 0; i < count; ++i) {
    first_node[i + 1] += first_node[i];
    first_edge[i + 1] += first_edge[i];
  }
  const int64_t nodes = first_node[count], edges = first_edge[count];
  const auto part = [&](int64_t size) {
    return make_or_tell(rowptr, size, rowptr.scalar_type(),
                        "the ego nets, which have " + std::to_string(nodes) + " nodes and " + std::to_string(edges) +
                            " edges together");
  };
  Tensor node = part(nodes), hop = part(nodes), row = part(edges), local_col = part(edges), edge = part(edges);
  const Net<I> all{mutable_data<I>(node), mutable_data<I>(hop), mutable_data<I>(row), mutable_data<I>(local_col),
                   mutable_data<I>(edge)};
  each_net(graph, roots, count, num_hops, [&](int64_t i, const Search<I>& search) {
    const int64_t n = first_node[i], e = first_edge[i];
    search.write({all.node + n, all.hop + n, all.row + e, all.col + e, all.edge + e}, first_edge[i + 1] - e);
  });
  return {node, node_ptr, hop, row, local_col, edge, edge_ptr};
}

// (node, node_ptr, hop, row, col, edge, edge_ptr): counted first, then written where they belong.
Nets ego_nets(Tensor rowptr, Tensor col, int64_t num_hops, std::optional<Tensor> nodes) {
  check_index(col, "col", rowptr);
  check_ptr(rowptr, "rowptr", col.numel());
  const int64_t size = rowptr.numel() - 1;
  check_range(col, "col", size);
  STD_TORCH_CHECK(num_hops >= 0, "'num_hops' must not be negative, got ", num_hops);
  STD_TORCH_CHECK(size < std::numeric_limits<int32_t>::max(), "'rowptr' must describe less than 2^31 - 1 nodes, got ",
                  size);
  if (nodes) {
    check_dim(*nodes, "nodes", 1);
    STD_TORCH_CHECK(nodes->scalar_type() == ScalarType::Long, "'nodes' must be int64");
    check_range(*nodes, "nodes", size);
  }
  rowptr = dense(rowptr);
  col = dense(col);
  nodes = dense(nodes);
  const int64_t count = nodes ? nodes->numel() : size;
  if (rowptr.scalar_type() == ScalarType::Long)
    return extract<int64_t>(rowptr, col, num_hops, data<int64_t>(nodes), count);
  return extract<int32_t>(rowptr, col, num_hops, data<int64_t>(nodes), count);
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def(
      "ego_nets(Tensor rowptr, Tensor col, int num_hops, Tensor? nodes)"
      " -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) { m.impl("ego_nets", TORCH_BOX(&gl::ego_nets)); }
