// Against the Ledger API traffic of the recorded sessions: values read from stored bytes must print as Canton printed
// them, and what clients sent must read and print back.
#include "lf/ledger/api_codec.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/testing/shared_files.h"
#include "ledger/command_services.pb.h"
#include "ledger/update_service.pb.h"
#include "lf/ledger/test_support.h"
#include "lf/ledger/value_codec.h"

namespace synod::lf {
namespace {

// Payloads of the recorded messages of one method and direction.
std::vector<Bytes> recorded(const std::string& path, const std::string& method, const std::string& direction) {
  std::vector<Bytes> out;
  std::ifstream in(path);
  auto text = [](const std::string& line, const std::string& key) {
    auto at = line.find("\"" + key + "\"");
    if (at == std::string::npos) return std::string();
    auto from = line.find('"', line.find(':', at)) + 1;
    return line.substr(from, line.find('"', from) - from);
  };
  for (std::string line; std::getline(in, line);) {
    if (text(line, "ev") != "msg" || text(line, "dir") != direction || !text(line, "method").ends_with(method))
      continue;
    if (auto bytes = from_base64(text(line, "data"))) out.push_back(*bytes);
  }
  return out;
}

class RecordedLedgerApi : public ::testing::Test {
 protected:
  void SetUp() override {
    packages_ = testing::load_dars({"canton-builtin-admin-workflow-ping.dar", "CantonExamples-3.2.0.dar"});
    auto path = synod::testing::shared_path("recordings/recordings/client-participant2-ledger.ndjson");
    if (!packages_ || !path) GTEST_SKIP() << "SKIPPED: needs DARs and recordings in ../shared or $SYNOD_SHARED";
    path_ = *path;
  }
  std::shared_ptr<PackageStore> packages_;
  std::string path_;
};

TEST_F(RecordedLedgerApi, StoredContractsPrintAsRecorded) {
  ApiCodec codec(packages_);
  int created = 0, exercised = 0;
  for (const auto& bytes : recorded(path_, "/GetUpdates", "s2c")) {
    api::GetUpdatesResponse response;
    ASSERT_TRUE(response.ParseFromString(bytes));
    for (const auto& event : response.transaction().events()) {
      if (event.has_created() && !event.created().created_event_blob().empty()) {
        auto contract = decode_contract(event.created().created_event_blob());
        ASSERT_TRUE(contract) << contract.error().to_string();
        EXPECT_EQ(encode_contract(*contract), event.created().created_event_blob());
        bool verbose = event.created().create_arguments().has_record_id();
        api::Record record;
        auto status = codec.template_argument(contract->template_id, contract->argument, verbose, &record);
        ASSERT_TRUE(status) << status.error().to_string();
        EXPECT_EQ(record.SerializeAsString(), event.created().create_arguments().SerializeAsString())
            << event.created().create_arguments().DebugString();
        ++created;
      }
      if (event.has_exercised()) {
        const auto& e = event.exercised();
        Identifier id = ApiCodec::identifier(e.has_interface_id() ? e.interface_id() : e.template_id());
        auto value = codec.choice_argument(id, e.choice(), e.choice_argument());
        ASSERT_TRUE(value) << value.error().to_string();
        api::Value back;
        ASSERT_TRUE(codec.choice_argument(id, e.choice(), *value, e.choice_argument().record().has_record_id(), &back));
        EXPECT_EQ(back.SerializeAsString(), e.choice_argument().SerializeAsString())
            << e.choice_argument().DebugString() << back.DebugString();
        ++exercised;
      }
    }
  }
  EXPECT_GT(created, 3);
  EXPECT_GT(exercised, 3);
}

TEST_F(RecordedLedgerApi, RecordedCommandsAreTyped) {
  ApiCodec codec(packages_);
  int commands = 0;
  for (const auto& bytes : recorded(path_, "/SubmitAndWaitForTransaction", "c2s")) {
    api::SubmitAndWaitForTransactionRequest request;
    ASSERT_TRUE(request.ParseFromString(bytes));
    for (const auto& command : request.commands().commands()) {
      auto typed = codec.command(command, {});
      ASSERT_TRUE(typed) << typed.error().to_string() << command.DebugString();
      ++commands;
    }
  }
  EXPECT_GT(commands, 8);
}

TEST_F(RecordedLedgerApi, RecordsByLabelByPositionAndWrong) {
  ApiCodec codec(packages_);
  std::string examples = testing::package_id(*packages_, "CantonExamples");
  Identifier type{examples, "TrailingNone", "TrailingNone"};
  api::Record by_label;
  by_label.add_fields()->set_label("i");
  by_label.mutable_fields(0)->mutable_value()->mutable_optional()->mutable_value()->set_int64(5);
  by_label.add_fields()->set_label("p");
  by_label.mutable_fields(1)->mutable_value()->set_party("Alice::1220aa");
  auto labelled = codec.template_argument(type, by_label);
  ASSERT_TRUE(labelled) << labelled.error().to_string();
  EXPECT_EQ(labelled->to_string(), "{'Alice::1220aa', Some 5}");

  api::Record by_position;
  by_position.add_fields()->mutable_value()->set_party("Alice::1220aa");
  auto positional = codec.template_argument(type, by_position);
  ASSERT_TRUE(positional);
  EXPECT_EQ(positional->as_record().size(), 1u);  // the trailing None is dropped
  api::Record printed;
  ASSERT_TRUE(codec.template_argument(type, *positional, true, &printed));
  ASSERT_EQ(printed.fields_size(), 2);  // and spelled out again
  EXPECT_TRUE(printed.fields(1).value().has_optional());

  api::Record surplus = by_position;
  surplus.add_fields()->mutable_value()->mutable_optional();
  surplus.add_fields()->mutable_value()->set_int64(1);
  auto refused = codec.template_argument(type, surplus);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "COMMAND_PREPROCESSING_FAILED");
  EXPECT_EQ(refused.error().cause, "Found non-optional extra field, cannot remove for downgrading.");
  api::Record later = by_label;  // of a version with one field more
  later.add_fields()->set_label("new");
  later.mutable_fields(2)->mutable_value()->mutable_optional();
  EXPECT_TRUE(codec.template_argument(type, later));
  later.mutable_fields(2)->mutable_value()->mutable_optional()->mutable_value()->set_int64(1);
  refused = codec.template_argument(type, later);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().cause,
            "An optional contract field (\"new\") with a value of Some may not be dropped during downgrading.");
  api::Record wrong;
  wrong.add_fields()->mutable_value()->set_text("Alice");
  EXPECT_FALSE(codec.template_argument(type, wrong));
  EXPECT_FALSE(codec.template_argument(Identifier{examples, "No", "No"}, wrong));
}

}  // namespace
}  // namespace synod::lf
