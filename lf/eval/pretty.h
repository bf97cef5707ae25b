// Names, parties, values and types in the texts of errors, as Canton's Pretty.scala writes them. Long texts are cut.
#pragma once

#include <string>

#include "lf/eval/cell.h"
#include "lf/eval/program.h"
#include "lf/transaction.h"

namespace synod::lf::eval {

std::string pretty(const Identifier& id);     // Module:Entity@ and the first eight digits of the package id
std::string pretty(const PartySet& parties);  // { 'alice','bob' }
std::string pretty(const Value& value);       // the labels of records are not known: { <no-label> = 1 }
std::string pretty(const Cell& value);        // with types and labels; for cells that ledger values can be made of
std::string pretty(const RuntimeType& type);  // without packages: List Main:Iou

}  // namespace synod::lf::eval
