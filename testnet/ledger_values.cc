#include "ledger/commands.pb.h"
#include "ledger/value.pb.h"
#include "testnet/ledger_client.h"

namespace synod::testnet {
namespace {

void set(api::Identifier& id, const TemplateName& name) {
  id.set_package_id("#" + name.package);
  id.set_module_name(name.module);
  id.set_entity_name(name.entity);
}

}  // namespace

api::Value party(const std::string& id) {
  api::Value value;
  value.set_party(id);
  return value;
}
api::Value text(const std::string& text) {
  api::Value value;
  value.set_text(text);
  return value;
}
api::Value numeric(const std::string& decimal) {
  api::Value value;
  value.set_numeric(decimal);
  return value;
}
api::Value empty_list() {
  api::Value value;
  value.mutable_list();
  return value;
}
api::Value contract(const std::string& id) {
  api::Value value;
  value.set_contract_id(id);
  return value;
}
api::Value record(std::vector<std::pair<std::string, api::Value>> fields) {
  api::Value value;
  value.mutable_record();
  for (auto& [label, content] : fields) {
    api::RecordField& field = *value.mutable_record()->add_fields();
    field.set_label(label);
    *field.mutable_value() = std::move(content);
  }
  return value;
}

api::Command create(const TemplateName& name, const api::Value& arguments) {
  api::Command command;
  set(*command.mutable_create()->mutable_template_id(), name);
  *command.mutable_create()->mutable_create_arguments() = arguments.record();
  return command;
}
api::Command exercise(const TemplateName& name, const std::string& contract_id, const std::string& choice,
                      const api::Value& argument) {
  api::Command command;
  set(*command.mutable_exercise()->mutable_template_id(), name);
  command.mutable_exercise()->set_contract_id(contract_id);
  command.mutable_exercise()->set_choice(choice);
  *command.mutable_exercise()->mutable_choice_argument() = argument;
  return command;
}

}  // namespace synod::testnet
