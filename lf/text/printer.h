// LF text from a package: what assembler.h reads. Assembling it again gives a package with the same content, though
// not with the same bytes and id: the order of its tables is another.
#pragma once

#include <string>

#include "lf/package.h"

namespace synod::lf {

struct PrintOptions {
  bool locations = true;  // source locations; without them the text is easier to read, but not the whole package
};
std::string print_package(const Package& package, const PrintOptions& options = {});

}  // namespace synod::lf
