// Places of neighbours in a batch's list of nodes, which those that are new extend.
#include "node_list.h"

namespace gl {
namespace {

template <class I>
std::tuple<Tensor, Tensor> extend(const Tensor& node, const Tensor& neighbor) {
  static thread_local NodeList<I> nodes;
  const Releasing<NodeList<I>> releasing{nodes};
  const int64_t before = node.numel(), count = neighbor.numel();
  const I *given = data<I>(node), *come = data<I>(neighbor);
  nodes.start(false);
  for (int64_t i = 0; i < before; ++i) nodes.append(0, given[i]);
  Tensor local = make(node, {count});
  I* place = mutable_data<I>(local);
  constexpr int64_t kAhead = 16;
  for (int64_t e = 0; e < count; ++e) {
    if (e + kAhead < count) nodes.prefetch(0, come[e + kAhead]);
    place[e] = static_cast<I>(nodes.add(0, come[e]));
  }
  const int64_t more = nodes.size() - before;
  Tensor added = make(node, {more});
  if (more > 0) std::memcpy(mutable_data<I>(added), nodes.ids().data() + before, more * sizeof(I));
  return {local, added};
}

// (local, added): the place of each neighbour in `node` followed by `added`.
std::tuple<Tensor, Tensor> extend_nodes(Tensor node, Tensor neighbor) {
  check_index(node, "node", node);
  check_index(neighbor, "neighbor", node);
  node = dense(node);
  neighbor = dense(neighbor);
  return node.scalar_type() == ScalarType::Long ? extend<int64_t>(node, neighbor) : extend<int32_t>(node, neighbor);
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) { m.def("extend_nodes(Tensor node, Tensor neighbor) -> (Tensor, Tensor)"); }

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) { m.impl("extend_nodes", TORCH_BOX(&gl::extend_nodes)); }
