// Reading rows of a file with many reads under way at once: a drive is fast only when it has a queue.
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <limits>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "apart.h"
#include "library.h"

namespace gl {
namespace {

// Bytes between rows that are read through, since a read of their own would take longer.
constexpr int64_t kGap = 4096;
// What is read at once at most. Drives reach their full rate on less.
constexpr int64_t kLongest = int64_t{1} << 18;
constexpr int64_t kMostThreads = 1024;

struct Request {
  int fd;
  int64_t offset;  // of row 0
  int64_t row_bytes;
  int64_t block;  // reads start and end on its multiples
  const int64_t* ids;
  int64_t count;
  uint8_t* out;

  int64_t begin(int64_t i) const { return offset + ids[i] * row_bytes; }
  int64_t end(int64_t i) const { return begin(i) + row_bytes; }
};

// Bytes [begin, end) to read at once. Rows want those before `needed`; ids[first] is the first such row.
struct Piece {
  int64_t begin, end, needed, first;
};

// Rows that lie close to each other share a piece; a long row takes several.
std::vector<Piece> plan(const Request& request) {
  std::vector<Piece> pieces;
  for (int64_t i = 0; i < request.count; ++i) {
    const int64_t row_end = request.end(i), end = (row_end + request.block - 1) / request.block * request.block;
    int64_t begin = request.begin(i) / request.block * request.block;
    if (!pieces.empty()) {
      Piece& last = pieces.back();
      if (begin <= last.end + kGap && end <= last.begin + kLongest) {
        last.end = end;
        last.needed = row_end;
        continue;
      }
      if (begin < last.end) last.needed = last.end;
      begin = std::max(begin, last.end);
    }
    for (; begin < end; begin += kLongest)
      pieces.push_back({begin, std::min(begin + kLongest, end), std::min(begin + kLongest, row_end), i});
  }
  return pieces;
}

// The row that could not be read, of all threads' the first.
class Failure {
 public:
  void note(int64_t i, std::string reason) {
    const std::lock_guard<std::mutex> guard(mutex_);
    if (happened_ && i_ <= i) return;
    i_ = i;
    reason_ = std::move(reason);
    happened_ = true;
  }
  bool happened() const { return happened_; }
  int64_t i() const { return i_; }
  const std::string& reason() const { return reason_; }

 private:
  std::mutex mutex_;
  std::atomic<bool> happened_{false};
  int64_t i_ = 0;
  std::string reason_;
};

std::string reason_of(int error, const Request& request) {
  const bool unaligned = error == EINVAL && request.block == 1;
  return std::generic_category().message(error) + " (errno " + std::to_string(error) + ")" +
         (unaligned ? "; a file opened with O_DIRECT is read with 'direct_block'" : "");
}

class Reader {
 public:
  Reader(const Request& request, const std::vector<Piece>& pieces) : request_(request), pieces_(pieces) {}

  // Takes pieces until there are none. Any number of threads may do so at once.
  void work(uint8_t* buffer) {
    for (size_t at; !failure_.happened() && (at = next_.fetch_add(1)) < pieces_.size();)
      if (fetch(pieces_[at], buffer)) deliver(pieces_[at], buffer);
  }

  int64_t bytes_read() const { return bytes_read_; }
  const Failure& failure() const { return failure_; }

 private:
  bool fetch(const Piece& piece, uint8_t* buffer) {
    int64_t at = piece.begin;
    while (at < piece.needed) {
      // Where a read ended inside a block it goes on from the block's beginning.
      const int64_t from = at / request_.block * request_.block;
      const ssize_t got = pread(request_.fd, buffer + (from - piece.begin), piece.end - from, from);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail(piece, at, reason_of(errno, request_));
      bytes_read_ += got;
      if (from + got <= at) return fail(piece, at, "the file ends at byte " + std::to_string(at));
      at = from + got;
    }
    return true;
  }

  // The first row that lacks bytes from `at` on.
  bool fail(const Piece& piece, int64_t at, std::string reason) {
    int64_t i = piece.first;
    while (request_.end(i) <= at) ++i;
    failure_.note(i, std::move(reason));
    return false;
  }

  void deliver(const Piece& piece, const uint8_t* buffer) const {
    for (int64_t i = piece.first; i < request_.count && request_.begin(i) < piece.end; ++i) {
      const int64_t begin = request_.begin(i), from = std::max(begin, piece.begin);
      uint8_t* to = request_.out + i * request_.row_bytes + (from - begin);
      std::memcpy(to, buffer + (from - piece.begin), std::min(request_.end(i), piece.end) - from);
    }
  }

  const Request& request_;
  const std::vector<Piece>& pieces_;
  std::atomic<size_t> next_{0};
  std::atomic<int64_t> bytes_read_{0};
  Failure failure_;
};

// Runs `reader` on this thread and on as many more as the system grants.
void run(Reader& reader, int64_t threads, uint8_t* buffers) {
  std::vector<std::thread> others;
  others.reserve(threads - 1);
  try {
    for (int64_t i = 1; i < threads; ++i) others.emplace_back(&Reader::work, &reader, buffers + i * kLongest);
  } catch (const std::exception&) {
    // Those that are there do all the work.
  }
  reader.work(buffers);
  for (std::thread& other : others) other.join();
}

void check(const Request& request, const Tensor& out, int64_t threads) {
  STD_TORCH_CHECK(request.offset >= 0, "'offset' must not be negative, got ", request.offset);
  STD_TORCH_CHECK(request.row_bytes > 0, "'row_bytes' must be positive, got ", request.row_bytes);
  STD_TORCH_CHECK(threads > 0 && threads <= kMostThreads, "'threads' must lie in [1, ", kMostThreads, "], got ",
                  threads);
  STD_TORCH_CHECK(request.block > 0 && (request.block & (request.block - 1)) == 0 && request.block <= kLongest,
                  "'direct_block' must be 0 or a power of two up to ", kLongest, ", got ", request.block);
  STD_TORCH_CHECK(out.scalar_type() == ScalarType::Byte && out.is_contiguous() && out.dim() == 2 &&
                      out.size(0) == request.count && out.size(1) == request.row_bytes,
                  "'out' must be uint8, contiguous, of shape (", request.count, ", ", request.row_bytes, ")");
  const int64_t last = (std::numeric_limits<int64_t>::max() - request.offset - kLongest) / request.row_bytes;
  for (int64_t i = 0; i < request.count; ++i) {
    const int64_t id = request.ids[i];
    STD_TORCH_CHECK(id >= 0 && id < last, "'ids' must lie in [0, ", last, "), but ids[", i, "] is ", id);
    STD_TORCH_CHECK(i == 0 || request.ids[i - 1] <= id, "'ids' must not decrease, but ids[", i, "] is ", id, " after ",
                    request.ids[i - 1], "; sort them");
  }
}

// Fills row i of `out` with row ids[i] of the file. Returns how many bytes the file gave.
int64_t read_rows(int64_t fd, int64_t offset, int64_t row_bytes, Tensor ids, Tensor out, int64_t threads,
                  int64_t direct_block) {
  check_dim(ids, "ids", 1);
  STD_TORCH_CHECK(ids.scalar_type() == ScalarType::Long, "'ids' must be int64");
  ids = dense(ids);
  STD_TORCH_CHECK(fd >= 0 && fd <= std::numeric_limits<int>::max(), "'fd' must be an open file's descriptor, got ", fd);
  const int64_t block = direct_block == 0 ? 1 : direct_block;
  const Request request{static_cast<int>(fd), offset, row_bytes, block, data<int64_t>(ids), ids.numel(),
                        mutable_data<uint8_t>(out)};
  check(request, out, threads);
  check_apart(ids, "ids", out);
  const std::vector<Piece> pieces = plan(request);
  if (pieces.empty()) return 0;
  threads = std::min<int64_t>(threads, pieces.size());
  // Aligned to any block, for reads that bypass the page cache.
  const std::unique_ptr<uint8_t, decltype(&std::free)> buffers(
      static_cast<uint8_t*>(std::aligned_alloc(kLongest, threads * kLongest)), &std::free);
  STD_TORCH_CHECK(buffers, "not enough memory for the buffers of ", threads, " threads; give fewer 'threads'");
  Reader reader(request, pieces);
  run(reader, threads, buffers.get());
  const Failure& failure = reader.failure();
  STD_TORCH_CHECK(!failure.happened(), "could not read row ", request.ids[failure.i()], ", which is ids[", failure.i(),
                  "], at byte ", request.begin(failure.i()), " of file descriptor ", fd, ": ", failure.reason());
  return reader.bytes_read();
}

}  // namespace
}  // namespace gl

STABLE_TORCH_LIBRARY_FRAGMENT(graphlab, m) {
  m.def(
      "read_rows(int fd, int offset, int row_bytes, Tensor ids, Tensor(a!) out, int threads, int direct_block) -> int");
}

STABLE_TORCH_LIBRARY_IMPL(graphlab, CPU, m) { m.impl("read_rows", TORCH_BOX(&gl::read_rows)); }
