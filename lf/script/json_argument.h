// The argument of a script that takes one, out of JSON: the form of Canton's JSON API and of the reference's
// `--input-file`. Fact: ApiCodecCompressed.scala.
#pragma once

#include <string_view>

#include "lf/eval/program.h"

namespace synod::lf::script {

// A value of the type, which must be a ledger value's. SCRIPT_ARGUMENT_MALFORMED names the place.
//
// Records are objects, in which fields of an Optional type may be missing, or arrays of all fields; variants have `tag`
// and `value`; numbers may be texts, and those with more than 15 digits should; an Optional is its value or null, but
// inside of another one an array of none or one; maps of texts are objects, other maps arrays of pairs.
Result<eval::Cell> json_argument(eval::Program& program, eval::Arena& arena, const eval::RuntimeType& type,
                                 std::string_view json);

}  // namespace synod::lf::script
