#include "protocol/testing/recordings.h"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <filesystem>

#include "base/testing/shared_files.h"

namespace synod::testing {
namespace {

// The value of a string or number member of a flat JSON object on one line; empty if it is not there.
std::string_view member(std::string_view line, std::string_view key) {
  const std::string quoted = "\"" + std::string(key) + "\":";
  std::size_t at = line.find(quoted);
  if (at == std::string_view::npos) return {};
  at += quoted.size();
  if (line[at] == '"') return line.substr(at + 1, line.find('"', at + 1) - at - 1);
  return line.substr(at, line.find_first_of(",}", at) - at);
}

template <typename T>
T expect(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().to_string());
  return std::move(*result);
}

}  // namespace

RecordedKeys read_recorded_keys(const std::string& folder) {
  const YAML::Node root = YAML::Load(read_file(folder + "/keys.json"));
  RecordedKeys out;
  out.synchronizer =
      expect(protocol::PhysicalSynchronizerId::parse(root["physical_synchronizer_id"].as<std::string>()));
  out.store = crypto::memory_key_store();
  for (const auto& entry : root["nodes"]) {
    RecordedNode node;
    node.name = entry.first.as<std::string>();
    node.id = expect(protocol::Member::parse(entry.second["id"].as<std::string>()));
    for (const auto& key : entry.second["keys"]) {
      const Bytes spki = expect(from_hex(key["public_spki"].as<std::string>()));
      const Bytes pkcs8 = expect(from_hex(key["private_pkcs8"].as<std::string>()));
      const std::string fingerprint = key["fingerprint"].as<std::string>();
      if (key["purpose"].as<std::string>() == "encryption") {
        auto pair = expect(crypto::EncryptionKeyPair::from_pkcs8(crypto::EncryptionKeySpec::p256, pkcs8));
        EXPECT_EQ(pair.fingerprint(), fingerprint);
        EXPECT_EQ(pair.public_key().spki(), spki);
        EXPECT_TRUE(out.store->add(pair, ""));
        node.encryption_keys.push_back(pair);
      } else {
        crypto::KeyUsages usages;
        for (const auto& usage : key["usage"]) {
          const std::string name = usage.as<std::string>();
          if (name == "namespace") usages.insert(crypto::KeyUsage::namespace_);
          if (name == "sequencer authentication") usages.insert(crypto::KeyUsage::sequencer_authentication);
          if (name == "protocol") usages.insert(crypto::KeyUsage::protocol);
          if (name == "proof of ownership") usages.insert(crypto::KeyUsage::proof_of_ownership);
        }
        auto pair = expect(crypto::SigningKeyPair::from_pkcs8(crypto::SigningKeySpec::ed25519, pkcs8, usages));
        EXPECT_EQ(pair.fingerprint(), fingerprint);
        EXPECT_EQ(pair.public_key().spki(), spki);
        EXPECT_TRUE(out.store->add(pair, ""));
        out.signing.emplace(fingerprint, pair);
        node.signing_keys.push_back(pair);
      }
      ++out.fingerprints_checked;
    }
    out.nodes.push_back(std::move(node));
  }
  return out;
}

std::vector<RecordedMessage> read_recording(const std::string& folder, const std::string& connection) {
  const std::string text = read_file(folder + "/recordings/" + connection + ".ndjson");
  std::vector<RecordedMessage> out;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = std::string_view(text).substr(start, end - start);
    start = end + 1;
    if (member(line, "ev") != "msg" || line.find("\"data\":") == std::string_view::npos) continue;
    const std::string_view method = member(line, "method");
    RecordedMessage message;
    message.connection = connection;
    message.method = std::string(method.substr(method.rfind('/') + 1));
    message.call = std::stoi(std::string(member(line, "call")));
    message.to_server = member(line, "dir") == "c2s";
    message.data = expect(from_base64(member(line, "data")));
    out.push_back(std::move(message));
  }
  return out;
}

std::vector<RecordedMessage> read_member_recordings(const std::string& folder) {
  std::vector<std::string> connections;
  for (const auto& entry : std::filesystem::directory_iterator(folder + "/recordings")) {
    const std::string name = entry.path().stem().string();
    if (name.find("-sequencer") != std::string::npos && name.rfind("console", 0) != 0) connections.push_back(name);
  }
  std::sort(connections.begin(), connections.end());
  std::vector<RecordedMessage> out;
  for (const std::string& connection : connections)
    for (RecordedMessage& message : read_recording(folder, connection)) out.push_back(std::move(message));
  return out;
}

}  // namespace synod::testing
