// Sampling neighbours hop by hop from one or several edge types, for one mini-batch.
// graphlab/ops/neighbor_sample_ref.py is the specification and gives the same bits.
#pragma once
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "buffer.h"
#include "counter_rng.h"
#include "library.h"
#include "node_list.h"
#include "pick.h"

namespace gl {

// The neighbours of each node of type `target`, which are of type `source`.
template <class I>
struct Relation {
  const I* rowptr;
  const I* col;
  int64_t rows, edges;
  int64_t target, source;
  const int64_t* edge_time = nullptr;
  const float* weight32 = nullptr;
  const double* weight64 = nullptr;
  const int64_t* num_neighbors = nullptr;  // of each hop

  bool is_weighted() const { return weight32 || weight64; }
  double weight(int64_t e) const { return weight32 ? static_cast<double>(weight32[e]) : weight64[e]; }
};

struct NodeType {
  int64_t size;  // ids lie below
  const int64_t* time = nullptr;
};

template <class I>
struct Plan {
  std::vector<Relation<I>> relations;
  std::vector<NodeType> types;
  int64_t hops = 0;
  bool replace = false, directed = true, disjoint = false, last = false, labor = false, temporal = false;
};

// Nodes of one type to start from.
template <class I>
struct Seeds {
  const I* id;
  int64_t count;
  const int64_t* time = nullptr;
};

template <class I>
struct Edges {
  Buffer<I> neighbor, expanded, edge;
  std::vector<int64_t> per_hop;

  void clear() {
    neighbor.clear();
    expanded.clear();
    edge.clear();
    per_hop.clear();
  }
  void release(int64_t items) {
    neighbor.release(items);
    expanded.release(items);
    edge.release(items);
  }
};

template <class I>
class NeighborSampler {
 public:
  std::vector<NodeList<I>> nodes;
  std::vector<Edges<I>> edges;
  std::vector<std::vector<int64_t>> nodes_per_hop;

  void sample(const Plan<I>& plan, const std::vector<Seeds<I>>& seeds, uint64_t key) {
    plan_ = &plan;
    key_ = key;
    start(seeds);
    for (int64_t hop = 0; hop < plan.hops; ++hop) {
      for (size_t r = 0; r < plan.relations.size(); ++r) expand(r, hop);
      for (size_t t = 0; t < nodes.size(); ++t) close_hop(t);
    }
    if (!plan.directed)
      for (size_t r = 0; r < plan.relations.size(); ++r) induce(r);
  }

  void release(int64_t items) {
    for (auto& each : nodes) each.release(items);
    for (auto& each : edges) each.release(items);
    neighbor_.release(items);
    release_vector(limits_, items);
    release_vector(candidates_, items);
    release_vector(latest_, items);
    picker_.release(items);
  }

 private:
  void start(const std::vector<Seeds<I>>& seeds) {
    nodes.resize(plan_->types.size());
    edges.resize(plan_->relations.size());
    for (auto& each : edges) each.clear();
    begin_.assign(nodes.size(), 0);
    end_.assign(nodes.size(), 0);
    nodes_per_hop.assign(nodes.size(), {});
    limits_.clear();
    int64_t trees = 0;
    for (size_t t = 0; t < nodes.size(); ++t) {
      nodes[t].start(plan_->disjoint);
      for (int64_t i = 0; i < seeds[t].count; ++i, ++trees) nodes[t].append(plan_->disjoint ? trees : 0, seeds[t].id[i]);
      if (plan_->temporal) limits_.insert(limits_.end(), seeds[t].time, seeds[t].time + seeds[t].count);
      close_hop(t);
    }
  }

  // What has come since is the next frontier.
  void close_hop(size_t type) {
    begin_[type] = end_[type];
    end_[type] = nodes[type].size();
    nodes_per_hop[type].push_back(end_[type] - begin_[type]);
  }

  // Takes the edges picked for each node of the frontier.
  void expand(size_t number, int64_t hop) {
    const Relation<I>& relation = plan_->relations[number];
    const NodeList<I>& target = nodes[relation.target];
    Edges<I>& out = edges[number];
    const int64_t before = out.edge.size();
    const int64_t k = relation.num_neighbors[hop];
    constexpr int64_t kAhead = 16;
    const int64_t end = end_[relation.target];
    const bool reads_rows = plan_->labor || relation.is_weighted() || is_timed(relation);
    for (int64_t i = begin_[relation.target]; k != 0 && i < end; ++i) {
      if (i + kAhead < end) __builtin_prefetch(&relation.rowptr[target.id(i + kAhead)]);
      if (reads_rows && i + kAhead / 2 < end) prefetch_row(relation, target.id(i + kAhead / 2));
      const int64_t first = out.edge.size();
      pick(number, hop, k, i);
      const int64_t picked = out.edge.size() - first;
      std::fill_n(out.expanded.grow(picked), picked, static_cast<I>(i));
    }
    relabel(relation, out, before);
    out.per_hop.push_back(out.edge.size() - before);
  }

  // Finds or appends the neighbours at the ends of new edges.
  void relabel(const Relation<I>& relation, Edges<I>& out, int64_t before) {
    NodeList<I>& source = nodes[relation.source];
    const NodeList<I>& target = nodes[relation.target];
    const int64_t count = out.edge.size() - before;
    const I *edge = out.edge.data() + before, *expanded = out.expanded.data() + before;
    neighbor_.clear();
    I* neighbor = neighbor_.grow(count);
    for (int64_t e = 0; e < count; ++e) neighbor[e] = relation.col[edge[e]];
    check_neighbors(neighbor, count, plan_->types[relation.source].size);
    I* place = out.neighbor.grow(count);
    constexpr int64_t kAhead = 16;
    for (int64_t e = 0; e < count; ++e) {
      if (e + kAhead < count) source.prefetch(target.tree(expanded[e + kAhead]), neighbor[e + kAhead]);
      place[e] = static_cast<I>(source.add(target.tree(expanded[e]), neighbor[e]));
    }
  }

  static void check_neighbors(const I* neighbor, int64_t count, int64_t size) {
    bool bad = false;
    for (int64_t e = 0; e < count; ++e) bad |= static_cast<uint64_t>(neighbor[e]) >= static_cast<uint64_t>(size);
    for (int64_t e = 0; bad && e < count; ++e) check_neighbor(neighbor[e], size);
  }
  static void check_neighbor(I neighbor, int64_t size) {
    STD_TORCH_CHECK(neighbor >= 0 && static_cast<int64_t>(neighbor) < size, "'col' must lie in [0, ", size, "), got ",
                    neighbor);
  }

  static void prefetch_row(const Relation<I>& relation, I node) {
    const int64_t begin = relation.rowptr[node];
    if (begin < 0 || begin >= relation.edges) return;
    __builtin_prefetch(relation.col + begin);
    if (relation.edge_time) __builtin_prefetch(relation.edge_time + begin);
    if (relation.weight32) __builtin_prefetch(relation.weight32 + begin);
    if (relation.weight64) __builtin_prefetch(relation.weight64 + begin);
  }

  // The edges of a node as they are stored.
  static std::pair<int64_t, int64_t> row(const Relation<I>& relation, I node) {
    STD_TORCH_CHECK(node >= 0 && static_cast<int64_t>(node) < relation.rows, "'rowptr' has ", relation.rows,
                    " nodes, but one with id ", node, " is asked for");
    const int64_t begin = relation.rowptr[node], end = relation.rowptr[node + 1];
    STD_TORCH_CHECK(begin >= 0 && begin <= end && end <= relation.edges, "'rowptr' must not decrease nor leave [0, ",
                    relation.edges, "], but the edges of node ", node, " run from ", begin, " to ", end);
    return {begin, end};
  }

  bool is_timed(const Relation<I>& relation) const {
    return plan_->temporal && (relation.edge_time || plan_->types[relation.source].time);
  }
  int64_t time(const Relation<I>& relation, int64_t e) const {
    if (relation.edge_time) return relation.edge_time[e];
    check_neighbor(relation.col[e], plan_->types[relation.source].size);
    return plan_->types[relation.source].time[relation.col[e]];
  }

  // Appends the stored positions of the edges picked for the node at a place.
  void pick(size_t number, int64_t hop, int64_t k, int64_t place) {
    const Relation<I>& relation = plan_->relations[number];
    const I node = nodes[relation.target].id(place);
    const int64_t tree = nodes[relation.target].tree(place);
    const auto [begin, end] = row(relation, node);
    const uint64_t key = plan_->disjoint ? tree_key(key_, tree) : key_;
    const Stream stream(key, number, hop, static_cast<uint64_t>(node));
    const bool timed = is_timed(relation), chosen = timed || relation.is_weighted();
    if (chosen) find_candidates(relation, timed, tree, begin, end);
    const int64_t count = chosen ? static_cast<int64_t>(candidates_.size()) : end - begin;
    const bool all = k < 0 || (!plan_->replace && count <= k);
    const int64_t number_picked = all ? count : count == 0 ? 0 : k;
    I* out = edges[number].edge.grow(number_picked);
    auto position = [&](int64_t offset) { return chosen ? candidates_[offset] : begin + offset; };
    if (all) {
      for (int64_t i = 0; i < count; ++i) out[i] = static_cast<I>(position(i));
      return;
    }
    if (number_picked == 0) return;
    if (timed && plan_->last) pick_last(relation, count, k, out);
    else if (plan_->labor) pick_labor(relation, key, hop, begin, count, k, out);
    else if (relation.is_weighted()) pick_weighted(relation, stream, node, begin, count, k, out);
    else if (plan_->replace) Picker::repeated(stream, count, k, out);
    else picker_.uniform(stream, count, k, out);
    for (int64_t i = 0; i < k; ++i) out[i] = static_cast<I>(position(out[i]));
  }

  // Edges that are not of the future and have a positive weight.
  void find_candidates(const Relation<I>& relation, bool timed, int64_t tree, int64_t begin, int64_t end) {
    candidates_.clear();
    for (int64_t e = begin; e < end; ++e) {
      if (relation.is_weighted()) {
        const double weight = relation.weight(e);
        STD_TORCH_CHECK(weight >= 0 && weight <= std::numeric_limits<double>::max(),
                        "'edge_weight' must be finite and not negative, but edge ", e, " has ", weight);
        if (weight == 0) continue;
      }
      if (!timed || time(relation, e) <= limits_[tree]) candidates_.push_back(e);
    }
  }

  void pick_last(const Relation<I>& relation, int64_t count, int64_t k, I* out) {
    // Of equal times those stored last; sorted by time, as most are, this is quick.
    latest_.resize(count);
    for (int64_t i = 0; i < count; ++i) latest_[i] = {time(relation, candidates_[i]), i};
    std::nth_element(latest_.begin(), latest_.end() - k, latest_.end());
    for (int64_t i = 0; i < k; ++i) out[i] = static_cast<I>(latest_[count - k + i].second);
    std::sort(out, out + k);
  }

  // In one hop a neighbour has the same number wherever it is one.
  void pick_labor(const Relation<I>& relation, uint64_t key, int64_t hop, int64_t begin, int64_t count, int64_t k, I* out) {
    const I* neighbor = relation.col + begin;
    check_neighbors(neighbor, count, plan_->types[relation.source].size);
    auto value = [&](int64_t i) {
      return -uniform(mix(key ^ mix(static_cast<uint64_t>(neighbor[i]) * kMaxHops + static_cast<uint64_t>(hop))));
    };
    picker_.largest(count, k, value, out);
  }

  void pick_weighted(const Relation<I>& relation, Stream stream, I node, int64_t begin, int64_t count, int64_t k, I* out) {
    if (!plan_->replace) {
      auto value = [&](int64_t i) {
        const int64_t e = candidates_[i];
        return log_uniform(stream.at(e - begin)) / relation.weight(e);
      };
      return picker_.largest(count, k, value, out);
    }
    auto weight = [&](int64_t i) { return relation.weight(candidates_[i]); };
    STD_TORCH_CHECK(picker_.repeated_weighted(stream, count, k, weight, out), "'edge_weight' of the edges of node ", node,
                    " adds up to infinity; divide all by a constant");
  }

  // Takes all edges among the nodes sampled in place of those that were picked.
  void induce(size_t number) {
    const Relation<I>& relation = plan_->relations[number];
    const NodeList<I>&target = nodes[relation.target], &source = nodes[relation.source];
    const bool timed = is_timed(relation);
    Edges<I>& out = edges[number];
    out.clear();
    for (int64_t i = 0; i < target.size(); ++i) {
      const auto [begin, end] = row(relation, target.id(i));
      check_neighbors(relation.col + begin, end - begin, plan_->types[relation.source].size);
      for (int64_t e = begin; e < end; ++e) {
        if (timed && time(relation, e) > limits_[target.tree(i)]) continue;
        const int64_t place = source.find(target.tree(i), relation.col[e]);
        if (place < 0) continue;
        out.neighbor.push(static_cast<I>(place));
        out.expanded.push(static_cast<I>(i));
        out.edge.push(static_cast<I>(e));
      }
    }
  }

  const Plan<I>* plan_ = nullptr;
  uint64_t key_ = 0;
  std::vector<int64_t> begin_, end_, limits_;  // frontier of each type; time of each tree
  Buffer<I> neighbor_;
  std::vector<int64_t> candidates_;
  std::vector<std::pair<int64_t, int64_t>> latest_;
  Picker picker_;
};

}  // namespace gl
