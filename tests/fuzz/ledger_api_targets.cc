#include <google/protobuf/stubs/logging.h>

#include "ledger/filters.pb.h"
#include "participant/ledger_api/event_filter.h"
#include "tests/fuzz/targets.h"

namespace synod::fuzz {

void event_format(ByteView input) {
  com::daml::ledger::api::v2::EventFormat format;
  const google::protobuf::LogSilencer silent;  // it complains of every text that is not UTF-8
  if (!format.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  const lf::PackageStore packages;
  const auto filter = participant::EventFilter::parse(format, packages);
  if (!filter) return;
  (void)filter->visibility({"package", "Module", "Template"}, "name", {"alice", "bob"}, packages);
  (void)filter->concerns({"alice"});
}

}  // namespace synod::fuzz
