// Picks of neighbours before the neighbours are read: what a topology on disk is streamed with.
#include <atomic>
#include <exception>
#include <string>

#include "library.h"
#include "make_or_tell.h"
#include "pick.h"

namespace gl {
namespace {

template <class I>
void check_row(const I* rowptr, int64_t rows, I node) {
  STD_TORCH_CHECK(node >= 0 && static_cast<int64_t>(node) < rows, "'node' must lie in [0, ", rows, "), got ", node);
  STD_TORCH_CHECK(rowptr[node] >= 0 && rowptr[node] <= rowptr[node + 1], "'rowptr' must not decrease nor be negative, ",
                  "but the edges of node ", node, " run from ", rowptr[node], " to ", rowptr[node + 1]);
}

template <class I>
void pick_some(const I* rowptr, const I* node, const int64_t* key, int64_t hop, int64_t k, bool replace, int64_t begin,
               int64_t end, const int64_t* ptr, I* position) {
  Picker picker;
  for (int64_t i = begin; i < end; ++i) {
    const int64_t first = rowptr[node[i]], degree = rowptr[node[i] + 1] - first, picked = ptr[i + 1] - ptr[i];
    I* out = position + ptr[i];
    const Stream stream(static_cast<uint64_t>(key[i]), 0, hop, static_cast<uint64_t>(node[i]));
    if (k < 0 || (!replace && degree <= k)) {
      for (int64_t j = 0; j < picked; ++j) out[j] = static_cast<I>(first + j);
      continue;
    }
    if (replace) Picker::repeated(stream, degree, picked, out);
    else picker.uniform(stream, degree, picked, out);
    for (int64_t j = 0; j < picked; ++j) out[j] += static_cast<I>(first);
  }
}

template <class I>
std::tuple<Tensor, Tensor> pick_all(const Tensor& rowptr_, const Tensor& node_, const Tensor& key_, int64_t hop, int64_t k,
                                    bool replace) {
  const int64_t rows = rowptr_.numel() - 1, count = node_.numel();
  const I *rowptr = data<I>(rowptr_), *node = data<I>(node_);
  const int64_t* key = data<int64_t>(key_);
  Tensor ptr_ = make(rowptr_, {count + 1}, ScalarType::Long);
  int64_t* ptr = mutable_data<int64_t>(ptr_);
  ptr[0] = 0;
  constexpr int64_t kAhead = 16, kMost = (int64_t{1} << 60) / sizeof(I);
  for (int64_t i = 0; i < count; ++i) {
    if (i + kAhead < count && node[i + kAhead] >= 0 && node[i + kAhead] < rows)
      __builtin_prefetch(&rowptr[node[i + kAhead]]);
    check_row(rowptr, rows, node[i]);
    const int64_t degree = rowptr[node[i] + 1] - rowptr[node[i]];
    const int64_t picked = k < 0 || (!replace && degree <= k) ? degree : degree == 0 ? 0 : k;
    STD_TORCH_CHECK(picked <= kMost - ptr[i], "'rowptr' and 'num_neighbors' ask for too many picks: node ", node[i], " has ",
                    degree, " edges; look whether 'rowptr' is damaged");
    ptr[i + 1] = ptr[i] + picked;
  }
  Tensor position_ = make_or_tell(rowptr_, {ptr[count]}, rowptr_.scalar_type(),
                                  "'rowptr' and 'num_neighbors' ask for too many picks: there is no memory for " +
                                      std::to_string(ptr[count]));
  I* position = mutable_data<I>(position_);
  std::atomic<bool> full{false};
  parallel(count, std::max<int64_t>(16, k), [&](int64_t begin, int64_t end) {
    try {
      pick_some(rowptr, node, key, hop, k, replace, begin, end, ptr, position);
    } catch (const std::exception&) {  // of memory; must not leave the thread
      full = true;
    }
  });
  STD_TORCH_CHECK(!full, "'rowptr' tells of a node with so many edges that memory does not suffice to pick ", k);
  return {position_, ptr_};
}

// (position, ptr): what is picked for node i with key i are the positions from ptr[i] on, up to ptr[i + 1].
std::tuple<Tensor, Tensor> pick_positions(Tensor rowptr, Tensor node, Tensor key, int64_t hop, int64_t num_neighbors,
                                          bool replace) {
  check_index(rowptr, "rowptr", rowptr);
  check_index(node, "node", rowptr);
  check_dim(key, "key", 1);
  STD_TORCH_CHECK(rowptr.numel() > 0, "'rowptr' must have one entry more than there are nodes, got none");
  STD_TORCH_CHECK(key.scalar_type() == ScalarType::Long, "'key' must be int64");
  STD_TORCH_CHECK(key.numel() == node.numel(), "'key' must have ", node.numel(), " entries, got ", key.numel());
  STD_TORCH_CHECK(hop >= 0 && hop < kMaxHops, "'hop' must lie in [0, ", kMaxHops, "), got ", hop);
  rowptr = dense(rowptr);
  node = dense(node);
  key = dense(key);
  if (rowptr.scalar_type() == ScalarType::Long) return pick_all<int64_t>(rowptr, node, key, hop, num_neighbors, replace);
  return pick_all<int32_t>(rowptr, node, key, hop, num_neighbors, replace);
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("pick_positions(Tensor rowptr, Tensor node, Tensor key, int hop, int num_neighbors, bool replace) -> (Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) { m.impl("pick_positions", TORCH_BOX(&gl::pick_positions)); }
