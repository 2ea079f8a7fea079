// Putting a batch's rows together from those kept in memory and those just read.
#include "apart.h"
#include "library.h"

namespace gl {
namespace {

// How far ahead of the row being copied memory is asked for, in bytes and in rows.
constexpr int64_t kAheadBytes = 8192, kAheadRows = 32;
constexpr int64_t kLine = 64;
constexpr uint32_t kHot = uint32_t{1} << 31;

struct Rows {
  const uint8_t* bytes;
  int64_t count;
};

Rows rows_of(const Tensor& t, const char* name, int64_t row_bytes) {
  STD_TORCH_CHECK(t.scalar_type() == ScalarType::Byte, "'", name, "' must be uint8");
  STD_TORCH_CHECK(t.is_contiguous(), "'", name, "' must be contiguous");
  STD_TORCH_CHECK(t.numel() % row_bytes == 0, "'", name, "' must hold whole rows of ", row_bytes, " bytes, got ",
                  t.numel(), " bytes");
  return {data<uint8_t>(t), t.numel() / row_bytes};
}

// Which table a place is in, and the row there.
struct Place {
  bool hot;
  int64_t row;
};

inline Place place_of(uint32_t word) { return {(word & kHot) != 0, word & ~kHot}; }

void check_places(const uint32_t* place, int64_t count, const Rows& pack, const Rows& hot) {
  // No early exit: the loop then runs on vectors.
  uint32_t bad = 0;
  const auto most = [](const Rows& rows) { return static_cast<uint32_t>(std::min<int64_t>(rows.count, kHot)); };
  const uint32_t packs = most(pack), hots = most(hot);
  for (int64_t i = 0; i < count; ++i) bad |= (place[i] & ~kHot) >= (place[i] & kHot ? hots : packs);
  if (!bad) return;
  for (int64_t i = 0; i < count; ++i) {
    const Place at = place_of(place[i]);
    const int64_t rows = at.hot ? hot.count : pack.count;
    STD_TORCH_CHECK(at.row < rows, "'place' must name rows that exist, but place[", i, "] is row ", at.row, " of '",
                    at.hot ? "hot" : "pack", "', which has ", rows);
  }
}

// Most of the time goes into waiting for memory: rows to come are fetched while others are copied.
void copy_rows(const Rows& pack, const Rows& hot, const uint32_t* place, int64_t count, int64_t row_bytes,
               uint8_t* out) {
  // By index and not by condition, which no processor could foresee.
  const uint8_t* const tables[] = {pack.bytes, hot.bytes};
  const auto source = [&](int64_t i) {
    const Place at = place_of(place[i]);
    return tables[at.hot] + at.row * row_bytes;
  };
  const int64_t ahead = std::clamp<int64_t>(kAheadBytes / row_bytes, 1, kAheadRows);
  const int64_t fetched = std::min<int64_t>(row_bytes, kAheadBytes / 2);
  for (int64_t i = 0; i < count; ++i, out += row_bytes) {
    const uint8_t* next = source(std::min(i + ahead, count - 1));
    for (int64_t line = 0; line < fetched; line += kLine) __builtin_prefetch(next + line);
    std::memcpy(out, source(i), row_bytes);
  }
}

// Row i of `out` is the row that place[i] names, of `hot` where its top bit is set, else of `pack`.
void assemble_rows(const Tensor& pack, const Tensor& hot, Tensor place, int64_t row_bytes, Tensor out) {
  STD_TORCH_CHECK(row_bytes > 0, "'row_bytes' must be positive, got ", row_bytes);
  check_dim(place, "place", 1);
  STD_TORCH_CHECK(place.scalar_type() == ScalarType::Int, "'place' must be int32");
  const Rows packs = rows_of(pack, "pack", row_bytes), hots = rows_of(hot, "hot", row_bytes);
  const int64_t count = place.numel();
  STD_TORCH_CHECK(rows_of(out, "out", row_bytes).count == count, "'out' must hold the ", count,
                  " rows of 'place', got ", out.numel() / row_bytes);
  check_apart(pack, "pack", out);
  check_apart(hot, "hot", out);
  place = dense(place);
  check_apart(place, "place", out);
  const uint32_t* places = data<uint32_t>(place);
  check_places(places, count, packs, hots);

  copy_rows(packs, hots, places, count, row_bytes, mutable_data<uint8_t>(out));
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def("assemble_rows(Tensor pack, Tensor hot, Tensor place, int row_bytes, Tensor(a!) out) -> ()");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) { m.impl("assemble_rows", TORCH_BOX(&gl::assemble_rows)); }
