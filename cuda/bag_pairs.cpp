// The pairs of nodes that share a bag, numbered: every node with itself, then the others by row and column.
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <numeric>

#include "make_or_tell.h"

namespace gl {
namespace {

// Rows that a thread takes at a time: few, because hubs have pairs with thousands.
constexpr int64_t kRowsAtATime = 64;

// Bags, and of each node the places where it stands in them, in the order of the bags.
template <class I>
struct Bags {
  const I* node;
  const int64_t* ptr;
  std::vector<int64_t> pair_ptr;  // where the pairs of each bag begin
  std::vector<int64_t> place_ptr, place, bag;

  Bags(const I* node, const int64_t* ptr, int64_t count, int64_t num_nodes)
      : node(node), ptr(ptr), pair_ptr(count + 1), place_ptr(num_nodes + 1), place(ptr[count]), bag(ptr[count]) {
    for (int64_t s = 0; s < ptr[count]; ++s) ++place_ptr[node[s] + 1];
    std::partial_sum(place_ptr.begin(), place_ptr.end(), place_ptr.begin());
    std::vector<int64_t> next(place_ptr.begin(), place_ptr.end() - 1);
    for (int64_t b = 0; b < count; ++b) {
      const int64_t m = ptr[b + 1] - ptr[b];
      pair_ptr[b + 1] = pair_ptr[b] + m * m;
      for (int64_t s = ptr[b]; s < ptr[b + 1]; ++s) {
        const I v = node[s];
        STD_TORCH_CHECK(next[v] == place_ptr[v] || bag[next[v] - 1] != b,
                        "'node' must name a node once in each bag, but bag ", b, " holds node ", v, " twice");
        place[next[v]] = s;
        bag[next[v]++] = b;
      }
    }
  }

  int64_t num_nodes() const { return static_cast<int64_t>(place_ptr.size()) - 1; }

  // Calls f(bag, place) where the node stands.
  template <class F>
  void each_place(int64_t v, F f) const {
    for (int64_t i = place_ptr[v]; i < place_ptr[v + 1]; ++i) f(bag[i], place[i]);
  }
};

template <class I>
struct Pairs {
  I *row, *col, *pair;
};

// What a thread notes about each node while it works on a row.
template <class I>
class Notes {
 public:
  explicit Notes(const Bags<I>& bags)
      // Unlike a vector's, these zeros take no memory for nodes that no row meets.
      : bags_(bags), of_(static_cast<I*>(std::calloc(bags.num_nodes() + 1, sizeof(I))), &std::free) {
    if (!of_) throw std::bad_alloc();
  }

  // Lists the other nodes that share a bag with this one, in the order in which they are met; returns their number.
  int64_t list(int64_t v, I* others) {
    const I seen = static_cast<I>(v + 1);
    of_[v] = seen;
    int64_t size = 0;
    bags_.each_place(v, [&](int64_t b, int64_t) {
      for (int64_t q = bags_.ptr[b]; q < bags_.ptr[b + 1]; ++q) {
        // No branch: it would be guessed wrong half of the time.
        const I other = bags_.node[q];
        others[size] = other;
        size += of_[other] != seen;
        of_[other] = seen;
      }
    });
    return size;
  }

  // Writes the pairs of a row, whose columns stand sorted from `first` to `last`.
  void write(int64_t v, int64_t first, int64_t last, const Pairs<I>& out) {
    out.row[v] = out.col[v] = of_[v] = static_cast<I>(v);
    for (int64_t k = first; k < last; ++k) {
      out.row[k] = static_cast<I>(v);
      of_[out.col[k]] = static_cast<I>(k);
    }
    bags_.each_place(v, [&](int64_t b, int64_t s) {
      const int64_t begin = bags_.ptr[b], end = bags_.ptr[b + 1];
      I* to = out.pair + bags_.pair_ptr[b] + (s - begin) * (end - begin);
      for (int64_t q = begin; q < end; ++q) *to++ = of_[bags_.node[q]];
    });
  }

 private:
  const Bags<I>& bags_;
  std::unique_ptr<I[], decltype(&std::free)> of_;
};

// Calls f(notes, v) for each node, in any order, on torch's threads.
template <class I, class F>
void each_row(const Bags<I>& bags, F f) {
  std::atomic<int64_t> next{0};
  std::atomic<bool> no_memory{false};
  const int64_t rows = bags.num_nodes();
  const auto work = [&](int64_t, int64_t) {
    try {
      Notes<I> notes(bags);
      for (int64_t begin; !no_memory && (begin = next.fetch_add(kRowsAtATime)) < rows;)
        for (int64_t v = begin; v < std::min(begin + kRowsAtATime, rows); ++v) f(notes, v);
    } catch (const std::bad_alloc&) {
      no_memory = true;
    }
  };
  const int64_t takes = (rows + kRowsAtATime - 1) / kRowsAtATime;
  const int64_t workers = std::min<int64_t>(torch::stable::get_num_threads(), takes);
  if (workers > 1) torch::stable::parallel_for(0, workers, 1, work);
  else if (workers == 1) work(0, 1);
  STD_TORCH_CHECK(!no_memory, "not enough memory to number the pairs of 'num_nodes' = ", rows, " nodes with ", workers,
                  " threads, which takes up to 8 bytes for each node and thread");
}

// Where the list of each node's others may begin: as far apart as all that there is to meet.
template <class I>
std::vector<int64_t> list_ptr(const Bags<I>& bags) {
  std::vector<int64_t> begin(bags.num_nodes() + 1);
  for (int64_t v = 0; v < bags.num_nodes(); ++v) {
    begin[v + 1] = begin[v];
    bags.each_place(v, [&](int64_t b, int64_t) { begin[v + 1] += bags.ptr[b + 1] - bags.ptr[b]; });
  }
  return begin;
}

using Result = std::tuple<Tensor, Tensor, Tensor, Tensor>;

template <class I>
Result number(const Tensor& node, const int64_t* ptr, int64_t count, int64_t num_nodes) {
  const Bags<I> bags(data<I>(node), ptr, count, num_nodes);
  const auto part = [&](int64_t size) {
    return make_or_tell(node, {size}, node.scalar_type(), "not enough memory for the " +
                        std::to_string(bags.pair_ptr[count]) + " pairs of places in the bags of 'node_ptr'");
  };
  Tensor pair = part(bags.pair_ptr[count]);
  // Until the pairs are numbered, lists of their nodes stand in their place.
  I* lists = mutable_data<I>(pair);
  const std::vector<int64_t> list = list_ptr(bags);
  std::vector<int64_t> first(num_nodes + 1, num_nodes);
  each_row(bags, [&](Notes<I>& notes, int64_t v) { first[v + 1] = notes.list(v, lists + list[v]); });
  std::partial_sum(first.begin(), first.end(), first.begin());
  const int64_t size = first[num_nodes];
  Tensor row = part(size), col = part(size), transposed = part(size);
  const Pairs<I> all{mutable_data<I>(row), mutable_data<I>(col), lists};
  // With (v, j) there is (j, v): what each row gets of v, which only grows, comes sorted.
  std::vector<int64_t> next(first);
  for (int64_t v = 0; v < num_nodes; ++v)
    for (int64_t i = 0; i < first[v + 1] - first[v]; ++i) all.col[next[lists[list[v] + i]]++] = static_cast<I>(v);
  each_row(bags, [&](Notes<I>& notes, int64_t v) { notes.write(v, first[v], first[v + 1], all); });
  I* to = mutable_data<I>(transposed);
  std::iota(to, to + num_nodes, I{0});
  for (int64_t k = num_nodes; k < size; ++k) to[k] = static_cast<I>(first[all.col[k]]++);
  return {row, col, pair, transposed};
}

// (row, col, pair, transposed), of the type of `node`.
Result bag_pairs(Tensor node, Tensor node_ptr, int64_t num_nodes) {
  check_index(node, "node", node);
  check_ptr(node_ptr, "node_ptr", node.numel());
  STD_TORCH_CHECK(node_ptr.scalar_type() == ScalarType::Long, "'node_ptr' must be int64");
  STD_TORCH_CHECK(num_nodes >= 0, "'num_nodes' must not be negative, got ", num_nodes);
  check_range(node, "node", num_nodes);
  node = dense(node);
  node_ptr = dense(node_ptr);
  const int64_t* ptr = data<int64_t>(node_ptr);
  const int64_t count = node_ptr.numel() - 1;
  if (node.scalar_type() == ScalarType::Long) return number<int64_t>(node, ptr, count, num_nodes);
  int64_t most = num_nodes;
  for (int64_t b = 0; b < count; ++b) most += (ptr[b + 1] - ptr[b]) * (ptr[b + 1] - ptr[b]);
  STD_TORCH_CHECK(most <= std::numeric_limits<int32_t>::max(), "'node' must be int64 for up to ", most, " pairs");
  return number<int32_t>(node, ptr, count, num_nodes);
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("bag_pairs(Tensor node, Tensor node_ptr, int num_nodes) -> (Tensor, Tensor, Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) { m.impl("bag_pairs", TORCH_BOX(&gl::bag_pairs)); }
