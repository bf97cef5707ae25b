// Interface values: a contract's record together with its template, as an Any.
#include "lf/eval/fatal.h"
#include "lf/eval/machine.h"
#include "lf/eval/pretty.h"
#include "lf/ledger/translate.h"

namespace synod::lf::eval {

const TemplateInfo& Machine::template_inside(const Cell& any) {
  if (any.tag != Tag::any || any.box->type->head != RuntimeType::Head::con) fatal_bug("not an interface value");
  const Identifier& id = any.box->type->con->id;
  const TemplateInfo* t = program_.template_(id);
  if (!t) missing_package("template " + id.to_string());
  return *t;
}

Machine::Step Machine::interface_operation(const Instruction& i, Frame& frame, Cell* slots, Cell& out) {
  const auto* ref =
      i.op == Op::template_type_rep ? nullptr : static_cast<const UpdateRef*>(frame.code->references[i.c]);
  auto operand = [&](std::uint32_t x) -> const Cell& {
    switch (x & kWhere) {
      case kSlot:
        return slots[x];
      case kCaptured:
        return frame.captures[x & kIndex];
      default:
        return frame.code->constants[x & kIndex];
    }
  };
  auto template_named = [&]() -> const TemplateInfo& {
    const TemplateInfo* t = program_.template_of(*ref);
    if (!t) missing_package("template " + identifier(*ref->from, ref->ref).to_string());
    return *t;
  };
  auto interface_named = [&]() -> const InterfaceInfo& {
    const InterfaceInfo* n = program_.interface_of(*ref);
    if (!n) missing_package("interface " + identifier(*ref->from, ref->ref).to_string());
    return *n;
  };
  auto contract_id = [&](const Cell& c) {
    need(c, Tag::contract_id);
    return *ContractId::from_bytes(text_of(c));
  };
  switch (i.op) {
    case Op::to_interface:
      out = make_any(arena_, template_named().type, operand(i.b));
      return Step::value;
    case Op::template_type_rep: {
      const Cell& c = operand(i.b);
      if (c.tag != Tag::any) fatal_bug("not an interface value");
      out = make_tag(Tag::type_rep);
      out.runtime_type = c.box->type;
      return Step::value;
    }
    case Op::from_interface: {
      const Cell& c = operand(i.b);
      const TemplateInfo& wanted = template_named();
      const TemplateInfo& actual = template_inside(c);
      if (&wanted == &actual) {
        out = make_some(arena_, c.box->value);
      } else if (wanted.id.qualified_name() == actual.id.qualified_name() &&
                 wanted.package_name == actual.package_name) {
        auto moved = to_cell(program_, arena_, to_value(c.box->value, arena_), *wanted.type,
                             {.of_contract = true, .local_ids = true});
        if (!moved)
          translation_failed(std::nullopt, actual.id, wanted.id, to_value(c.box->value, arena_), moved.error().cause);
        out = make_some(arena_, *moved);
      } else {
        out = make_none();
      }
      return Step::value;
    }
    case Op::unsafe_from_interface: {
      const Cell& c = slots[(i.b & kIndex) + 1];
      const TemplateInfo& wanted = template_named();
      const TemplateInfo& actual = template_inside(c);
      if (&wanted != &actual) wrongly_typed(contract_id(slots[i.b & kIndex]), wanted.id, actual.id);
      out = c.box->value;
      return Step::value;
    }
    case Op::from_required: {
      const Cell& c = operand(i.b);
      out = template_inside(c).implementation(interface_named().id) ? make_some(arena_, c) : make_none();
      return Step::value;
    }
    case Op::unsafe_from_required: {
      const Cell& c = slots[(i.b & kIndex) + 1];
      const TemplateInfo& actual = template_inside(c);
      const Identifier& requiring = interface_named().id;
      if (!actual.implementation(requiring)) {
        const Identifier required = identifier(*ref->from, ref->required);
        const std::string id = contract_id(slots[i.b & kIndex]).to_hex();
        fatal("CONTRACT_DOES_NOT_IMPLEMENT_REQUIRING_INTERFACE", ErrorCategory::invalid_argument,
              "Update failed due to contract " + id +
                  " not implementing the requiring interface\nExpected contract to implement interface " +
                  pretty(requiring) + " requirring the interface " + pretty(required) + " but contract has type " +
                  pretty(actual.id),
              {{"CONTRACT_ID", id},
               {"TEMPLATE_ID", actual.id.to_string()},
               {"INTERFACE_ID", required.to_string()},
               {"INTERFACE_ID", requiring.to_string()}});
      }
      out = c;
      return Step::value;
    }
    case Op::call_interface:
    case Op::view_interface:
    case Op::signatory_interface:
    case Op::observer_interface: {
      std::uint32_t slot = i.b & kIndex;
      Cell c = slots[slot];
      const TemplateInfo& actual = template_inside(c);
      const Proto* proto = nullptr;
      if (i.op == Op::signatory_interface) {
        proto = &actual.signatories;
      } else if (i.op == Op::observer_interface) {
        proto = &actual.observers;
      } else {
        const ImplementationInfo* implementation = actual.implementation(interface_named().id);
        if (!implementation)
          fatal_bug("template " + actual.id.to_string() + " does not implement interface " +
                    interface_named().id.to_string());
        if (i.op == Op::view_interface) {
          proto = &implementation->view;
        } else {
          auto it = implementation->methods.find(ref->member);
          if (it == implementation->methods.end()) fatal_bug("interface method " + ref->member + " is not implemented");
          proto = it->second.get();
        }
      }
      slots[slot] = c.box->value;
      const std::uint32_t base = frame.base + slot, ret = frame.base + i.a;
      if (i.op == Op::view_interface) push(FrameKind::check_view, base, ret);
      enter(*proto, nullptr, base, ret);
      return Step::pushed;
    }
    default:
      fatal_bug("unknown instruction");
  }
}

}  // namespace synod::lf::eval
