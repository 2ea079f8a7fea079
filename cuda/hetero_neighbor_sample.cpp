// Neighbour sampling of one mini-batch from numbered edge types, of which a homogeneous graph has one.
#include "neighbor_sampler.h"
#include "sampler_tensors.h"

namespace gl {
namespace {

using Tensors = std::vector<Tensor>;
using Optionals = std::vector<std::optional<Tensor>>;

void check_number(size_t number, size_t expected, const char* name) {
  STD_TORCH_CHECK(number == expected, "'", name, "' must have ", expected, " entries, got ", number);
}

const int64_t* long_data(const std::optional<Tensor>& t, const char* name, int64_t length) {
  if (!t) return nullptr;
  check_dim(*t, name, 1);
  STD_TORCH_CHECK(t->scalar_type() == ScalarType::Long, "'", name, "' must be int64");
  STD_TORCH_CHECK(length < 0 || t->numel() == length, "'", name, "' must have ", length, " entries, got ", t->numel());
  return data<int64_t>(*t);
}

void dense_all(Tensors& tensors) {
  for (auto& t : tensors) t = dense(t);
}
void dense_all(Optionals& tensors) {
  for (auto& t : tensors) t = dense(t);
}

struct Sampled {
  Tensors neighbor, expanded, edge, node, tree;
  std::vector<int64_t> nodes_per_hop, edges_per_hop;
};

template <class I>
Sampled sample_with(const Plan<I>& plan, const std::vector<Seeds<I>>& seeds, uint64_t key, const Tensor& like) {
  static thread_local NeighborSampler<I> sampler;
  const Releasing<NeighborSampler<I>> releasing{sampler};
  try {
    sampler.sample(plan, seeds, key);
  } catch (const std::bad_alloc&) {
    STD_TORCH_CHECK(false, kNoMemory);
  }
  Sampled result;
  for (const auto& each : sampler.edges) {
    result.neighbor.push_back(tensor_of(like, each.neighbor));
    result.expanded.push_back(tensor_of(like, each.expanded));
    result.edge.push_back(tensor_of(like, each.edge));
    result.edges_per_hop.insert(result.edges_per_hop.end(), each.per_hop.begin(), each.per_hop.end());
  }
  for (size_t t = 0; t < sampler.nodes.size(); ++t) {
    result.node.push_back(tensor_of(like, sampler.nodes[t].ids()));
    result.tree.push_back(tensor_of(like, sampler.nodes[t].trees()));
    const auto& per_hop = sampler.nodes_per_hop[t];
    result.nodes_per_hop.insert(result.nodes_per_hop.end(), per_hop.begin(), per_hop.end());
  }
  return result;
}

using Returned = std::tuple<Tensors, Tensors, Tensors, Tensors, Tensors, std::vector<int64_t>, std::vector<int64_t>>;

// Node types are numbers. Of each edge type: where edges are stored, the types at both ends, times and weights; of each
// node type: seeds and times. `num_neighbors` has the hops of each edge type one after the other.
Returned hetero_neighbor_sample(Tensors rowptr, Tensors col, std::vector<int64_t> target, std::vector<int64_t> source,
                                Tensors seed, std::vector<int64_t> num_neighbors, Optionals node_time,
                                Optionals edge_time, Optionals seed_time, Optionals edge_weight, bool replace,
                                bool directed, bool disjoint, bool last, bool labor, int64_t key) {
  const size_t relations = rowptr.size(), types = seed.size();
  if (types == 0) {
    STD_TORCH_CHECK(relations == 0, "'seed' must have an entry for each node type");
    return {};
  }
  check_number(col.size(), relations, "col");
  check_number(target.size(), relations, "target");
  check_number(source.size(), relations, "source");
  check_number(edge_time.size(), relations, "edge_time");
  check_number(edge_weight.size(), relations, "edge_weight");
  check_number(node_time.size(), types, "node_time");
  check_number(seed_time.size(), types, "seed_time");
  const int64_t hops = relations ? static_cast<int64_t>(num_neighbors.size() / relations) : 0;
  check_number(num_neighbors.size(), hops * relations, "num_neighbors");
  STD_TORCH_CHECK(hops <= kMaxHops, "'num_neighbors' must have at most ", kMaxHops, " hops, got ", hops);
  STD_TORCH_CHECK(!replace || !(last || labor), "'replace' goes neither with 'last' nor with 'labor'");
  for (auto* each : {&rowptr, &col, &seed}) dense_all(*each);
  for (auto* each : {&node_time, &edge_time, &seed_time, &edge_weight}) dense_all(*each);
  const Tensor& like = relations ? rowptr[0] : seed[0];

  auto run = [&](auto index) -> Sampled {
    using I = decltype(index);
    Plan<I> plan;
    plan.hops = hops;
    plan.replace = replace;
    plan.directed = directed;
    plan.disjoint = disjoint;
    plan.last = last;
    plan.labor = labor;
    for (const auto& time : seed_time) plan.temporal |= time.has_value();
    STD_TORCH_CHECK(!plan.temporal || disjoint, "'disjoint' must be true for temporal sampling");
    plan.types.assign(types, NodeType{std::numeric_limits<int64_t>::max()});
    for (size_t r = 0; r < relations; ++r) {
      check_index(rowptr[r], "rowptr", like);
      Relation<I> relation = relation_of<I>(rowptr[r], col[r], edge_weight[r]);
      for (const int64_t end : {target[r], source[r]})
        STD_TORCH_CHECK(end >= 0 && end < static_cast<int64_t>(types), "'target' and 'source' must lie in [0, ", types, ")");
      relation.target = target[r];
      relation.source = source[r];
      relation.edge_time = long_data(edge_time[r], "edge_time", relation.edges);
      relation.num_neighbors = num_neighbors.data() + r * hops;
      NodeType& type = plan.types[relation.target];
      type.size = std::min(type.size, relation.rows);
      plan.relations.push_back(relation);
    }
    std::vector<Seeds<I>> seeds;
    for (size_t t = 0; t < types; ++t) {
      plan.types[t].time = long_data(node_time[t], "node_time", -1);
      if (node_time[t]) plan.types[t].size = std::min(plan.types[t].size, node_time[t]->numel());
      seeds.push_back(seeds_of<I>(seed[t], plan.types[t].size, like));
      seeds.back().time = long_data(seed_time[t], "seed_time", seeds.back().count);
      STD_TORCH_CHECK(!plan.temporal || seed_time[t], "'seed_time' must be given for all node types or none");
    }
    return sample_with(plan, seeds, static_cast<uint64_t>(key), like);
  };
  Sampled result = like.scalar_type() == ScalarType::Long ? run(int64_t{}) : run(int32_t{});
  return {result.neighbor, result.expanded, result.edge,         result.node,
          result.tree,     result.nodes_per_hop, result.edges_per_hop};
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("hetero_neighbor_sample(Tensor[] rowptr, Tensor[] col, int[] target, int[] source, Tensor[] seed, int[] num_neighbors, Tensor?[] node_time, Tensor?[] edge_time, Tensor?[] seed_time, Tensor?[] edge_weight, bool replace, bool directed, bool disjoint, bool last, bool labor, int key) -> (Tensor[], Tensor[], Tensor[], Tensor[], Tensor[], int[], int[])");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("hetero_neighbor_sample", TORCH_BOX(&gl::hetero_neighbor_sample));
}
