// Annotations of users and parties: free key-value pairs whose keys have the form of Kubernetes' annotations.
// Facts: ResourceAnnotationValidator.
#pragma once

#include <map>
#include <string>

#include "base/result.h"

namespace synod::participant {

inline constexpr std::size_t kMaxAnnotationBytes = 256u << 10;  // keys and values of one resource

// `[prefix/]name`: the prefix a DNS subdomain of at most 253 characters, the name at most 63 letters, digits and . - _.
// INVALID_ARGUMENT. Empty values mean removal, where that is possible.
Status check_annotations(const std::map<std::string, std::string>& annotations, bool allow_empty_values,
                         const std::string& field);

}  // namespace synod::participant
