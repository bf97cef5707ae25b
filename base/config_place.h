// Where a value stands in a configuration file, for errors that show only when all of it has been read.
#pragma once

#include <string>
#include <vector>

namespace synod::config {

// "file:line" of what this path of keys, and in lists of indices from 0, leads to. Where the file is silent, that of
// the last value on the way; just the file's name if it cannot be read.
std::string place_of(const std::string& file, const std::vector<std::string>& path);

}  // namespace synod::config
