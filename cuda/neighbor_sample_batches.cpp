// Neighbour sampling of many mini-batches at once, in parallel: batches are independent of each other.
#include "neighbor_sampler.h"
#include "sampler_tensors.h"

namespace gl {
namespace {

// What consecutive mini-batches gave, one after the other; `error` says why batch `failed` is not among them.
template <class I>
struct Chunk {
  Buffer<I> node, neighbor, expanded, edge;
  std::vector<int64_t> nodes, edges;  // of each batch
  std::vector<int64_t> nodes_per_hop, edges_per_hop;
  int64_t failed = 0;
  std::string error;
};

template <class I>
void append(Chunk<I>& chunk, const NeighborSampler<I>& sampler) {
  const Edges<I>& edges = sampler.edges[0];
  chunk.node.append(sampler.nodes[0].ids());
  chunk.neighbor.append(edges.neighbor);
  chunk.expanded.append(edges.expanded);
  chunk.edge.append(edges.edge);
  chunk.nodes.push_back(sampler.nodes[0].size());
  chunk.edges.push_back(edges.edge.size());
  const auto& hops = sampler.nodes_per_hop[0];
  chunk.nodes_per_hop.insert(chunk.nodes_per_hop.end(), hops.begin(), hops.end());
  chunk.edges_per_hop.insert(chunk.edges_per_hop.end(), edges.per_hop.begin(), edges.per_hop.end());
}

// A guess at the room that so many times what is there needs. It may be far off, so that it must not cost much.
template <class I>
void reserve(Buffer<I>& buffer, double times) {
  constexpr int64_t kMost = (int64_t{64} << 20) / sizeof(I);
  const double more = static_cast<double>(buffer.size()) * (times * 1.0625 - 1);
  try {
    buffer.reserve(buffer.size() + static_cast<int64_t>(std::clamp<double>(more, 0, kMost)));
  } catch (const std::bad_alloc&) {
    // It grows as it must.
  }
}

template <class I>
void reserve(Chunk<I>& chunk, double times) {
  for (auto* each : {&chunk.node, &chunk.neighbor, &chunk.expanded, &chunk.edge}) reserve(*each, times);
}

// The seeds of batch b are those from ptr[b] on, up to ptr[b + 1].
template <class I>
Chunk<I> sample_chunk(const Plan<I>& plan, const I* seed, const int64_t* ptr, const int64_t* key, int64_t begin, int64_t end) {
  static thread_local NeighborSampler<I> sampler;
  const Releasing<NeighborSampler<I>> releasing{sampler};
  Chunk<I> chunk;
  int64_t& b = chunk.failed = begin;
  try {
    for (; b < end; ++b) {
      const int64_t seeds = ptr[b + 1] - ptr[b];
      sampler.sample(plan, {{seed + ptr[b], seeds}}, static_cast<uint64_t>(key[b]));
      append(chunk, sampler);
      // The others need about as much room for each seed.
      if (b == begin && seeds > 0) reserve(chunk, static_cast<double>(ptr[end] - ptr[begin]) / seeds);
    }
  } catch (const std::bad_alloc&) {
    chunk.error = kNoMemory;
  } catch (const std::exception& error) {
    chunk.error = error.what();
  }
  return chunk;
}

template <class T, class I, class Part>
Tensor join(const Tensor& like, const std::vector<Chunk<I>>& chunks, std::vector<int64_t> sizes, ScalarType type, Part part) {
  Tensor joined = make_or_tell(like, std::move(sizes), type, kNoMemory);
  T* out = mutable_data<T>(joined);
  for (const auto& chunk : chunks) {
    const auto& items = part(chunk);
    if (items.size() > 0) std::memcpy(out, items.data(), items.size() * sizeof(T));
    out += items.size();
  }
  return joined;
}

template <class I, class Part>
Tensor pointers(const Tensor& like, const std::vector<Chunk<I>>& chunks, int64_t batches, Part part) {
  Tensor ptr = make(like, {batches + 1}, ScalarType::Long);
  int64_t* out = mutable_data<int64_t>(ptr);
  *out = 0;
  for (const auto& chunk : chunks)
    for (const int64_t size : part(chunk)) {
      out[1] = out[0] + size;
      ++out;
    }
  return ptr;
}

using Returned = std::tuple<Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor>;

template <class I>
Returned sample_all(const Plan<I>& plan, const Tensor& seed, const Tensor& seed_ptr, const Tensor& keys) {
  const Seeds<I> seeds = seeds_of<I>(seed, plan.types[0].size, seed);
  const int64_t count = keys.numel();
  const int64_t *ptr = data<int64_t>(seed_ptr), *key = data<int64_t>(keys);
  std::vector<Chunk<I>> chunks(count);  // each where its first batch is, the others stay empty
  parallel(count, kSerial, [&](int64_t begin, int64_t end) {
    chunks[begin] = sample_chunk(plan, seeds.id, ptr, key, begin, end);
  });
  for (const auto& chunk : chunks) STD_TORCH_CHECK(chunk.error.empty(), "batch ", chunk.failed, ": ", chunk.error);
  const Tensor node_ptr = pointers(seed, chunks, count, [](const auto& chunk) -> const auto& { return chunk.nodes; });
  const Tensor edge_ptr = pointers(seed, chunks, count, [](const auto& chunk) -> const auto& { return chunk.edges; });
  const int64_t nodes = data<int64_t>(node_ptr)[count], edges = data<int64_t>(edge_ptr)[count];
  const ScalarType type = seed.scalar_type(), Long = ScalarType::Long;
  auto part = [&](auto member, std::vector<int64_t> sizes) {
    return join<I>(seed, chunks, std::move(sizes), type, [&](const auto& chunk) -> const auto& { return chunk.*member; });
  };
  auto per_hop = [&](auto member, int64_t columns) {
    return join<int64_t>(seed, chunks, {count, columns}, Long,
                         [&](const auto& chunk) -> const auto& { return chunk.*member; });
  };
  return {part(&Chunk<I>::node, {nodes}),
          node_ptr,
          part(&Chunk<I>::neighbor, {edges}),
          part(&Chunk<I>::expanded, {edges}),
          part(&Chunk<I>::edge, {edges}),
          edge_ptr,
          per_hop(&Chunk<I>::nodes_per_hop, plan.hops + 1),
          per_hop(&Chunk<I>::edges_per_hop, plan.hops)};
}

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
