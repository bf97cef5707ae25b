// Parsing and building of messages: limits, refusals, worked examples of the recordings.
#include <gtest/gtest.h>

#include "canton/sequencing_v31.pb.h"
#include "crypto/keys.h"
#include "protocol/acs_commitment.h"
#include "protocol/batch.h"
#include "protocol/compression.h"
#include "protocol/confirmation.h"
#include "protocol/envelope_content.h"
#include "protocol/ids.h"
#include "protocol/sequenced_event.h"
#include "protocol/signed_content.h"
#include "protocol/submission.h"
#include "protocol/transaction_view.h"
#include "protocol/versioned.h"

namespace synod::protocol {
namespace {

const std::string ns = "1220fc0d01b670d345d2a9dd4850e6ffd5999b9fc52bd2ccc9c57a0566837e2424ff";
Bytes hex(std::string_view text) { return *from_hex(text); }
Member participant(const std::string& name) { return Member::participant(*UniqueId::create(name, ns)); }

TEST(Ids, ParseAndPrint) {
  for (const std::string& text : {"PAR::participant1::" + ns, "MED::m::" + ns, "SEQ::a b_c-1:x::" + ns})
    EXPECT_EQ(Member::parse(text)->to_string(), text);
  EXPECT_EQ(PhysicalSynchronizerId::parse("golden::" + ns + "::35-0")->to_string(), "golden::" + ns + "::35-0");
  EXPECT_EQ(PhysicalSynchronizerId::parse("golden::" + ns + "::35-12")->serial(), 12);
}

TEST(Ids, Refuse) {
  for (const std::string& text : {std::string(), std::string("a"), "::" + ns, std::string("a::"), "a::b::" + ns,
                                  "a\n::" + ns, "ä::" + ns, std::string(186, 'a') + "::" + ns, "a::" + ns + "x"})
    EXPECT_FALSE(UniqueId::parse(text)) << text;
  EXPECT_TRUE(UniqueId::parse(std::string(185, 'a') + "::" + ns));
  for (const char* text : {"PAR", "XXX::a::1220", "PAR:a::1220", "PAR::a"}) EXPECT_FALSE(Member::parse(text)) << text;
  for (const std::string& text :
       {"golden::" + ns, "golden::" + ns + "::35", "golden::" + ns + "::35-", "golden::" + ns + "::-1-0",
        "golden::" + ns + "::35-0x", "golden::" + ns + "::35-99999999999"})
    EXPECT_FALSE(PhysicalSynchronizerId::parse(text)) << text;
}

TEST(Ids, DecentralizedNamespaceRecipe2) {
  EXPECT_EQ(decentralized_namespace({ns}), "1220a7f4401384222e90bd2917a453ccdbe38867c06c4acad5e1e05ec0868fab4459");
  EXPECT_EQ(decentralized_namespace({"b", "a"}), decentralized_namespace({"a", "b"}));
}

TEST(Versioned, WrapsAndUnwraps) {
  EXPECT_EQ(to_hex(wrap(30, "abc")), "0a03616263101e");
  EXPECT_EQ(to_hex(wrap(30, "")), "0a00101e");
  const Bytes wrapped = wrap(31, Bytes(300, 'x'));
  EXPECT_EQ(unwrap(wrapped, "test")->message, Bytes(300, 'x'));
  EXPECT_EQ(unwrap(wrapped, "test")->version, 31);
  EXPECT_TRUE(unwrap(wrapped, 31, "test"));
  EXPECT_EQ(unwrap(wrapped, 30, "test").error().id, "PROTO_DESERIALIZATION_FAILURE");
  for (std::size_t size = 0; size < wrapped.size() - 2; ++size)
    EXPECT_FALSE(unwrap(wrapped.substr(0, size), "test")) << size;
  EXPECT_FALSE(unwrap(hex("0bff"), "test"));
  EXPECT_FALSE(unwrap(hex("ffffffffffffffffffffffff"), "test"));
  EXPECT_FALSE(unwrap(hex("0affffffff0f00"), "test"));
}

TEST(Compression, IsBounded) {
  const Bytes plain(1'000'000, 'a');
  const Bytes bomb = gzip(plain);
  EXPECT_LT(bomb.size(), 2000u);
  EXPECT_EQ(*gunzip(bomb, plain.size()), plain);
  EXPECT_EQ(gunzip(bomb, plain.size() - 1).error().id, "MAX_BYTES_TO_DECOMPRESS_EXCEEDED");
  EXPECT_FALSE(gunzip(bomb, 0));
  EXPECT_EQ(*gunzip(gzip(""), 0), "");
  EXPECT_EQ(*gunzip(gzip("ab") + gzip("cd"), 10), "abcd");
  for (std::size_t size : {std::size_t(0), std::size_t(5), bomb.size() / 2, bomb.size() - 1})
    EXPECT_FALSE(gunzip(bomb.substr(0, size), plain.size())) << size;
  EXPECT_FALSE(gunzip("this is no gzip", 100));
  EXPECT_FALSE(gunzip(gzip("ab") + "x", 100));
}

TEST(Recipients, PruneToWhatAReaderSees) {
  const Member a = participant("a"), b = participant("b"), c = participant("c");
  const Recipients recipients{
      {RecipientsTree{{a}, {RecipientsTree{{b, c}, {}}, RecipientsTree{{a, c}, {}}}}, RecipientsTree{{b}, {}}}};
  auto for_member = [&](const Member& member) {
    return recipients.pruned([&](const Recipient& recipient) { return recipient == Recipient(member); });
  };
  EXPECT_EQ(for_member(a)->trees, std::vector<RecipientsTree>{recipients.trees[0]});
  EXPECT_EQ(for_member(b)->trees, (std::vector<RecipientsTree>{recipients.trees[0].children[0], recipients.trees[1]}));
  EXPECT_EQ(for_member(c)->trees, recipients.trees[0].children);
  EXPECT_FALSE(for_member(participant("d")));
  EXPECT_EQ(recipients.all(), (RecipientSet{a, b, c}));
  EXPECT_EQ(recipients.single_group(), nullptr);
  EXPECT_EQ(*Recipients::together({a, b}).single_group(), (RecipientSet{a, b}));
}

TEST(Recipients, ParseGroups) {
  for (const char* text : {"ALL::All", "SOD::", "MGR::0", "MGR::17"})
    EXPECT_EQ(Recipient::parse(text)->to_string(), text);
  for (const char* text : {"", "MGR::", "MGR::-1", "MGR::x", "POP::x", "ALL"})
    EXPECT_FALSE(Recipient::parse(text)) << text;
}

TEST(Recipients, RefuseDeepNestingAndEmptiness) {
  v30::Recipients proto;
  EXPECT_FALSE(Recipients::from_proto(proto));
  v30::RecipientsTree* tree = proto.add_recipients_tree();
  EXPECT_FALSE(Recipients::from_proto(proto));
  for (int i = 0; i < 1000; ++i) {
    tree->add_recipients("MGR::0");
    tree = tree->add_children();
  }
  tree->add_recipients("MGR::0");
  EXPECT_FALSE(Recipients::from_proto(proto));
}

Envelope envelope(Bytes content, RecipientSet to) {
  return {std::move(content), {}, Recipients::together(std::move(to))};
}

TEST(Batch, FiltersWithoutUnpacking) {
  const Member a = participant("a"), b = participant("b");
  const CompressedBatch batch = CompressedBatch::compress({envelope("one", {a, b}), envelope("two", {b})});
  const CompressedBatch mine = batch.filter([&](const Recipient& recipient) { return recipient == Recipient(a); });
  ASSERT_EQ(mine.envelopes.size(), 1u);
  EXPECT_EQ(mine.envelopes[0], batch.envelopes[0]);
  EXPECT_EQ((*mine.decompress({}))[0].content, "one");
  const CompressedBatch nothing = batch.filter([](const Recipient&) { return false; });
  v31::CompressedBatch proto;
  nothing.to_proto(proto);
  EXPECT_EQ(proto.compressed_recipients().size(), 20u);  // gzip of nothing
  EXPECT_TRUE(CompressedBatch::from_proto(proto, {})->envelopes.empty());
}

TEST(Batch, RefusesWhatIsTooMuch) {
  const Member a = participant("a");
  const CompressedBatch batch =
      CompressedBatch::compress({envelope(Bytes(10'000, 'x'), {a}), envelope(Bytes(10'000, 'y'), {a})});
  v31::CompressedBatch proto;
  batch.to_proto(proto);
  BatchLimits limits;
  limits.max_envelopes = 1;
  EXPECT_FALSE(CompressedBatch::from_proto(proto, limits));
  limits = {};
  limits.max_recipients_bytes = 10;
  EXPECT_EQ(CompressedBatch::from_proto(proto, limits).error().id, "MAX_BYTES_TO_DECOMPRESS_EXCEEDED");
  limits = {};
  limits.max_envelope_bytes = 9'000;
  EXPECT_EQ(batch.decompress(limits).error().id, "MAX_BYTES_TO_DECOMPRESS_EXCEEDED");
  limits = {};
  limits.max_total_bytes = 15'000;
  EXPECT_FALSE(batch.decompress(limits));
  limits.max_total_bytes = 20'100;
  EXPECT_TRUE(batch.decompress(limits));
  v31::CompressedBatch one_missing = proto;
  one_missing.mutable_compressed_envelopes()->RemoveLast();
  EXPECT_FALSE(CompressedBatch::from_proto(one_missing, {}));
  proto.set_algorithm(v30::CompressedBatch::COMPRESSION_ALGORITHM_UNSPECIFIED);
  EXPECT_FALSE(CompressedBatch::from_proto(proto, {}));
}

// Signatures pack as well as contents do.
TEST(Batch, CountsSignaturesToo) {
  const auto key = crypto::SigningKeyPair::generate({crypto::KeyUsage::protocol}, *seeded_random(2));
  Envelope many = envelope("small", {participant("a")});
  many.signatures.assign(1'000, crypto::sign(crypto::hash(crypto::HashPurpose::unicum, "x"), key));
  const CompressedBatch batch = CompressedBatch::compress({many, many, many});
  BatchLimits limits;
  limits.max_envelope_bytes = 200'000;
  EXPECT_TRUE(batch.decompress(limits));
  limits.max_total_bytes = 200'000;
  const auto unpacked = batch.decompress(limits);
  ASSERT_FALSE(unpacked) << "signatures of three envelopes";
  EXPECT_EQ(unpacked.error().id, "MAX_BYTES_TO_DECOMPRESS_EXCEEDED");
}

TEST(Compression, PartsShareABudget) {
  const Bytes part = gzip(Bytes(1'000, 'x'));
  std::size_t budget = 3'500;
  for (const std::size_t left : {2'500u, 1'500u, 500u}) {
    EXPECT_TRUE(gunzip(part, 1'000, budget));
    EXPECT_EQ(budget, left);
  }
  EXPECT_EQ(gunzip(part, 1'000, budget).error().id, "MAX_BYTES_TO_DECOMPRESS_EXCEEDED");
  EXPECT_EQ(budget, 0u);
  // What turns out to be damaged may have been unpacked to its end.
  budget = 5'000;
  EXPECT_FALSE(gunzip(part.substr(0, part.size() - 1), 2'000, budget));
  EXPECT_EQ(budget, 3'000u);
}

TEST(Times, OutOfRangeAreRefused) {
  EXPECT_EQ(*timestamp_from(Timestamp::min().micros, "x"), Timestamp::min());
  EXPECT_EQ(*timestamp_from(Timestamp::max().micros, "x"), Timestamp::max());
  EXPECT_FALSE(timestamp_from(Timestamp::max().next().micros, "x"));
  EXPECT_FALSE(timestamp_from(INT64_MIN, "x"));
  ParticipantMetadata metadata;
  metadata.salt = Bytes(32, 's');
  EXPECT_TRUE(ParticipantMetadata::parse(metadata.serialize()));
  metadata.ledger_time = Timestamp{INT64_MAX};
  EXPECT_FALSE(ParticipantMetadata::parse(metadata.serialize()));
  metadata.ledger_time = {};
  metadata.preparation_time = Timestamp{INT64_MIN};
  EXPECT_FALSE(ParticipantMetadata::parse(metadata.serialize()));
}

SubmissionRequest request(Member sender, std::vector<Envelope> envelopes) {
  SubmissionRequest out;
  out.sender = std::move(sender);
  out.message_id = "message";
  out.batch = CompressedBatch::compress(envelopes);
  out.max_sequencing_time = Timestamp{1'000};
  return out;
}

TEST(Submission, EveryTruncationIsRefused) {
  SubmissionRequest full = request(participant("a"), {envelope("one", {Recipient::mediator_group(0)})});
  full.aggregation_rule = AggregationRule::mediator_group(0);
  full.submission_cost = 5;
  const Bytes bytes = full.serialize();
  EXPECT_EQ(SubmissionRequest::parse(bytes, {})->serialize(), bytes);
  for (std::size_t size = 0; size + 2 < bytes.size(); ++size)
    EXPECT_FALSE(SubmissionRequest::parse(bytes.substr(0, size), {})) << size;
  full.message_id = std::string(74, 'x');
  EXPECT_FALSE(SubmissionRequest::parse(full.serialize(), {}));
}

TEST(Submission, KindFollowsFromSenderAndRecipients) {
  const Member p = participant("p"), m = Member::mediator(p.uid()), s = Member::sequencer(p.uid());
  const Recipient group = Recipient::mediator_group(0);
  EXPECT_EQ(request(p, {envelope("", {group})}).kind(), SubmissionKind::confirmation_response);
  EXPECT_EQ(request(p, {envelope("", {group}), envelope("", {p})}).kind(), SubmissionKind::confirmation_request);
  EXPECT_EQ(request(p, {envelope("", {p})}).kind(), SubmissionKind::commitment);
  EXPECT_EQ(request(m, {envelope("", {p})}).kind(), SubmissionKind::verdict);
  EXPECT_EQ(request(m, {envelope("", {group})}).kind(), SubmissionKind::unexpected);
  EXPECT_EQ(request(p, {envelope("", {Recipient::all_members()})}).kind(), SubmissionKind::topology);
  EXPECT_EQ(request(p, {}).kind(), SubmissionKind::time_proof);
  EXPECT_EQ(request(s, {envelope("", {p, Recipient::sequencers()})}).kind(), SubmissionKind::top_up);
}

TEST(Submission, AggregationIdCoversContentNotSender) {
  const Member p = participant("p"), m1 = Member::mediator(*UniqueId::create("m1", ns)),
               m2 = Member::mediator(*UniqueId::create("m2", ns));
  const std::vector<Envelope> envelopes{envelope("verdict", {p})};
  SubmissionRequest one = request(m1, envelopes), two = request(m2, envelopes);
  one.aggregation_rule = two.aggregation_rule = AggregationRule::mediator_group(0);
  two.message_id = "another";
  EXPECT_EQ(aggregation_id(one, envelopes), aggregation_id(two, envelopes));
  two.aggregation_rule = AggregationRule::mediator_group(1);
  EXPECT_NE(aggregation_id(one, envelopes), aggregation_id(two, envelopes));
  one.aggregation_rule = two.aggregation_rule = AggregationRule::sender_dedup();
  EXPECT_NE(aggregation_id(one, envelopes), aggregation_id(two, envelopes));
  // By hand: i32(1) | twice-prefixed content | twice-prefixed recipients | LP(unsigned) | time | no topology time |
  // rule 1, group 0.
  one.aggregation_rule = AggregationRule::mediator_group(0);
  Bytes expected;
  append_i32(expected, 1);
  for (const Bytes& part : {Bytes("verdict"), envelopes[0].recipients.serialize()}) {
    append_i32(expected, static_cast<std::int32_t>(part.size() + 4));
    append_length_prefixed(expected, part);
  }
  expected +=
      hex("0000000100"
          "00000000000003e8"
          "8000000000000000"
          "00000001"
          "00000000");
  EXPECT_EQ(aggregation_id(one, envelopes), crypto::hash(crypto::HashPurpose::aggregation_id, expected));
}

TEST(SequencedEvent, IsBatchOrError) {
  SequencedEvent event;
  event.timestamp = Timestamp{5};
  event.synchronizer = *PhysicalSynchronizerId::parse("golden::" + ns + "::35-0");
  event.message_id = "m";
  event.error = DeliverError{3, "SEQUENCER_UNKNOWN_RECIPIENTS"};
  const auto parsed = SequencedEvent::parse(event.serialize(), {});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->error, event.error);
  event.error.reset();
  EXPECT_FALSE(SequencedEvent::parse(event.serialize(), {})->error);
  v31::SequencedEvent neither;
  neither.set_physical_synchronizer_id(event.synchronizer.to_string());
  EXPECT_FALSE(SequencedEvent::parse(wrap(31, neither), {}));
}

TEST(SignedContent, AuthenticationRecipe4) {
  EXPECT_EQ(
      authentication_hash(hex("208719a642dcaf6ff8475b919b26900fb09af023"),
                          *PhysicalSynchronizerId::parse(
                              "golden::1220a7f4401384222e90bd2917a453ccdbe38867c06c4acad5e1e05ec0868fab4459::35-0"))
          .hex(),
      "122062d67d968a8afb2bf0c568957a066d5310184586ad1d446e5812134a6e00a580");
}

TEST(SignedContent, NeedsASignature) {
  const auto random = seeded_random(1);
  const auto key = crypto::SigningKeyPair::generate({crypto::KeyUsage::protocol}, *random);
  SignedContent content = sign_content(crypto::HashPurpose::submission_request, "content", key, Timestamp{7});
  EXPECT_EQ(*SignedContent::parse(content.serialize()), content);
  EXPECT_TRUE(crypto::verify(content.content_hash(crypto::HashPurpose::submission_request), content.signatures[0],
                             key.public_key()));
  content.signatures.clear();
  EXPECT_FALSE(SignedContent::parse(content.serialize()));
  EXPECT_FALSE(SignedContent::parse("garbage"));
}

TEST(Confirmation, MalformedResponsesHaveNoParties) {
  ConfirmationResponses responses;
  responses.root_hash = crypto::hash(crypto::HashPurpose::merkle_inner_node, "x");
  responses.synchronizer = *PhysicalSynchronizerId::parse("golden::" + ns + "::35-0");
  responses.sender = participant("p").uid();
  responses.responses = {{LocalVerdict{LocalVerdict::Code::approve, {}}, {"Alice::" + ns}, ViewPosition{{{}}}}};
  EXPECT_EQ(std::get<ConfirmationResponses>(*parse_signed_message(serialize_signed_message(responses))), responses);
  responses.responses[0].view_position.reset();
  EXPECT_FALSE(parse_signed_message(serialize_signed_message(responses)));
  responses.responses[0].verdict.code = LocalVerdict::Code::malformed;
  EXPECT_FALSE(parse_signed_message(serialize_signed_message(responses)));
  responses.responses[0].confirming_parties.clear();
  EXPECT_TRUE(parse_signed_message(serialize_signed_message(responses)));
  responses.responses.clear();
  EXPECT_FALSE(parse_signed_message(serialize_signed_message(responses)));
}

TEST(Confirmation, RejectionReasonsLookLikeCantons) {
  // Recorded: LOCAL_VERDICT_LOCKED_CONTRACTS with the contract as context and resource.
  Error error("LOCAL_VERDICT_LOCKED_CONTRACTS", ErrorCategory::contention_on_shared_resources,
              "Rejected transaction is referring to locked contracts ");
  const RpcStatus status = RpcStatus::of(std::move(error).with("CONTRACT_ID", "List(00)"), {{"CONTRACT_ID", "00"}});
  EXPECT_EQ(status.code, 10);
  EXPECT_EQ(status.message,
            "LOCAL_VERDICT_LOCKED_CONTRACTS(2,0): Rejected transaction is referring to locked contracts ");
  EXPECT_EQ(status.error_id(), "LOCAL_VERDICT_LOCKED_CONTRACTS");
  ASSERT_EQ(status.details.size(), 3u);
  EXPECT_NE(status.details[0].find("google.rpc.ErrorInfo"), Bytes::npos);
  EXPECT_NE(status.details[0].find(hex("0a0f646566696e6974655f616e73776572120566616c7365")), Bytes::npos);
  EXPECT_NE(status.details[1].find(hex("0a020801")), Bytes::npos);
}

TEST(EnvelopeContent, RefusesGarbage) {
  EXPECT_FALSE(parse_envelope_content(""));
  EXPECT_FALSE(parse_envelope_content(wrap(31, "")));
  EXPECT_FALSE(parse_envelope_content(wrap(30, hex("2a00"))));
  EXPECT_FALSE(parse_envelope_content(wrap(31, hex("0a00"))));  // an informee message without a tree
  EXPECT_FALSE(parse_envelope_content(wrap(31, hex("1200"))));  // views without anything
}

TEST(AcsCommitment, SignedAsTypedContentRecipe7) {
  const Bytes bytes =
      hex("0ab2020a52676f6c64656e3a3a3132323061376634343031333834323232653930626432393137613435336363646265333838363763"
          "3036633461636164"
          "356531653035656330383638666162343435393a3a33352d3012527061727469636970616e74323a3a31323230393432623038306131"
          "3136326539333937"
          "666130353736313731393434353930316365383435393636623163326634373333623032313465373030373639343"
          "31a527061727469636970616e74313a3a313232306264396436333462636235633034393031333337383936643337656335346361663"
          "93865336438613132"
          "663832356137343032353430333239653764336536372080e68c8e8c9c98032880f4daaa8c9c9803322212204ad2863088cc418da381"
          "c7e03fbc5a72c5ce"
          "bf8cbb79ca3c0e45fdda1e63d33a101e");
  EXPECT_EQ(acs_commitment_hash(bytes).hex(), "1220bd7d7f0fd470a5369d270419b0b1faaebcca0302d7e9f01060a55677c918dfe4");
  EXPECT_EQ(AcsCommitment::parse(bytes)->serialize(), bytes);
}

}  // namespace
}  // namespace synod::protocol
