// edge_attention and its gradients on the device.
#include "attention_tiles.h"
#include "device.h"

namespace gl {
namespace {

Score score_of(const std::string& name) {
  if (name == "gat") return kGat;
  if (name == "gatv2") return kGatv2;
  STD_TORCH_CHECK(name == "dot", "'score' must be 'gat', 'gatv2' or 'dot', got '", name, "'");
  return kDot;
}

// The op's arguments, checked and contiguous.
struct Inputs {
  Score score;
  Tensor source, target, value;
  std::optional<Tensor> att, seed;
  double parameter;
  Dropout dropout;

  Inputs(const Tensor& source_, const Tensor& target_, const std::optional<Tensor>& value_,
         const std::optional<Tensor>& att_, const std::optional<Tensor>& seed_, const std::string& name,
         double parameter, double p)
      : score(score_of(name)), source(source_), target(target_), value(source_), seed(seed_), parameter(parameter) {
    check_dim(source, "source", 3);
    check_dim(target, "target", 3);
    check_values(target, "target", source);
    STD_TORCH_CHECK(source.size(1) == heads() && source.size(2) == target.size(2),
                    "'source' and 'target' must agree in heads and channels, got ", source.size(1), " x ",
                    source.size(2), " and ", target.size(1), " x ", target.size(2));
    STD_TORCH_CHECK((score == kGatv2) == att_.has_value() && (score == kGatv2) != value_.has_value(),
                    "'gatv2' takes 'att' and no 'value'; 'gat' and 'dot' take 'value' and no 'att'");
    STD_TORCH_CHECK(score != kGat || source.size(2) == 1, "'gat' takes one number per node and head");
    if (value_) {
      check_dim(*value_, "value", 3);
      check_values(*value_, "value", source);
      STD_TORCH_CHECK(value_->size(0) == source.size(0) && value_->size(1) == heads(),
                      "'value' must have the rows and heads of 'source', ", source.size(0), " x ", heads(), ", got ",
                      value_->size(0), " x ", value_->size(1));
      value = *value_;
    }
    if (att_) {
      check_dim(*att_, "att", 2);
      check_values(*att_, "att", source);
      STD_TORCH_CHECK(att_->size(0) == heads() && att_->size(1) == source.size(2), "'att' must be of shape ", heads(),
                      " x ", source.size(2), ", got ", att_->size(0), " x ", att_->size(1));
    }
    att = dense(att_);
    source = dense(source);
    target = dense(target);
    value = score == kGatv2 ? source : dense(value);
    STD_TORCH_CHECK(p >= 0 && p <= 1, "'dropout' must lie in [0, 1], got ", p);
    if (p > 0) {
      STD_TORCH_CHECK(seed && seed->numel() == 1 && seed->scalar_type() == ScalarType::Long,
                      "'seed' must be one int64 number where 'dropout' is positive");
      check_device(*seed, "seed", source);
      dropout = {0, 0, static_cast<uint64_t>(p * 4294967296.0), p < 1 ? 1 / (1 - p) : 0};
    }
  }

  int64_t heads() const { return target.size(1); }
  int64_t width() const { return source.size(2); }
  int64_t channels() const { return value.size(2); }
  // `edges` go from or to the rows that are gone through, `columns` counts the rows at their other end.
  template <class T, class I>
  Heads<T, I> over(const EdgeTensors& edges, int64_t columns) const {
    const Attention<T> a{score, heads(), width(), channels(), data<T>(source), data<T>(target), data<T>(value),
                         data<T>(att), static_cast<acc_t<T>>(parameter), dropout};
    return {a, {edges.of<T, I>(), columns, nullptr}, pieces<I>(edges, heads()), data<int64_t>(seed)};
  }
  template <class I>
  static Pieces<I> pieces(const EdgeTensors& edges, int64_t lanes) {
    return {data<I>(edges.ptr), edges.rows(), edges.count(), lanes};
  }

  // Calls f(S, V): how many columns of scored rows and of values can be read at once.
  template <class T, class F, class... Tensors>
  void by_widths(F f, const Tensors&... valued) const {
    constexpr int W = 16 / sizeof(T);
    using One = std::integral_constant<int, 1>;
    using Many = std::integral_constant<int, W>;
    const bool values = in_packs(channels(), sizeof(T), value, valued...);
    const bool scores = in_packs(width(), sizeof(T), source, target, att ? *att : source);
    if (values && scores) f(Many{}, Many{});
    else if (values && score != kGatv2) f(One{}, Many{});
    else f(One{}, One{});
  }
};

ScalarType wide(const Tensor& x) {
  return x.scalar_type() == ScalarType::BFloat16 ? ScalarType::Float : x.scalar_type();
}

std::tuple<Tensor, Tensor> edge_attention(Tensor rowptr, Tensor col, std::optional<Tensor> perm, std::optional<Tensor>,
                                          std::optional<Tensor>, std::optional<Tensor>, Tensor source, Tensor target,
                                          std::optional<Tensor> value, std::optional<Tensor> att,
                                          std::optional<Tensor> seed, std::string score, double parameter,
                                          double dropout) {
  check_device(rowptr, "rowptr", source);
  const Inputs in(source, target, value, att, seed, score, parameter, dropout);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", source.size(0), perm);
  STD_TORCH_CHECK(edges.rows() == target.size(0), "'rowptr' must have one entry more than 'target' has rows, ",
                  target.size(0), ", got ", edges.rows() + 1);
  const Queue queue(source);
  const int64_t heads = in.heads(), channels = in.channels();
  Tensor out = make(in.source, {edges.rows(), heads, channels});
  Tensor lse = make(in.source, {edges.rows(), heads}, wide(source));
  if (channels == 0) return {out, torch::stable::fill_(lse, 0)};
  by_type(source, "source", rowptr, [&](auto number, auto index) {
    using T = decltype(number);
    using I = decltype(index);
    using A = acc_t<T>;
    const Heads<T, I> h = in.over<T, I>(edges, source.size(0));
    Tensor partial = make(source, {h.pieces.slots() * heads * (channels + 2)}, wide(source));
    T* y = mutable_data<T>(out);
    A *z = mutable_data<A>(lse), *parts = mutable_data<A>(partial);
    in.by_widths<T>([&](auto s, auto v) {
      using Body = AttentionForward<T, I, decltype(s)::value, decltype(v)::value>;
      launch_tiles(queue, h.pieces.threads(), Body{h, y, z, parts});
    });
    const Pieces<I> columns = in.pieces<I>(edges, heads * channels);
    launch(queue, columns.combining_threads(), AttentionMerge<T, I>{columns, heads, channels, parts, y, z});
  });
  return {out, lse};
}

// One pass over `edges`; `columns` counts the rows at their other end.
template <bool BY_SOURCE, class T, class I>
void backward_pass(const Queue& queue, const Inputs& in, const EdgeTensors& edges, int64_t columns, const Tensor& grad,
                   const Tensor& lse, const Tensor& delta, const AttentionGradients<T, BY_SOURCE>& gradients) {
  using A = acc_t<T>;
  const Heads<T, I> h = in.over<T, I>(edges, columns);
  const int64_t wide_row = std::max(in.width(), in.channels()), heads = in.heads();
  Tensor partial = make(delta, {h.pieces.slots() * heads * 2 * wide_row});
  A* parts = mutable_data<A>(partial);
  in.by_widths<T>(
      [&](auto s, auto v) {
        using Body = AttentionBackward<T, I, decltype(s)::value, decltype(v)::value, BY_SOURCE>;
        launch_tiles(queue, h.pieces.threads(), Body{h, data<T>(grad), data<A>(lse), data<A>(delta), gradients, parts});
      },
      grad);
  const Pieces<I> merged = in.pieces<I>(edges, heads * wide_row);
  launch(queue, merged.combining_threads(),
         AttentionBackwardMerge<T, I, BY_SOURCE>{h.a, merged, wide_row, gradients, parts});
}

// Gradients by source, target, value and att; those of what is not there are empty.
std::tuple<Tensor, Tensor, Tensor, Tensor> edge_attention_backward(
    Tensor rowptr, Tensor col, std::optional<Tensor> perm, Tensor colptr, Tensor row, std::optional<Tensor> perm_t,
    Tensor source, Tensor target, std::optional<Tensor> value, std::optional<Tensor> att, std::optional<Tensor> seed,
    Tensor out, Tensor lse, Tensor grad, std::string score, double parameter, double dropout) {
  check_device(rowptr, "rowptr", source);
  check_device(colptr, "colptr", source);
  check_index(colptr, "colptr", rowptr);
  const Inputs in(source, target, value, att, seed, score, parameter, dropout);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", source.size(0), perm);
  const EdgeTensors turned = edge_tensors(colptr, "colptr", row, "row", target.size(0), perm_t);
  STD_TORCH_CHECK(edges.rows() == target.size(0) && turned.rows() == source.size(0) && turned.count() == edges.count(),
                  "'rowptr' and 'colptr' must describe the same edges, between the rows of 'source' and 'target'");
  for (const Tensor* t : {&out, &grad}) {
    check_dim(*t, "grad", 3);
    check_values(*t, "grad", source);
    STD_TORCH_CHECK(t->size(0) == target.size(0) && t->size(1) == in.heads() && t->size(2) == in.channels(),
                    "'out' and 'grad' must have the shape of the result, ", target.size(0), " x ", in.heads(), " x ",
                    in.channels());
  }
  check_dim(lse, "lse", 2);
  check_device(lse, "lse", source);
  STD_TORCH_CHECK(lse.scalar_type() == wide(source) && lse.size(0) == target.size(0) && lse.size(1) == in.heads(),
                  "'lse' must be what the forward pass returned");
  out = dense(out), lse = dense(lse), grad = dense(grad);
  const Queue queue(source);
  const int64_t heads = in.heads(), width = in.width(), targets = target.size(0);
  Tensor grad_source = make(in.source, {source.size(0), heads, width});
  Tensor grad_target = make(in.target, {targets, heads, width});
  Tensor grad_value = make(in.source, value ? std::vector<int64_t>{source.size(0), heads, in.channels()}
                                            : std::vector<int64_t>{0});
  Tensor delta = make(in.source, {targets, heads}, wide(source));
  Tensor shares = make(in.source, {att ? targets : 0, heads, width}, wide(source));
  by_type(source, "source", rowptr, [&](auto number, auto index) {
    using T = decltype(number);
    using I = decltype(index);
    using A = acc_t<T>;
    by_width<T>(in_packs(in.channels(), sizeof(T), grad, out), [&](auto v) {
      launch_tiles(queue, targets * heads, AttentionDelta<T, decltype(v)::value>{data<T>(grad), data<T>(out),
                                                                                in.channels(), mutable_data<A>(delta)});
    });
    const AttentionGradients<T, false> by_target{mutable_data<T>(grad_target), nullptr, mutable_data<A>(shares)};
    backward_pass<false, T, I>(queue, in, edges, source.size(0), grad, lse, delta, by_target);
    const AttentionGradients<T, true> by_source{mutable_data<T>(grad_source), mutable_data<T>(grad_value), nullptr};
    backward_pass<true, T, I>(queue, in, turned, targets, grad, lse, delta, by_source);
  });
  Tensor grad_att = make(in.source, {0});
  if (att) {
    const int64_t over_rows[] = {0};
    grad_att = torch::stable::to(torch::stable::sum(shares, torch::headeronly::IntHeaderOnlyArrayRef(over_rows, 1)),
                                 source.scalar_type());
  }
  return {grad_source, grad_target, grad_value, grad_att};
}

}  // namespace
}  // namespace gl

GL_DEVICE_OPS(m) {
  m.impl("edge_attention", TORCH_BOX(&gl::edge_attention));
  m.impl("edge_attention_backward", TORCH_BOX(&gl::edge_attention_backward));
}
