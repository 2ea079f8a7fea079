// Products of small dense matrices, in registers. Included once per instruction set; no include guard.
// Rows of tiles are padded (see tiles.h), so that no loop has a tail of columns. A sum has one order, whatever stands
// in the rows beside it.

template <class T>
struct VectorOf;
template <>
struct VectorOf<float> {
  typedef float type __attribute__((vector_size(kVectorBytes)));
  typedef float loose __attribute__((vector_size(kVectorBytes), aligned(4), may_alias));
  typedef int32_t integers __attribute__((vector_size(kVectorBytes)));
};
template <>
struct VectorOf<double> {
  typedef double type __attribute__((vector_size(kVectorBytes)));
  typedef double loose __attribute__((vector_size(kVectorBytes), aligned(8), may_alias));
  typedef int64_t integers __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using vec = typename VectorOf<T>::type;

template <class T>
constexpr int kLanes = kVectorBytes / sizeof(T);

// Sums held at once: 6 x 4 vectors where there are 32 registers, 6 x 2 where there are 16.
constexpr int kBlockRows = 6;
constexpr int kBlockVectors = kVectorBytes == 64 ? 4 : 2;
template <class T>
constexpr int kPanel = kBlockVectors * kLanes<T>;

template <class T>
GL_INLINE vec<T> load_vec(const T* p) {
  return *reinterpret_cast<const typename VectorOf<T>::loose*>(p);
}
template <class T>
GL_INLINE void store_vec(T* p, vec<T> value) {
  *reinterpret_cast<typename VectorOf<T>::loose*>(p) = value;
}

// A strided matrix: at(i, k) = p[i * row + k * depth].
template <class T>
struct Strided {
  const T* p;
  int64_t row, depth;
};

// c = start + a b for R rows and V vectors of columns; a null `start` is zero.
template <class T, int R, int V>
inline void multiply_block(int64_t depth, Strided<T> a, const T* b, int64_t b_row, const T* start, int64_t start_row,
                           T* c, int64_t c_row) {
  constexpr int L = kLanes<T>;
  vec<T> sum[R][V];
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) sum[i][j] = start ? load_vec(start + i * start_row + j * L) : vec<T>{};
  for (int64_t k = 0; k < depth; ++k) {
    vec<T> right[V];
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) right[j] = load_vec(b + j * L);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      const T left = a.p[i * a.row];
#pragma GCC unroll 4
      for (int j = 0; j < V; ++j) sum[i][j] += left * right[j];
    }
    a.p += a.depth;
    b += b_row;
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 4
    for (int j = 0; j < V; ++j) store_vec(c + i * c_row + j * L, sum[i][j]);
}

template <class T, int V>
inline void multiply_panel(int64_t rows, int64_t depth, Strided<T> a, const T* b, int64_t b_row, const T* start,
                           int64_t start_row, T* c, int64_t c_row) {
  int64_t i = 0;
  auto skip = [&](int64_t count) {
    i += count;
    a.p += count * a.row;
    c += count * c_row;
    if (start) start += count * start_row;
  };
  for (; i + kBlockRows <= rows; skip(kBlockRows))
    multiply_block<T, kBlockRows, V>(depth, a, b, b_row, start, start_row, c, c_row);
  if (i + 4 <= rows) {
    multiply_block<T, 4, V>(depth, a, b, b_row, start, start_row, c, c_row);
    skip(4);
  }
  if (i + 2 <= rows) {
    multiply_block<T, 2, V>(depth, a, b, b_row, start, start_row, c, c_row);
    skip(2);
  }
  if (i < rows) multiply_block<T, 1, V>(depth, a, b, b_row, start, start_row, c, c_row);
}

// c = start + a b. Panel p of b holds its columns from p * kPanel on and begins at b + p * panel, its rows `b_row`
// apart; b_row = 0 stands for rows as wide as the panel.
template <class T>
inline void multiply_panels(int64_t rows, int64_t columns, int64_t depth, Strided<T> a, const T* b, int64_t panel,
                            int64_t b_row, const T* start, int64_t start_row, T* c, int64_t c_row) {
  for (int64_t at = 0; at < columns; at += kPanel<T>) {
    const int64_t width = columns - at < kPanel<T> ? columns - at : kPanel<T>;
    const int64_t step = b_row ? b_row : width;
    const T* from = start ? start + at : nullptr;
    auto run = multiply_panel<T, kBlockVectors>;
    if constexpr (kBlockVectors == 4) {
      if (width == 1 * kLanes<T>) run = multiply_panel<T, 1>;
      if (width == 2 * kLanes<T>) run = multiply_panel<T, 2>;
      if (width == 3 * kLanes<T>) run = multiply_panel<T, 3>;
    }
    run(rows, depth, a, b, step, from, start_row, c + at, c_row);
    b += panel;
  }
}

// c[rows, columns] = start + a[rows, depth] b, with a packed b; start_row = 0 adds one row, a bias, to all.
template <class T>
inline void multiply(int64_t rows, int64_t columns, int64_t depth, const T* a, int64_t a_row, const T* packed,
                     const T* start, int64_t start_row, T* c, int64_t c_row) {
  multiply_panels<T>(rows, columns, depth, {a, a_row, 1}, packed, kPanel<T> * depth, 0, start, start_row, c, c_row);
}

// c[columns of a, columns of b] += a' b, both of `rows` rows.
template <class T>
inline void add_product(int64_t rows, int64_t a_columns, int64_t b_columns, const T* a, int64_t a_row, const T* b,
                        int64_t b_row, T* c, int64_t c_row) {
  multiply_panels<T>(a_columns, b_columns, rows, {a, 1, a_row}, b, kPanel<T>, b_row, c, c_row, c, c_row);
}

// Where the value at (k, column) of a matrix of `depth` rows lies in its packed form.
template <class T>
inline int64_t packed_place(int64_t depth, int64_t columns, int64_t k, int64_t column) {
  const int64_t first = column / kPanel<T> * kPanel<T>;
  const int64_t width = columns - first < kPanel<T> ? columns - first : kPanel<T>;
  return first * depth + k * width + column - first;
}

// Packs w, (gates * d, depth), for products with rows of `depth` values. Gate g takes the columns from g * padded(d)
// on; those past its d stay zero, as the storage is when it gets here.
template <class T>
inline void pack_transposed(const T* w, int64_t gates, int64_t d, int64_t depth, T* packed) {
  const int64_t width = padded<T>(d);
  for (int64_t g = 0; g < gates; ++g)
    for (int64_t j = 0; j < d; ++j)
      for (int64_t k = 0; k < depth; ++k)
        packed[packed_place<T>(depth, gates * width, k, g * width + j)] = w[(g * d + j) * depth + k];
}

// Packs w, (gates * d, columns), for products with rows of `gates` padded gates.
template <class T>
inline void pack(const T* w, int64_t gates, int64_t d, int64_t columns, T* packed) {
  const int64_t width = padded<T>(d);
  for (int64_t g = 0; g < gates; ++g)
    for (int64_t j = 0; j < d; ++j)
      for (int64_t k = 0; k < columns; ++k)
        packed[packed_place<T>(gates * width, padded<T>(columns), g * width + j, k)] = w[(g * d + j) * columns + k];
}

// The first `count` values of a row; the rest of the vector is zero.
template <class T>
GL_INLINE vec<T> load_some(const T* p, int64_t count) {
  if (count >= kLanes<T>) return load_vec(p);
  T held[kLanes<T>] = {};
  for (int64_t k = 0; k < count; ++k) held[k] = p[k];
  return load_vec(held);
}
template <class T>
GL_INLINE void store_some(T* p, int64_t count, vec<T> value) {
  if (count >= kLanes<T>) return store_vec(p, value);
  T held[kLanes<T>];
  store_vec(held, value);
  for (int64_t k = 0; k < count; ++k) p[k] = held[k];
}
template <class T>
GL_INLINE void add_vec(T* p, vec<T> value) {
  store_vec(p, load_vec(p) + value);
}

// sums[k] += sum of parts[piece, k] over the pieces, in their order.
template <class T>
inline void add_pieces(const T* parts, int64_t pieces, int64_t count, T* sums) {
  for (int64_t piece = 0; piece < pieces; ++piece)
    for (int64_t k = 0; k < count; ++k) sums[k] += parts[piece * count + k];
}
