// What this client signs is, to the byte, what Canton's client signed in the recordings.
#include "sequencer/client/requests.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <map>

#include "base/testing/shared_files.h"
#include "canton/sequencer_api_v30.pb.h"
#include "protocol/signed_content.h"

namespace synod::sequencer::client {
namespace {

namespace api = com::digitalasset::canton::sequencer::api::v30;

std::string field(const std::string& line, const std::string& key) {
  const std::string mark = "\"" + key + "\":";
  const std::size_t at = line.find(mark);
  if (at == std::string::npos) return "";
  std::size_t from = at + mark.size();
  const bool quoted = line[from] == '"';
  if (quoted) ++from;
  return line.substr(from, line.find_first_of(quoted ? "\"" : ",}", from) - from);
}

struct Message {
  std::string method;  // last part of the path
  bool from_client;
  Bytes bytes;
};

std::vector<Message> messages(const std::string& file) {
  std::vector<Message> out;
  std::map<std::string, std::string> method_of;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    const std::string event = field(line, "ev"), call = field(line, "call");
    if (event == "begin") {
      const std::string path = field(line, "method");
      method_of[call] = path.substr(path.rfind('/') + 1);
    } else if (event == "msg") {
      out.push_back({method_of[call], field(line, "dir") == "c2s", from_base64(field(line, "data")).value()});
    }
  }
  return out;
}

class RequestsTest : public ::testing::Test {
 protected:
  void load(const std::string& directory) {
    keys = crypto::memory_key_store();
    const YAML::Node json = YAML::LoadFile(directory + "/keys.json");
    synchronizer = protocol::PhysicalSynchronizerId::parse(json["physical_synchronizer_id"].as<std::string>()).value();
    for (const auto& node : json["nodes"]) {
      for (const auto& key : node.second["keys"]) {
        if (key["purpose"].as<std::string>() != "signing") continue;
        auto pair = crypto::SigningKeyPair::from_pkcs8(
            crypto::SigningKeySpec::ed25519, from_hex(key["private_pkcs8"].as<std::string>()).value(),
            {crypto::KeyUsage::protocol, crypto::KeyUsage::sequencer_authentication,
             crypto::KeyUsage::proof_of_ownership});
        ASSERT_TRUE(pair) << pair.error().to_string();
        ASSERT_TRUE(keys->add(*pair, key["name"].as<std::string>()));
      }
    }
  }
  std::unique_ptr<crypto::KeyStore> keys;
  protocol::PhysicalSynchronizerId synchronizer;
};

TEST_F(RequestsTest, EqualTheRecordedOnes) {
  SYNOD_NEEDS_SHARED(directory, "recordings");
  load(directory);
  int sends = 0, acknowledgements = 0, authentications = 0;
  for (const char* member : {"participant1", "participant2", "participant3", "mediator1"}) {
    for (const Message& m : messages(directory + "/recordings/" + member + "-sequencer1.ndjson")) {
      if (!m.from_client) continue;
      if (m.method == "SendAsync") {
        api::SendAsyncRequest request;
        ASSERT_TRUE(request.ParseFromString(m.bytes));
        const auto content = protocol::SignedContent::parse(request.signed_submission_request());
        ASSERT_TRUE(content) << content.error().to_string();
        const auto submission = protocol::SubmissionRequest::parse(content->content, {});
        ASSERT_TRUE(submission) << submission.error().to_string();
        const auto key = keys->signing_key(content->signatures.front().signed_by);
        ASSERT_TRUE(key);
        EXPECT_EQ(to_hex(signed_submission(*submission, *key, content->timestamp_of_signing_key)),
                  to_hex(request.signed_submission_request()));
        ++sends;
      } else if (m.method == "AcknowledgeSigned") {
        api::AcknowledgeSignedRequest request;
        ASSERT_TRUE(request.ParseFromString(m.bytes));
        const auto content = protocol::SignedContent::parse(request.signed_acknowledge_request());
        const auto inner = protocol::AcknowledgeRequest::parse(content->content);
        const auto key = keys->signing_key(content->signatures.front().signed_by);
        EXPECT_EQ(to_hex(signed_acknowledgement(inner->member, inner->timestamp, *key)),
                  to_hex(request.signed_acknowledge_request()));
        ++acknowledgements;
      } else if (m.method == "Authenticate") {
        api::SequencerAuthentication::AuthenticateRequest request;
        ASSERT_TRUE(request.ParseFromString(m.bytes));
        const auto key = authentication_key(*keys, {request.signature().signed_by()});
        ASSERT_TRUE(key) << key.error().to_string();
        com::digitalasset::canton::crypto::v30::Signature signature;
        authentication_signature(request.nonce(), synchronizer, *key).to_proto(signature);
        EXPECT_EQ(signature.SerializeAsString(), request.signature().SerializeAsString());
        ++authentications;
      }
    }
  }
  EXPECT_GE(sends, 90);
  EXPECT_GE(acknowledgements, 40);
  EXPECT_GE(authentications, 4);
}

TEST_F(RequestsTest, DeduplicationIsAddedUnlessThereIsARule) {
  const auto member = protocol::Member::mediator(protocol::UniqueId::create("m", "1220ab").value());
  protocol::Submission submission{"id", {}, Timestamp{5}, std::nullopt};
  EXPECT_FALSE(make_request(member, submission, false).aggregation_rule);
  EXPECT_EQ(make_request(member, submission, true).aggregation_rule, protocol::AggregationRule::sender_dedup());
  submission.aggregation_rule = protocol::AggregationRule::mediator_group(0);
  EXPECT_EQ(make_request(member, submission, true).aggregation_rule, protocol::AggregationRule::mediator_group(0));
}

TEST_F(RequestsTest, NoUsableKeyIsAClearError) {
  const auto keys = crypto::memory_key_store();
  EXPECT_EQ(authentication_key(*keys, {"1220"}).error().id, "NO_AUTHENTICATION_KEY");
}

}  // namespace
}  // namespace synod::sequencer::client
