// Rows that belong to groups: what segment ops read; one plain structure for host and device.
#pragma once
#include "common.h"

namespace gl {

// Group i holds the positions ptr[i] to ptr[i + 1]; the row at position e is row perm[e], or e without perm.
struct Segments {
  const int64_t* ptr;
  const int64_t* perm;
  int64_t groups;
  int64_t length;
};

GL_HD int64_t row_at(const Segments& s, int64_t e) { return s.perm ? s.perm[e] : e; }

}  // namespace gl
