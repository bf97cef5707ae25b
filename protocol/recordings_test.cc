// Every check that was made on the recorded exchanges, with our own code and the same counts; and everything that Synod
// builds itself is built again to the same bytes.
#include "protocol/testing/recordings.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/testing/shared_files.h"
#include "canton/envelope_v31.pb.h"
#include "canton/sequencer_api_v30.pb.h"
#include "canton/sequencing_v31.pb.h"
#include "canton/topology_admin_v30_data.pb.h"
#include "canton/topology_v30.pb.h"
#include "crypto/sign.h"
#include "lf/transaction.pb.h"
#include "protocol/acs_commitment.h"
#include "protocol/batch.h"
#include "protocol/compression.h"
#include "protocol/contract_id.h"
#include "protocol/encrypted_view.h"
#include "protocol/envelope_content.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "protocol/versioned.h"
#include "protocol/view_keys.h"

namespace synod::protocol {
namespace {

namespace api = ::com::digitalasset::canton::sequencer::api::v30;
namespace pv30 = ::com::digitalasset::canton::protocol::v30;
namespace lf = ::com::digitalasset::daml::lf::value;
namespace lf_tx = ::com::digitalasset::daml::lf::transaction;
using crypto::HashPurpose;
using testing::RecordedMessage;

struct Run {
  std::string folder;                 // below recordings/
  std::map<std::string, int> counts;  // of the checks that the recordings' own script reports for that run
};

void PrintTo(const Run& run, std::ostream* out) { *out << (run.folder.empty() ? "main" : run.folder); }

class RecordedRun : public ::testing::TestWithParam<Run> {
 protected:
  std::map<std::string, int> ok;

  void good(const std::string& kind, bool condition, const std::string& what = {}) {
    EXPECT_TRUE(condition) << kind << ": " << what;
    if (condition) ++ok[kind];
  }

  void verify(const std::string& kind, const crypto::Hash& hash, const crypto::Signature& signature) {
    const auto key = keys->signing.find(signature.signed_by);
    ASSERT_NE(key, keys->signing.end()) << kind << ": unknown key " << signature.signed_by;
    const Status status = crypto::verify(hash, signature, key->second.public_key());
    good(kind, status.has_value(), status ? "" : status.error().to_string());
    // Ed25519 is deterministic: we sign to the same bytes.
    good("signature bytes recomputed from the private key (Ed25519)", crypto::sign(hash, key->second) == signature);
    Bytes flipped = hash.bytes();
    flipped.back() ^= 1;
    EXPECT_FALSE(crypto::verify(*crypto::Hash::parse(flipped), signature, key->second.public_key()));
  }

  crypto::Hash topology_transaction(const pv30::SignedTopologyTransaction& transaction) {
    const crypto::Hash hash = crypto::hash(HashPurpose::topology_transaction, transaction.transaction());
    if (!seen_transactions.insert(transaction.SerializeAsString()).second) return hash;
    for (const auto& signature : transaction.signatures())
      verify("topology transaction signature (single)", hash, *crypto::Signature::from_proto(signature));
    return hash;
  }

  void read(const std::string& folder) {
    keys = testing::read_recorded_keys(folder);
    messages = testing::read_member_recordings(folder);
  }

  std::optional<testing::RecordedKeys> keys;
  std::vector<RecordedMessage> messages;
  std::set<Bytes> seen_transactions;
  std::map<Hash, Bytes> key_by_view;
  std::vector<SubviewKey> subview_keys;
  std::set<Bytes> contracts;

  void contract_ids(const LightViewTree& tree);
  void views(const EncryptedViews& message, const std::optional<Hash>& root);
  std::vector<Envelope> envelopes(const CompressedBatch& batch);
  std::optional<Hash> envelope(const Envelope& envelope, std::vector<EncryptedViews>& encrypted);
  void batch(const CompressedBatch& batch, bool submitted);
  void send(const RecordedMessage& message);
  std::optional<SequencedEvent> subscribe(const RecordedMessage& message);
};

// Contracts travel as {1: version of the language, 2: contract}.
Bytes payload_of(const Bytes& versioned) {
  lf_tx::Versioned proto;
  EXPECT_TRUE(proto.ParseFromString(versioned));
  return proto.payload();
}

// The contract hash needs the labels of records, which are in packages, not on the wire: here are those of the recorded
// models. (module, entity) → labels; the type of the nested record `amount` is Iou:Amount.
const std::map<std::pair<std::string, std::string>, std::vector<std::string>> labels{
    {{"Iou", "Iou"}, {"payer", "owner", "amount", "viewers"}},
    {{"Iou", "GetCash"}, {"payer", "owner", "amount"}},
    {{"Iou", "Dummy"}, {"party"}},
    {{"Iou", "Amount"}, {"value", "currency"}},
    {{"Paint", "PaintHouse"}, {"painter", "houseOwner"}},
    {{"Paint", "OfferToPaintHouseByPainter"}, {"houseOwner", "painter", "bank", "amount"}},
    {{"Swap", "Swap"}, {"party1", "party2", "iou1", "exchangeRate", "currencyDesired"}},
    {{"Canton.Internal.Ping", "Ping"}, {"id", "initiator", "responder"}}};

Bytes dotted(const std::string& name) {
  Bytes out, parts;
  std::int32_t count = 0;
  for (std::size_t start = 0; start <= name.size(); ++count) {
    const std::size_t end = std::min(name.find('.', start), name.size());
    append_length_prefixed(parts, name.substr(start, end - start));
    start = end + 1;
  }
  append_i32(out, count);
  return out + parts;
}

Bytes hashed_numeric(std::string text) {
  text.erase(std::remove(text.begin(), text.end(), '.'), text.end());
  const std::int64_t value = std::stoll(text);
  int size = 1;
  while (size < 8 && (value >> (8 * size - 1)) != (value < 0 ? -1 : 0)) ++size;
  Bytes encoded, out(1, '\1');
  append_i64(encoded, value);
  append_length_prefixed(out, encoded.substr(8 - static_cast<std::size_t>(size)));
  return out;
}

Bytes hashed_value(const lf::Value& value, const std::pair<std::string, std::string>& type) {
  Bytes out;
  switch (value.sum_case()) {
    case lf::Value::kRecord: {
      int count = value.record().fields_size();
      while (count > 0 && value.record().fields(count - 1).value().has_optional() &&
             !value.record().fields(count - 1).value().optional().has_value())
        --count;
      out = "\x08" + dotted(type.first) + dotted(type.second);
      for (int i = 0; i < count; ++i) {
        const std::string& label = labels.at(type)[static_cast<std::size_t>(i)];
        append_length_prefixed(out, label);
        out += hashed_value(value.record().fields(i).value(), {"Iou", "Amount"});
      }
      return out + "\xff";
    }
    case lf::Value::kNumeric:
      return hashed_numeric(value.numeric());
    case lf::Value::kParty:
      out = "\x04";
      append_length_prefixed(out, value.party());
      return out;
    case lf::Value::kText:
      out = "\x02";
      append_length_prefixed(out, value.text());
      return out;
    case lf::Value::kContractId:
      out = "\x0f";
      append_length_prefixed(out, value.contract_id());
      return out;
    case lf::Value::kList:
      out = "\x0b";
      append_i32(out, value.list().elements_size());
      for (const lf::Value& element : value.list().elements()) out += hashed_value(element, type);
      return out;
    default:
      ADD_FAILURE() << "a value of kind " << value.sum_case();
      return out;
  }
}

Bytes contract_hash(const lf_tx::FatContractInstance& contract) {
  auto join = [](const auto& parts) {
    std::string out;
    for (const std::string& part : parts) out += (out.empty() ? "" : ".") + part;
    return out;
  };
  const std::string module = join(contract.template_id().module_name()), entity = join(contract.template_id().name());
  lf::Value argument;
  EXPECT_TRUE(argument.ParseFromString(contract.create_arg()));
  Bytes preimage = "\x03\x05";
  append_length_prefixed(preimage, contract.package_name());
  return crypto::sha256(preimage + dotted(module) + dotted(entity) + hashed_value(argument, {module, entity}));
}

// Seeds of creates below the root node of a view are not on the wire, only the root's: a bounded search finds the path.
bool seed_leads_to(const Bytes& discriminator, const ViewParticipantData& data, Timestamp preparation_time,
                   const std::vector<Party>& stakeholders) {
  auto matches = [&](const Bytes& seed) {
    return contract_discriminator(seed, preparation_time, stakeholders) == discriminator;
  };
  if (const auto* create = std::get_if<CreateAction>(&data.action)) return matches(create->node_seed);
  const auto* exercise = std::get_if<ExerciseAction>(&data.action);
  if (!exercise) return false;
  for (int k = 0; k < 12; ++k) {
    const Bytes child = child_seed(exercise->node_seed, k);
    if (matches(child)) return true;
    for (int j = 0; j < 12; ++j)
      if (matches(child_seed(child, j))) return true;
  }
  return false;
}

void RecordedRun::contract_ids(const LightViewTree& tree) {
  const CommonMetadata& common = tree.tree().common().value();
  const ParticipantMetadata& metadata = tree.tree().participant().value();
  const ViewParticipantData& data = tree.view().participant().value();
  for (std::size_t i = 0; i < data.created_core.size(); ++i) {
    lf_tx::FatContractInstance contract;
    ASSERT_TRUE(contract.ParseFromString(payload_of(data.created_core[i].contract)));
    if (!contracts.insert(contract.contract_id()).second) continue;
    UnicumInputs inputs;
    inputs.signatories.assign(contract.non_maintainer_signatories().begin(),
                              contract.non_maintainer_signatories().end());
    inputs.observers.assign(contract.non_signatory_stakeholders().begin(), contract.non_signatory_stakeholders().end());
    std::vector<Party> stakeholders = inputs.signatories;
    stakeholders.insert(stakeholders.end(), inputs.observers.begin(), inputs.observers.end());
    const Bytes discriminator = contract.contract_id().substr(1, 32);
    good("contract id: discriminator from the node seed",
         seed_leads_to(discriminator, data, metadata.preparation_time, stakeholders));

    const auto authentication = unwrap(contract.authentication_data(), 30, "contract authentication data");
    ASSERT_TRUE(authentication) << authentication.error().to_string();
    pv30::ContractAuthenticationData proto;
    ASSERT_TRUE(proto.ParseFromArray(authentication->data(), static_cast<int>(authentication->size())));
    inputs.contract_salt = contract_salt(data.salt, static_cast<std::int32_t>(i), tree.position(), common.uuid,
                                         common.synchronizer, common.mediator_group);
    good("contract id: contract salt from the view participant data salt",
         inputs.contract_salt == proto.contract_salt().salt());
    inputs.created_at = Timestamp{contract.created_at()};
    good("created_at equals ledger_time of the participant metadata", inputs.created_at == metadata.ledger_time);
    inputs.contract_hash = contract_hash(contract);
    good("contract id: suffix (contract hash and unicum)",
         contract_id(discriminator, contract_id_suffix(inputs)) == contract.contract_id());
  }
}

void RecordedRun::views(const EncryptedViews& message, const std::optional<Hash>& root) {
  if (message.submitter_signature && root)
    verify("encrypted views message: submitting participant signature over the root hash", *root,
           *message.submitter_signature);
  std::optional<Bytes> key;
  for (const EncryptedSessionKey& session_key : message.session_keys) {
    const auto pair = keys->store->encryption_key(session_key.encrypted_for);
    if (!pair) continue;
    const auto plain = crypto::decrypt_ecies(session_key.ciphertext, *pair);
    ASSERT_TRUE(plain) << plain.error().to_string();
    good("view session key decrypted (ECIES)", plain->size() == 16 && (!key || *key == *plain));
    key = *plain;
  }
  ASSERT_TRUE(key);
  OpenedViewKeys opened;
  ASSERT_EQ(decrypt_view_key(message, *keys->store, opened)->value(), *key);
  ASSERT_EQ(decrypt_view_key(message, *keys->store, opened)->value(), *key);  // remembered
  const auto trees = decrypt_views(message, *key, 10 << 20);
  ASSERT_TRUE(trees) << trees.error().to_string();
  good("view ciphertext decrypted (AES-128-GCM, gunzip)", trees->size() == message.view_hashes.size());
  for (std::size_t i = 0; i < trees->size(); ++i) {
    const auto tree = LightViewTree::parse((*trees)[i]);
    ASSERT_TRUE(tree) << tree.error().to_string();
    if (root) good("root hash recomputed from a decrypted light view tree", tree->tree().root_hash() == *root);
    good("view hash recomputed from a decrypted light view tree", tree->view().hash() == message.view_hashes[i]);
    EXPECT_EQ(to_hex(tree->serialize()), to_hex((*trees)[i]));
    // The leaves too come out as they went in.
    EXPECT_EQ(to_hex(tree->view().participant().value().serialize()), to_hex(tree->view().participant().bytes()));
    EXPECT_EQ(to_hex(tree->view().common().value().serialize()), to_hex(tree->view().common().bytes()));
    EXPECT_EQ(to_hex(tree->tree().common().value().serialize()), to_hex(tree->tree().common().bytes()));
    EXPECT_EQ(to_hex(tree->tree().participant().value().serialize()), to_hex(tree->tree().participant().bytes()));
    if (!tree->tree().submitter().is_blinded()) {
      EXPECT_EQ(to_hex(tree->tree().submitter().value().serialize()), to_hex(tree->tree().submitter().bytes()));
    }
    key_by_view[tree->view().hash()] = *key;
    for (const SubviewKey& subview : tree->subview_keys()) subview_keys.push_back(subview);
    contract_ids(*tree);
  }
}

std::vector<Envelope> RecordedRun::envelopes(const CompressedBatch& compressed) {
  good("number of recipients trees equals number of envelopes",
       compressed.recipients.size() == compressed.envelopes.size());
  const auto plain = compressed.decompress(BatchLimits{});
  EXPECT_TRUE(plain) << (plain ? "" : plain.error().to_string());
  // What we compress unpacks to the same.
  EXPECT_EQ(CompressedBatch::compress(*plain).decompress(BatchLimits{}), plain);
  v31::CompressedBatch::DecompressedRecipients list;
  EXPECT_TRUE(list.ParseFromString(*gunzip(compressed.compressed_recipients, 1 << 20)));
  for (int i = 0; i < list.recipients_size(); ++i)
    EXPECT_EQ(list.recipients(i).SerializeAsString(), compressed.recipients[static_cast<std::size_t>(i)].serialize());
  return *plain;
}

std::optional<Hash> RecordedRun::envelope(const Envelope& envelope, std::vector<EncryptedViews>& encrypted) {
  if (!envelope.signatures.empty()) {
    const auto message = parse_signed_message(envelope.content);
    EXPECT_TRUE(message) << (message ? "" : message.error().to_string());
    const bool responses = std::holds_alternative<ConfirmationResponses>(*message);
    for (const crypto::Signature& signature : envelope.signatures)
      verify(responses ? "signed protocol message: confirmation responses"
                       : "signed protocol message: confirmation result",
             signed_message_hash(envelope.content), signature);
    EXPECT_EQ(to_hex(responses ? serialize_signed_message(std::get<ConfirmationResponses>(*message))
                               : serialize_signed_message(std::get<ConfirmationResult>(*message))),
              to_hex(envelope.content));
    return std::nullopt;
  }
  auto content = parse_envelope_content(envelope.content);
  EXPECT_TRUE(content) << (content ? "" : content.error().to_string());
  if (!content) return std::nullopt;
  if (const auto* informee = std::get_if<InformeeMessage>(&*content)) {
    const Hash root = informee->tree.tree().root_hash();
    verify("informee message: submitting participant signature over the root hash", root,
           informee->submitter_signature);
    EXPECT_EQ(to_hex(serialize_envelope_content(*informee)), to_hex(envelope.content));
    return root;
  }
  if (const auto* root = std::get_if<RootHashMessage>(&*content)) {
    EXPECT_EQ(to_hex(serialize_envelope_content(*root)), to_hex(envelope.content));
    return root->root_hash;
  }
  if (const auto* message = std::get_if<EncryptedViews>(&*content)) {
    EXPECT_EQ(to_hex(serialize_envelope_content(*message)), to_hex(envelope.content));
    encrypted.push_back(*message);
  } else if (const auto* topology = std::get_if<TopologyBroadcast>(&*content)) {
    EXPECT_EQ(to_hex(serialize_envelope_content(*topology)), to_hex(envelope.content));
    for (const Bytes& transaction : topology->transactions) {
      pv30::SignedTopologyTransaction proto;
      const auto bare = unwrap(transaction, 30, "topology transaction");
      EXPECT_TRUE(bare && parse_proto(*bare, proto, "topology transaction"));
      topology_transaction(proto);
    }
  } else if (const auto* commitment = std::get_if<AcsCommitmentMessage>(&*content)) {
    EXPECT_EQ(to_hex(serialize_envelope_content(*commitment)), to_hex(envelope.content));
    const auto parsed = AcsCommitment::parse(commitment->commitment);
    EXPECT_TRUE(parsed && parsed->serialize() == commitment->commitment);
    for (const crypto::Signature& signature : commitment->signatures)
      verify("acs commitment protocol message", acs_commitment_hash(commitment->commitment), signature);
  } else {
    ADD_FAILURE() << "an envelope of a kind that was not recorded";
  }
  return std::nullopt;
}

void RecordedRun::batch(const CompressedBatch& compressed, bool submitted) {
  std::optional<Hash> root;
  std::vector<EncryptedViews> encrypted;
  for (const Envelope& one : envelopes(compressed))
    if (const auto hash = envelope(one, encrypted)) {
      if (root && submitted) good("root hash message equals root hash of the informee tree", *root == *hash);
      root = hash;
    }
  for (const EncryptedViews& message : encrypted) views(message, root);
}

void RecordedRun::send(const RecordedMessage& message) {
  api::SendAsyncRequest request;
  ASSERT_TRUE(request.ParseFromString(message.data));
  const auto content = SignedContent::parse(request.signed_submission_request());
  ASSERT_TRUE(content) << content.error().to_string();
  EXPECT_EQ(content->serialize(), request.signed_submission_request());
  verify("SignedContent<SubmissionRequest>", content->content_hash(HashPurpose::submission_request),
         content->signatures[0]);
  const auto submission = SubmissionRequest::parse(content->content, BatchLimits{});
  ASSERT_TRUE(submission) << submission.error().to_string();
  EXPECT_EQ(to_hex(submission->serialize()), to_hex(content->content));
  EXPECT_NE(submission->kind(), SubmissionKind::unexpected);
  batch(submission->batch, true);
}

std::optional<SequencedEvent> RecordedRun::subscribe(const RecordedMessage& message) {
  api::SubscriptionResponse response;
  EXPECT_TRUE(response.ParseFromString(message.data));
  const auto content = SignedContent::parse(response.signed_sequenced_event());
  EXPECT_TRUE(content) << (content ? "" : content.error().to_string());
  EXPECT_EQ(content->serialize(), response.signed_sequenced_event());
  verify("SignedContent<SequencedEvent>", content->content_hash(HashPurpose::sequenced_event), content->signatures[0]);
  const auto event = SequencedEvent::parse(content->content, BatchLimits{});
  EXPECT_TRUE(event) << (event ? "" : event.error().to_string());
  EXPECT_EQ(to_hex(event->serialize()), to_hex(content->content));
  if (!event->error) batch(event->batch, false);
  return *event;
}

TEST_P(RecordedRun, PassesEveryCheckAndIsRebuiltToTheSameBytes) {
  const std::string name = GetParam().folder.empty() ? "recordings" : "recordings/" + GetParam().folder;
  SYNOD_NEEDS_SHARED(folder, name);
  read(folder);
  ok["fingerprint of a public key"] = ok["private key matches public key"] = keys->fingerprints_checked;

  std::map<std::pair<std::string, int>, std::vector<crypto::Hash>> topology_state;
  std::map<std::string, Bytes> state_hash;
  std::map<std::pair<std::string, int>, Timestamp> last;
  std::map<std::pair<std::string, Timestamp>, std::set<Bytes>> delivered;
  std::map<std::pair<std::string, Timestamp>, int> deliveries;
  for (const RecordedMessage& message : messages) {
    const std::pair<std::string, int> call(message.connection, message.call);
    if (message.method == "DownloadTopologyStateForInit" && !message.to_server) {
      api::DownloadTopologyStateForInitResponse response;
      ASSERT_TRUE(response.ParseFromString(message.data));
      ASSERT_TRUE(response.has_topology_transactions());
      for (const auto& item : response.topology_transactions().items()) {
        pv30::SignedTopologyTransaction proto;
        const auto bare = unwrap(item.transaction(), 30, "topology transaction");
        ASSERT_TRUE(bare && parse_proto(*bare, proto, "topology transaction"));
        topology_state[call].push_back(topology_transaction(proto));
      }
    } else if (message.method == "DownloadTopologyStateForInitHash" && !message.to_server) {
      api::DownloadTopologyStateForInitHashResponse response;
      ASSERT_TRUE(response.ParseFromString(message.data));
      state_hash[message.connection] = response.topology_state_hash();
    } else if (message.method == "RegisterOnboardingTopologyTransactions" && message.to_server) {
      api::SequencerConnect::RegisterOnboardingTopologyTransactionsRequest request;
      ASSERT_TRUE(request.ParseFromString(message.data));
      for (const auto& transaction : request.topology_transactions()) topology_transaction(transaction);
    } else if (message.method == "Authenticate" && message.to_server) {
      api::SequencerAuthentication::AuthenticateRequest request;
      ASSERT_TRUE(request.ParseFromString(message.data));
      verify("authentication challenge", authentication_hash(request.nonce(), keys->synchronizer),
             *crypto::Signature::from_proto(request.signature()));
    } else if (message.method == "AcknowledgeSigned" && message.to_server) {
      api::AcknowledgeSignedRequest request;
      ASSERT_TRUE(request.ParseFromString(message.data));
      const auto content = SignedContent::parse(request.signed_acknowledge_request());
      ASSERT_TRUE(content);
      verify("SignedContent<AcknowledgeRequest>", content->content_hash(HashPurpose::acknowledgement),
             content->signatures[0]);
      const auto acknowledgement = AcknowledgeRequest::parse(content->content);
      ASSERT_TRUE(acknowledgement);
      EXPECT_EQ(acknowledgement->serialize(), content->content);
      EXPECT_EQ(content->timestamp_of_signing_key, acknowledgement->timestamp);
    } else if (message.method == "SendAsync" && message.to_server) {
      send(message);
    } else if (message.method == "Subscribe" && !message.to_server) {
      const auto event = subscribe(message);
      ASSERT_TRUE(event);
      if (last.count(call))
        good("previous_timestamp chain within a subscription", event->previous_timestamp == last[call]);
      last[call] = event->timestamp;
      api::SubscriptionResponse response;
      response.ParseFromString(message.data);
      delivered[{message.connection, event->timestamp}].insert(response.signed_sequenced_event());
      ++deliveries[{message.connection, event->timestamp}];
    }
    if (HasFatalFailure()) return;
  }
  for (const auto& [key, count] : deliveries)
    if (count > 1)
      good("event delivered again after re-subscription is byte-identical (with signature)",
           delivered[key].size() == 1);
  for (const auto& [call, hashes] : topology_state) {
    crypto::Hasher hasher(HashPurpose::initial_topology_state);
    for (const crypto::Hash& hash : hashes) hasher.add_hash(hash);
    good("topology state hash for initialization", hasher.finish().bytes() == state_hash[call.first]);
  }
  for (const testing::RecordedNode& node : keys->nodes)
    if (node.name == "sequencer1")
      good("decentralized namespace of the synchronizer id",
           decentralized_namespace({node.id.uid().ns()}) == keys->synchronizer.logical().ns());
  for (const SubviewKey& subview : subview_keys)
    if (key_by_view.count(subview.view_hash))
      good("sub-view key inside the parent view equals the key decrypted with ECIES",
           key_by_view[subview.view_hash] == subview.key);
  for (const auto& [kind, count] : GetParam().counts) EXPECT_EQ(ok[kind], count) << kind;
  for (const auto& [kind, count] : ok) EXPECT_TRUE(GetParam().counts.count(kind)) << kind << " " << count;
}

const Run main_run{"",
                   {{"SignedContent<AcknowledgeRequest>", 48},
                    {"SignedContent<SequencedEvent>", 313},
                    {"SignedContent<SubmissionRequest>", 101},
                    {"acs commitment protocol message", 8},
                    {"authentication challenge", 5},
                    {"contract id: contract salt from the view participant data salt", 26},
                    {"contract id: suffix (contract hash and unicum)", 26},
                    {"contract id: discriminator from the node seed", 26},
                    {"created_at equals ledger_time of the participant metadata", 26},
                    {"decentralized namespace of the synchronizer id", 1},
                    {"encrypted views message: submitting participant signature over the root hash", 72},
                    {"event delivered again after re-subscription is byte-identical (with signature)", 1},
                    {"fingerprint of a public key", 21},
                    {"informee message: submitting participant signature over the root hash", 50},
                    {"number of recipients trees equals number of envelopes", 414},
                    {"previous_timestamp chain within a subscription", 308},
                    {"private key matches public key", 21},
                    {"root hash message equals root hash of the informee tree", 25},
                    {"root hash recomputed from a decrypted light view tree", 74},
                    {"signature bytes recomputed from the private key (Ed25519)", 779},
                    {"signed protocol message: confirmation responses", 68},
                    {"signed protocol message: confirmation result", 70},
                    {"topology state hash for initialization", 4},
                    {"topology transaction signature (single)", 44},
                    {"view ciphertext decrypted (AES-128-GCM, gunzip)", 72},
                    {"view hash recomputed from a decrypted light view tree", 74},
                    {"view session key decrypted (ECIES)", 132}}};

const Run permissioned_run{"permissioned",
                           {{"SignedContent<AcknowledgeRequest>", 14},
                            {"SignedContent<SequencedEvent>", 55},
                            {"SignedContent<SubmissionRequest>", 11},
                            {"authentication challenge", 3},
                            {"contract id: contract salt from the view participant data salt", 1},
                            {"contract id: suffix (contract hash and unicum)", 1},
                            {"contract id: discriminator from the node seed", 1},
                            {"created_at equals ledger_time of the participant metadata", 1},
                            {"decentralized namespace of the synchronizer id", 1},
                            {"encrypted views message: submitting participant signature over the root hash", 6},
                            {"fingerprint of a public key", 18},
                            {"informee message: submitting participant signature over the root hash", 4},
                            {"number of recipients trees equals number of envelopes", 66},
                            {"previous_timestamp chain within a subscription", 52},
                            {"private key matches public key", 18},
                            {"root hash message equals root hash of the informee tree", 2},
                            {"root hash recomputed from a decrypted light view tree", 6},
                            {"signature bytes recomputed from the private key (Ed25519)", 136},
                            {"signed protocol message: confirmation responses", 6},
                            {"signed protocol message: confirmation result", 6},
                            {"topology state hash for initialization", 3},
                            {"topology transaction signature (single)", 31},
                            {"view ciphertext decrypted (AES-128-GCM, gunzip)", 6},
                            {"view hash recomputed from a decrypted light view tree", 6},
                            {"view session key decrypted (ECIES)", 12}}};

const Run subview_run{"subviews",
                      {{"SignedContent<AcknowledgeRequest>", 27},
                       {"SignedContent<SequencedEvent>", 162},
                       {"SignedContent<SubmissionRequest>", 40},
                       {"authentication challenge", 4},
                       {"contract id: contract salt from the view participant data salt", 12},
                       {"contract id: suffix (contract hash and unicum)", 12},
                       {"contract id: discriminator from the node seed", 12},
                       {"created_at equals ledger_time of the participant metadata", 12},
                       {"decentralized namespace of the synchronizer id", 1},
                       {"encrypted views message: submitting participant signature over the root hash", 29},
                       {"fingerprint of a public key", 18},
                       {"informee message: submitting participant signature over the root hash", 16},
                       {"number of recipients trees equals number of envelopes", 202},
                       {"previous_timestamp chain within a subscription", 158},
                       {"private key matches public key", 18},
                       {"root hash message equals root hash of the informee tree", 8},
                       {"root hash recomputed from a decrypted light view tree", 61},
                       {"signature bytes recomputed from the private key (Ed25519)", 365},
                       {"signed protocol message: confirmation responses", 24},
                       {"signed protocol message: confirmation result", 27},
                       {"sub-view key inside the parent view equals the key decrypted with ECIES", 27},
                       {"topology state hash for initialization", 4},
                       {"topology transaction signature (single)", 36},
                       {"view ciphertext decrypted (AES-128-GCM, gunzip)", 53},
                       {"view hash recomputed from a decrypted light view tree", 61},
                       {"view session key decrypted (ECIES)", 104}}};

INSTANTIATE_TEST_SUITE_P(, RecordedRun, ::testing::Values(main_run, permissioned_run, subview_run),
                         [](const ::testing::TestParamInfo<Run>& info) {
                           return info.param.folder.empty() ? std::string("main") : info.param.folder;
                         });

}  // namespace
}  // namespace synod::protocol
