// LF text in, packages and DARs out: for the project's examples and for tests, where no Daml compiler is at hand.
//
// The language is the textual form of Daml-LF that Canton's own tests use, with one addition: a package name in quotes
// means the newest package of that name among the dependencies. In short:
//
//   metadata ('name' : '1.0.0')
//   module Iou {
//     record @serializable Iou = { payer: Party, amount: Numeric 10 } ;
//     variant @serializable Either (a: *) b = Left: a | Right: b ;      enum @serializable Color = Red | Green ;
//     synonym Pair (a: *) = <fst: a, snd: a> ;                          used as ||Iou:Pair Int64||
//     val twice : Int64 -> Int64 = \(x: Int64) -> ADD_INT64 x x ;
//     exception Bad = { message \(e: Iou:Bad) -> Iou:Bad {text} e } ;
//     template (this : Iou) = {
//       precondition True ;                                             may be absent
//       signatories Cons @Party [Iou:Iou {payer} this] (Nil @Party) ;
//       observers Nil @Party ;                                          may be absent
//       choice @nonConsuming Name (self) (arg : T) : Result , controllers e , observers e to update ;
//       implements Mod:Interface { view = e ; method m = e ; } ;
//       key @T key maintainers ;                                        2.3
//     } ;
//     interface (this : Token) = { viewtype T ; requires Mod:Other ; method m : T ; choice ... ; } ;
//   }
//
// A name that is a word of the language goes into backquotes. lf/text/printer.h writes packages in this language.
// Every definition is named with its module, 'package':Module:Name from elsewhere. Expressions: Mod:R @T {f = e}, Mod:R
// {f} e, Mod:R {e with f = e}, Mod:V:Con @T e, Mod:E:Con, <f = e>, (s).f, <s with f = e>, \(x: T) -> e, /\ (a: *). e, f
// e @T, let x: T = e ; y: T = e in e, case e of P -> e | P -> e, Nil @T, Cons @T [e, ...] e, None @T, Some @T e, upure
// @T e, ubind x: T <- e ; y: T <- e in e, create @T e, exercise @T Choice cid arg, fetch_template @T cid, uget_time,
// try @T e catch x -> e, builtins by their names (ADD_INT64), to_interface @I @T e, call_method @I m e, and so on.
//
// Text is for programmers: nesting is limited (kMaxTextNesting), types are not checked.
#pragma once

#include <span>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "lf/archive/dar.h"
#include "lf/language_version.h"
#include "lf/package_store.h"

namespace synod::lf {

struct AssembleOptions {
  LanguageVersion version = kLf22;
  std::span<const Dar::Entry> dependencies =
      {};  // packages that may be named, and that go into the DAR if they are needed
};

// One package, as it decodes from its encoding. LF_TEXT_ERROR says line and column.
Result<Dar::Entry> assemble_package(std::string_view text, const AssembleOptions& options = {});
// A DAR with that package and those it needs.
Result<Bytes> assemble_dar(std::string_view text, const AssembleOptions& options = {});

// The payload of a package (see lf/archive/decode.h) from its syntax tree.
Result<Bytes> encode_package(const Package& package);

}  // namespace synod::lf
