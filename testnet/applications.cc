#include "testnet/applications.h"

#include <cstdlib>
#include <filesystem>

#include "base/files.h"
#include "ledger/commands.pb.h"
#include "ledger/value.pb.h"
#include "lf/archive/dar.h"
#include "lf/text/assembler.h"

namespace synod::testnet {
namespace {

namespace fs = std::filesystem;

// The checkout: the folder above the one with the binary.
fs::path checkout() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored).parent_path().parent_path();
}

Result<std::string> read(const fs::path& path) { return required_file(path, "DAR_NOT_FOUND"); }

// See load_ping for the order.
Result<Application> find(const std::string& given, const char* shared_name, const char* example) {
  if (!given.empty()) {
    SYNOD_TRY(std::string dar, read(given));
    return Application{std::move(dar), given, "", ""};
  }
  const char* configured = std::getenv("SYNOD_SHARED");
  const fs::path shared = (configured ? fs::path(configured) : checkout() / ".." / "shared") / "dars" / shared_name;
  std::error_code ignored;
  if (fs::exists(shared, ignored)) {
    SYNOD_TRY(std::string dar, read(shared));
    return Application{std::move(dar), shared_name, "", ""};
  }
  const fs::path source = checkout() / "examples" / example;
  SYNOD_TRY(const std::string text, read(source));
  SYNOD_TRY(std::string dar, lf::assemble_dar(text));
  return Application{std::move(dar), std::string("examples/") + example, "", ""};
}

// The module of the main package that has a template of this name.
Result<std::string> inspect(Application& application, const char* entity) {
  SYNOD_TRY(const lf::Dar dar, lf::decode_dar(application.dar));
  const lf::Package& main = dar.main();
  application.package = main.name();
  for (const lf::Template& candidate : main.templates())
    if (main.text(candidate.name) == entity) return std::string(main.text(main.modules()[candidate.module].name));
  return fail(not_found("TEMPLATE_NOT_FOUND", application.origin + " has no template " + entity));
}

}  // namespace

TemplateName PingApplication::ping() const { return {package, module, "Ping"}; }
api::Command PingApplication::create_ping(const std::string& id, const std::string& initiator,
                                          const std::string& responder) const {
  return create(ping(), record({{"id", text(id)}, {"initiator", party(initiator)}, {"responder", party(responder)}}));
}
api::Command PingApplication::respond(const std::string& contract_id) const {
  return exercise(ping(), contract_id, "Respond", record({}));
}

TemplateName IouApplication::iou() const { return {package, module, "Iou"}; }
api::Command IouApplication::create_iou(const std::string& payer, const std::string& owner, const std::string& amount,
                                        const std::string& currency) const {
  return create(iou(), record({{"payer", party(payer)},
                               {"owner", party(owner)},
                               {"amount", record({{"value", numeric(amount)}, {"currency", text(currency)}})},
                               {"viewers", empty_list()}}));
}
api::Command IouApplication::transfer(const std::string& contract_id, const std::string& new_owner) const {
  return exercise(iou(), contract_id, "Transfer", record({{"newOwner", party(new_owner)}}));
}
api::Command IouApplication::call(const std::string& contract_id) const {
  return exercise(iou(), contract_id, "Call", record({}));
}

Result<PingApplication> load_ping(const std::string& dar_file) {
  SYNOD_TRY(Application application, find(dar_file, "canton-builtin-admin-workflow-ping.dar", "ping.lf"));
  SYNOD_TRY(std::string module, inspect(application, "Ping"));
  PingApplication ping;
  static_cast<Application&>(ping) = std::move(application);
  ping.module = std::move(module);
  return ping;
}

Result<IouApplication> load_iou(const std::string& dar_file) {
  SYNOD_TRY(Application application, find(dar_file, "CantonExamples-3.2.0.dar", "iou.lf"));
  SYNOD_TRY(std::string module, inspect(application, "Iou"));
  IouApplication iou;
  static_cast<Application&>(iou) = std::move(application);
  iou.module = std::move(module);
  return iou;
}

}  // namespace synod::testnet
