// Shares the rows of a CSR structure out among groups of threads. A row of more than kPiece edges (a hub) is cut at
// multiples of kPiece edge positions; each piece leaves a partial result, and a second launch puts them together in
// order. The cuts depend on the graph alone, so results have the same bits every time; nothing is read on the host.
#pragma once
#include "edges.h"

namespace gl {

// A group adds up one piece in about 40 microseconds of memory latency, less than a small graph takes as a whole.
constexpr int64_t kPiece = 256;

// The last row that begins at or before position e: the one that holds it.
template <class I>
GL_HD int64_t row_at(const I* ptr, int64_t rows, int64_t e) {
  int64_t low = 0, high = rows;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (static_cast<int64_t>(ptr[middle]) <= e) low = middle;
    else high = middle;
  }
  return low;
}

struct Piece {
  int64_t row = -1;  // none
  int64_t begin = 0, end = 0;
  int64_t slot = -1;  // where the partial result goes; -1 where this is all of the row
  int64_t lane = 0;
};

// A hub's first piece is partial result `first`; the others follow at every second place up to and including `last`.
struct Partials {
  int64_t row = -1;
  int64_t begin = 0, end = 0;
  int64_t first = 0, last = 0;
  int64_t lane = 0;

  // The partial result after `slot`.
  static GL_HD int64_t after(int64_t slot) { return slot % 2 ? slot + 1 : slot + 2; }
};

template <class I>
struct Pieces {
  const I* ptr;
  int64_t rows, edges;
  int64_t lanes;  // threads per row

  GL_HD int64_t chunks() const { return (edges + kPiece - 1) / kPiece; }
  // Each chunk of positions meets at most two hubs: one that goes on from the chunk before, and one that begins here.
  GL_HD int64_t slots() const { return 2 * chunks(); }
  // Hubs come first, so that the longest work does not start last.
  GL_HD int64_t threads() const { return (slots() + rows) * lanes; }
  GL_HD int64_t combining_threads() const { return chunks() * lanes; }

  // What lies outside the edges is left out, whatever `ptr` holds.
  GL_HD int64_t clamped(int64_t e) const { return e < 0 ? 0 : e > edges ? edges : e; }
  GL_HD int64_t begin_of(int64_t row) const { return clamped(ptr[row]); }
  GL_HD int64_t end_of(int64_t row) const { return clamped(ptr[row + 1]); }

  GL_HD Piece piece(int64_t thread) const {
    const int64_t unit = quotient(thread, lanes);
    Piece p;
    p.lane = thread - unit * lanes;
    if (unit >= slots()) {
      const int64_t row = unit - slots();
      p.begin = begin_of(row);
      p.end = end_of(row);
      if (p.end - p.begin <= kPiece) p.row = row;
      return p;
    }
    if (rows == 0) return p;
    const int64_t from = unit / 2 * kPiece, to = from + kPiece < edges ? from + kPiece : edges;
    const bool begins_here = unit % 2;
    const int64_t row = row_at(ptr, rows, begins_here ? to - 1 : from);
    const int64_t begin = begin_of(row), end = end_of(row);
    if (end - begin <= kPiece || (begin >= from) != begins_here || end <= from) return p;
    p.row = row;
    p.begin = begins_here ? begin : from;
    p.end = end < to ? end : to;
    p.slot = unit;
    return p;
  }

  GL_HD Partials partials(int64_t thread) const {
    const int64_t chunk = quotient(thread, lanes);
    Partials p;
    p.lane = thread - chunk * lanes;
    if (rows == 0) return p;
    const int64_t from = chunk * kPiece, to = from + kPiece < edges ? from + kPiece : edges;
    const int64_t row = row_at(ptr, rows, to - 1);
    p.begin = begin_of(row);
    p.end = end_of(row);
    if (p.end - p.begin <= kPiece || p.begin < from) return p;
    p.row = row;
    p.first = 2 * chunk + 1;
    p.last = (p.end - 1) / kPiece * 2;
    return p;
  }
};

}  // namespace gl
