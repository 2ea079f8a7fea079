// A fold over the rows of a CSR structure in two launches: FoldPieces takes rows and pieces of hubs, MergePieces puts the
// pieces of each hub together in order. An op says what is folded; each thread owns Op::kWidth columns of a row:
//   Op::pieces                                   how rows are cut, see pieces.h
//   Op::State, op.clear(state)                   what is kept per column, and how it begins
//   op.fold(piece, first, states)                goes through the edges of a piece, for the columns from `first` on
//   op.merge(state, later)                       takes up what a later piece came to
//   op.finish(row, count, first, states)         writes the result of a row with `count` edges
#pragma once
#include "pieces.h"

namespace gl {

template <class Op>
struct FoldPieces {
  Op op;
  typename Op::State* partial;

  GL_HD void operator()(int64_t thread) const {
    constexpr int W = Op::kWidth;
    const Piece p = op.pieces.piece(thread);
    if (p.row < 0) return;
    typename Op::State state[W];
#pragma unroll
    for (int k = 0; k < W; ++k) op.clear(state[k]);
    op.fold(p, p.lane * W, state);
    if (p.slot < 0) return op.finish(p.row, p.end - p.begin, p.lane * W, state);
#pragma unroll
    for (int k = 0; k < W; ++k) partial[(p.slot * op.pieces.lanes + p.lane) * W + k] = state[k];
  }
};

template <class Op>
struct MergePieces {
  Op op;
  const typename Op::State* partial;

  GL_HD void operator()(int64_t thread) const {
    constexpr int W = Op::kWidth;
    const Partials p = op.pieces.partials(thread);
    if (p.row < 0) return;
    typename Op::State state[W];
#pragma unroll
    for (int k = 0; k < W; ++k) op.clear(state[k]);
#pragma unroll 4
    for (int64_t slot = p.first; slot <= p.last; slot = p.after(slot))
#pragma unroll
      for (int k = 0; k < W; ++k) op.merge(state[k], partial[(slot * op.pieces.lanes + p.lane) * W + k]);
    op.finish(p.row, p.end - p.begin, p.lane * W, state);
  }
};

// The lowest position wins a tie; a nan wins over everything before it, and stays.
template <class A>
struct Choice {
  A value;
  int32_t at;  // -1 before the first

  GL_HD void take(A other, int32_t position, bool max) {
    const bool better = at < 0 || (!(max ? other <= value : other >= value) && value == value);
    value = better ? other : value;
    at = better ? position : at;
  }
  GL_HD void merge(const Choice& later, bool max) {
    if (later.at >= 0) take(later.value, later.at, max);
  }
};

}  // namespace gl
