// Neighbour sampling of many mini-batches at once, in parallel: batches are independent of each other.
#include "neighbor_sampler.h"
#include "sampler_tensors.h"

namespace gl {
namespace {

template <class T>
std::unique_ptr<T[]> copied(const Buffer<T>& values) {
  std::unique_ptr<T[]> copy(new T[values.size()]);
  if (values.size() > 0) std::memcpy(copy.get(), values.data(), values.size() * sizeof(T));
  return copy;
}

// What one mini-batch gave, or why it failed.
template <class I>
struct Batch {
  std::unique_ptr<I[]> node, neighbor, expanded, edge;
  int64_t nodes = 0, edges = 0;
  std::vector<int64_t> nodes_per_hop, edges_per_hop;
  std::string error;
};

template <class I>
Batch<I> sample_batch(const Plan<I>& plan, const Seeds<I>& seeds, uint64_t key) {
  static thread_local NeighborSampler<I> sampler;
  Batch<I> batch;
  try {
    sampler.sample(plan, {seeds}, key);
    const Edges<I>& edges = sampler.edges[0];
    batch.node = copied(sampler.nodes[0].ids());
    batch.neighbor = copied(edges.neighbor);
    batch.expanded = copied(edges.expanded);
    batch.edge = copied(edges.edge);
    batch.nodes = sampler.nodes[0].size();
    batch.edges = edges.edge.size();
    batch.nodes_per_hop = sampler.nodes_per_hop[0];
    batch.edges_per_hop = edges.per_hop;
    sampler.release();
  } catch (const std::exception& error) {
    batch.error = error.what();
  }
  return batch;
}

template <class I, class Part>
Tensor join(const Tensor& like, const std::vector<Batch<I>>& batches, const int64_t* ptr, Part part) {
  const int64_t count = static_cast<int64_t>(batches.size());
  Tensor joined = make(like, {ptr[count]});
  I* out = mutable_data<I>(joined);
  parallel(count, kSerial, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      if (ptr[b + 1] > ptr[b]) std::memcpy(out + ptr[b], part(batches[b]), (ptr[b + 1] - ptr[b]) * sizeof(I));
  });
  return joined;
}

template <class I, class Length>
Tensor pointers(const Tensor& like, const std::vector<Batch<I>>& batches, Length length) {
  Tensor ptr = make(like, {static_cast<int64_t>(batches.size()) + 1}, ScalarType::Long);
  int64_t* out = mutable_data<int64_t>(ptr);
  out[0] = 0;
  for (size_t b = 0; b < batches.size(); ++b) out[b + 1] = out[b] + length(batches[b]);
  return ptr;
}

template <class I, class Part>
Tensor table(const Tensor& like, const std::vector<Batch<I>>& batches, int64_t columns, Part part) {
  Tensor t = make(like, {static_cast<int64_t>(batches.size()), columns}, ScalarType::Long);
  int64_t* out = mutable_data<int64_t>(t);
  for (const auto& batch : batches) out = std::copy(part(batch).begin(), part(batch).end(), out);
  return t;
}

using Returned = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

template <class I>
Returned sample_all(const Plan<I>& plan, const Tensor& seed, const Tensor& seed_ptr, const Tensor& keys) {
  const Seeds<I> seeds = seeds_of<I>(seed, plan.types[0].size, seed);
  const int64_t count = keys.numel();
  const int64_t *ptr = data<int64_t>(seed_ptr), *key = data<int64_t>(keys);
  std::vector<Batch<I>> batches(count);
  parallel(count, kSerial, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b)
      batches[b] = sample_batch(plan, {seeds.id + ptr[b], ptr[b + 1] - ptr[b]}, static_cast<uint64_t>(key[b]));
  });
  for (int64_t b = 0; b < count; ++b)
    STD_TORCH_CHECK(batches[b].error.empty(), "batch ", b, ": ", batches[b].error);
  const Tensor node_ptr = pointers(seed, batches, [](const Batch<I>& batch) { return batch.nodes; });
  const Tensor edge_ptr = pointers(seed, batches, [](const Batch<I>& batch) { return batch.edges; });
  const int64_t *nodes = data<int64_t>(node_ptr), *edges = data<int64_t>(edge_ptr);
  return {join(seed, batches, nodes, [](const Batch<I>& batch) { return batch.node.get(); }),
          node_ptr,
          join(seed, batches, edges, [](const Batch<I>& batch) { return batch.neighbor.get(); }),
          join(seed, batches, edges, [](const Batch<I>& batch) { return batch.expanded.get(); }),
          join(seed, batches, edges, [](const Batch<I>& batch) { return batch.edge.get(); }),
          edge_ptr,
          table(seed, batches, plan.hops + 1, [](const Batch<I>& batch) -> const auto& { return batch.nodes_per_hop; }),
          table(seed, batches, plan.hops, [](const Batch<I>& batch) -> const auto& { return batch.edges_per_hop; })};
}

// The seeds of batch b are those from seed_ptr[b] on, up to seed_ptr[b + 1].
Returned neighbor_sample_batches(Tensor rowptr, Tensor col, Tensor seed, Tensor seed_ptr,
                                 std::vector<int64_t> num_neighbors, Tensor keys, std::optional<Tensor> edge_weight,
                                 bool replace, bool labor) {
  const int64_t hops = static_cast<int64_t>(num_neighbors.size());
  STD_TORCH_CHECK(hops <= kMaxHops, "'num_neighbors' must have at most ", kMaxHops, " hops, got ", hops);
  STD_TORCH_CHECK(!replace || !labor, "'replace' does not go with 'labor'");
  check_dim(keys, "keys", 1);
  STD_TORCH_CHECK(keys.scalar_type() == ScalarType::Long, "'keys' must be int64");
  STD_TORCH_CHECK(seed_ptr.scalar_type() == ScalarType::Long, "'seed_ptr' must be int64");
  check_index(seed, "seed", rowptr);
  check_ptr(seed_ptr, "seed_ptr", seed.numel());
  STD_TORCH_CHECK(seed_ptr.numel() == keys.numel() + 1, "'seed_ptr' must have ", keys.numel() + 1, " entries, got ",
                  seed_ptr.numel());
  rowptr = dense(rowptr);
  col = dense(col);
  seed = dense(seed);
  seed_ptr = dense(seed_ptr);
  keys = dense(keys);
  edge_weight = dense(edge_weight);
  auto run = [&](auto index) -> Returned {
    using I = decltype(index);
    Plan<I> plan;
    plan.hops = hops;
    plan.replace = replace;
    plan.labor = labor;
    plan.relations.push_back(relation_of<I>(rowptr, col, edge_weight));
    plan.relations[0].num_neighbors = num_neighbors.data();
    plan.types.push_back({plan.relations[0].rows});
    return sample_all(plan, seed, seed_ptr, keys);
  };
  return rowptr.scalar_type() == ScalarType::Long ? run(int64_t{}) : run(int32_t{});
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("neighbor_sample_batches(Tensor rowptr, Tensor col, Tensor seed, Tensor seed_ptr, int[] num_neighbors, Tensor keys, Tensor? edge_weight, bool replace, bool labor) -> (Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("neighbor_sample_batches", TORCH_BOX(&gl::neighbor_sample_batches));
}
