// Hashes of typed values, "TypedNormalForm": they authenticate contracts against their ids and identify keys.
// Fact: SValueHash.scala. SHA-256 of 03 | purpose | package name | module | entity | tagged value.
#pragma once

#include <string>

#include "base/bytes.h"
#include "lf/eval/cell.h"
#include "lf/identifier.h"

namespace synod::lf {

// The cell must be one that to_value accepts (which also bounds its depth).
Bytes hash_contract(const std::string& package_name, const Identifier& template_id, const eval::Cell& argument);
// Fatal CONTRACT_ID_IN_CONTRACT_KEY when the key holds a contract id.
Bytes hash_key(const std::string& package_name, const Identifier& template_id, const eval::Cell& key);

}  // namespace synod::lf
