// edge_attention and its gradients: schemas and CPU kernels.
#include "edge_attention.h"

#include "edge_tensors.h"

#define GL_KERNELS "edge_attention_cpu.h"
#include "each_isa.h"

namespace gl {
namespace {

// Pieces of rows whose shares in the gradient of `att` are added up in order: as many for any number of threads.
constexpr int64_t kPieces = 64;

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
  std::optional<Tensor> att;
  double parameter;
  Dropout dropout;

  Inputs(const Tensor& source_, const Tensor& target_, const std::optional<Tensor>& value_,
         const std::optional<Tensor>& att_, const std::optional<Tensor>& seed, const std::string& name,
         double parameter, double p)
      : score(score_of(name)), source(source_), target(target_), value(source_), parameter(parameter) {
    check_dim(source, "source", 3);
    check_dim(target, "target", 3);
    check_dtype(target, "target", source, "source");
    STD_TORCH_CHECK(source.size(1) == heads() && source.size(2) == target.size(2),
                    "'source' and 'target' must agree in heads and channels, got ", source.size(1), " x ",
                    source.size(2), " and ", target.size(1), " x ", target.size(2));
    STD_TORCH_CHECK((score == kGatv2) == att_.has_value() && (score == kGatv2) != value_.has_value(),
                    "'gatv2' takes 'att' and no 'value'; 'gat' and 'dot' take 'value' and no 'att'");
    STD_TORCH_CHECK(score != kGat || source.size(2) == 1, "'gat' takes one number per node and head");
    if (value_) {
      check_dim(*value_, "value", 3);
      check_dtype(*value_, "value", source, "source");
      STD_TORCH_CHECK(value_->size(0) == source.size(0) && value_->size(1) == heads(),
                      "'value' must have the rows and heads of 'source', ", source.size(0), " x ", heads(), ", got ",
                      value_->size(0), " x ", value_->size(1));
      value = *value_;
    }
    if (att_) {
      check_dim(*att_, "att", 2);
      check_dtype(*att_, "att", source, "source");
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
      const uint64_t key = static_cast<uint64_t>(*data<int64_t>(*seed));
      dropout = {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32), static_cast<uint64_t>(p * 4294967296.0),
                 p < 1 ? 1 / (1 - p) : 0};
    }
  }

  int64_t heads() const { return target.size(1); }
  int64_t channels() const { return value.size(2); }
  int64_t row() const { return heads() * (source.size(2) + channels()); }
  template <class T>
  Attention<T> of() const {
    return {score, heads(), source.size(2), channels(), data<T>(source), data<T>(target), data<T>(value),
            data<T>(att), static_cast<acc_t<T>>(parameter), dropout};
  }
};

template <class T>
std::vector<acc_t<T>> memory_for(const Attention<T>& a) {
  return std::vector<acc_t<T>>(base::Desk<T>(a, nullptr).size + 1);
}

ScalarType wide(const Tensor& x) {
  return x.scalar_type() == ScalarType::BFloat16 ? ScalarType::Float : x.scalar_type();
}

std::tuple<Tensor, Tensor> edge_attention(Tensor rowptr, Tensor col, std::optional<Tensor> perm, std::optional<Tensor>,
                                          std::optional<Tensor>, std::optional<Tensor>, Tensor source, Tensor target,
                                          std::optional<Tensor> value, std::optional<Tensor> att,
                                          std::optional<Tensor> seed, std::string score, double parameter,
                                          double dropout) {
  const Inputs in(source, target, value, att, seed, score, parameter, dropout);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", source.size(0), perm);
  STD_TORCH_CHECK(edges.rows() == target.size(0), "'rowptr' must have one entry more than 'target' has rows, ",
                  target.size(0), ", got ", edges.rows() + 1);
  Tensor out = make(in.source, {edges.rows(), in.heads(), in.channels()});
  Tensor lse = make(in.source, {edges.rows(), in.heads()}, wide(source));
  by_type(source, "source", rowptr, [&](auto number, auto index) {
    using T = decltype(number);
    using I = decltype(index);
    const auto e = edges.of<T, I>();
    const Attention<T> a = in.of<T>();
    const auto kernel = GL_BEST(attention_forward<T, I>);
    parallel_rows(e.ptr, edges.rows(), 4 * in.row(), [&](int64_t begin, int64_t end) {
      auto memory = memory_for(a);
      kernel(a, e, mutable_data<T>(out), mutable_data<acc_t<T>>(lse), memory.data(), begin, end);
    });
  });
  return {out, lse};
}

// Gradients by source, target, value and att; those of what is not there are empty.
std::tuple<Tensor, Tensor, Tensor, Tensor> edge_attention_backward(
    Tensor rowptr, Tensor col, std::optional<Tensor> perm, Tensor colptr, Tensor row, std::optional<Tensor> perm_t,
    Tensor source, Tensor target, std::optional<Tensor> value, std::optional<Tensor> att, std::optional<Tensor> seed,
    Tensor out, Tensor lse, Tensor grad, std::string score, double parameter, double dropout) {
  const Inputs in(source, target, value, att, seed, score, parameter, dropout);
  const EdgeTensors edges = edge_tensors(rowptr, "rowptr", col, "col", source.size(0), perm);
  const EdgeTensors turned = edge_tensors(colptr, "colptr", row, "row", target.size(0), perm_t, std::nullopt, "perm_t");
  STD_TORCH_CHECK(edges.rows() == target.size(0) && turned.rows() == source.size(0) && turned.count() == edges.count(),
                  "'rowptr' and 'colptr' must describe the same edges, between the rows of 'source' and 'target'");
  check_index(colptr, "colptr", rowptr);
  STD_TORCH_CHECK(!in.dropout.on() || perm_t, "'perm_t' must say where the user keeps each edge: dropout goes by it");
  for (const Tensor* t : {&out, &grad}) {
    check_dim(*t, "grad", 3);
    check_dtype(*t, "grad", source, "source");
    STD_TORCH_CHECK(t->size(0) == target.size(0) && t->size(1) == in.heads() && t->size(2) == in.channels(),
                    "'out' and 'grad' must have the shape of the result, ", target.size(0), " x ", in.heads(), " x ",
                    in.channels());
  }
  check_dim(lse, "lse", 2);
  STD_TORCH_CHECK(lse.scalar_type() == wide(source) && lse.size(0) == target.size(0) && lse.size(1) == in.heads(),
                  "'lse' must be what the forward pass returned");
  out = dense(out);
  lse = dense(lse);
  grad = dense(grad);
  const int64_t width = in.heads() * source.size(2);
  using Sizes = std::vector<int64_t>;
  Tensor grad_source = make(in.source, {source.size(0), in.heads(), source.size(2)});
  Tensor grad_target = make(in.target, {target.size(0), in.heads(), source.size(2)});
  Tensor grad_value = make(in.source, value ? Sizes{source.size(0), in.heads(), in.channels()} : Sizes{0});
  Tensor grad_att = make_zeros(in.source, att ? Sizes{in.heads(), source.size(2)} : Sizes{0}, wide(source));
  Tensor stats = make(in.source, {target.size(0), 2 * in.heads()}, wide(source));
  Tensor shares = make_zeros(in.source, {att ? kPieces : 0, width}, wide(source));
  by_type(source, "source", rowptr, [&](auto number, auto index) {
    using T = decltype(number);
    using I = decltype(index);
    using A = acc_t<T>;
    const auto e = edges.of<T, I>(), t = turned.of<T, I>();
    const Attention<T> a = in.of<T>();
    const T *g = data<T>(grad), *y = data<T>(out);
    A *stat = mutable_data<A>(stats), *share = mutable_data<A>(shares), *sum = mutable_data<A>(grad_att);
    const auto by_target = GL_BEST(attention_backward_target<T, I>);
    const auto cut = cut_rows(e.ptr, edges.rows(), kPieces);
    parallel(kPieces, (edges.count() + edges.rows()) * in.row() / 8, [&](int64_t begin, int64_t end) {
      auto memory = memory_for(a);
      for (int64_t piece = begin; piece < end; ++piece)
        by_target(a, e, g, y, data<A>(lse), mutable_data<T>(grad_target), stat, att ? share + piece * width : nullptr,
                  memory.data(), cut[piece], cut[piece + 1]);
    });
    if (att)
      for (int64_t piece = 0; piece < kPieces; ++piece)
        for (int64_t k = 0; k < width; ++k) sum[k] += share[piece * width + k];
    const auto by_source = GL_BEST(attention_backward_source<T, I>);
    parallel_rows(t.ptr, turned.rows(), 8 * in.row(), [&](int64_t begin, int64_t end) {
      auto memory = memory_for(a);
      by_source(a, t, g, stat, mutable_data<T>(grad_source), mutable_data<T>(grad_value), memory.data(), begin, end);
    });
  });
  if (grad_att.scalar_type() != source.scalar_type()) grad_att = torch::stable::to(grad_att, source.scalar_type());
  return {grad_source, grad_target, grad_value, grad_att};
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("edge_attention(Tensor rowptr, Tensor col, Tensor? perm, Tensor? colptr, Tensor? row, Tensor? perm_t, Tensor source, Tensor target, Tensor? value, Tensor? att, Tensor? seed, str score, float parameter, float dropout) -> (Tensor, Tensor)");
  m.def("edge_attention_backward(Tensor rowptr, Tensor col, Tensor? perm, Tensor colptr, Tensor row, Tensor? perm_t, Tensor source, Tensor target, Tensor? value, Tensor? att, Tensor? seed, Tensor out, Tensor lse, Tensor grad, str score, float parameter, float dropout) -> (Tensor, Tensor, Tensor, Tensor)");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) {
  m.impl("edge_attention", TORCH_BOX(&gl::edge_attention));
  m.impl("edge_attention_backward", TORCH_BOX(&gl::edge_attention_backward));
}
