// A participant builds a request, and every reader of it sees exactly its part. Worked examples are recipes of the
// recordings.
#include "protocol/request_builder.h"

#include <gtest/gtest.h>

#include "canton/transaction_v30.pb.h"
#include "protocol/contract_id.h"

namespace synod::protocol {
namespace {

const std::string kNamespace = "1220fc0d01b670d345d2a9dd4850e6ffd5999b9fc52bd2ccc9c57a0566837e2424ff";
Bytes bytes_of(std::string_view text) { return *from_hex(text); }

class Request : public ::testing::Test {
 protected:
  Party party(const std::string& name) { return name + "::" + kNamespace; }
  ParticipantId participant(const std::string& name) { return *UniqueId::create(name, kNamespace); }

  ViewContents view(std::vector<Party> informees, std::vector<ViewContents> subviews = {}) {
    ViewContents out;
    out.common.salt = salts.next();
    out.participant.salt = salts.next();
    for (const Party& informee : informees) out.common.quorums.push_back({{{informee, 1}}, 1});
    out.common.informees = std::move(informees);
    out.participant.action = CreateAction{"00" + std::string(64, 'a'), Bytes(32, 's')};
    out.subviews = std::move(subviews);
    return out;
  }

  TransactionTree tree(const std::vector<ViewContents>& roots) {
    SubmitterMetadata submitter;
    submitter.salt = salts.next();
    submitter.act_as = {party("Alice")};
    submitter.submitting_participant = participant("p1");
    CommonMetadata common;
    common.salt = salts.next();
    common.synchronizer = synchronizer;
    common.uuid = random->uuid();
    ParticipantMetadata metadata;
    metadata.salt = salts.next();
    return build_transaction_tree(submitter, common, metadata, roots);
  }

  RequestContext context() {
    RequestContext out;
    out.synchronizer = synchronizer;
    out.participants_of = [this](const Party& p) { return hosts.count(p) ? hosts.at(p) : std::set<ParticipantId>{}; };
    out.encryption_keys = [this](const ParticipantId& p) {
      return std::vector<crypto::EncryptionPublicKey>{keys.at(p).public_key()};
    };
    out.topology_time = Timestamp{42};
    return out;
  }

  void SetUp() override {
    for (int i = 1; i <= 3; ++i)
      keys.emplace(participant("p" + std::to_string(i)), crypto::EncryptionKeyPair::generate(*random));
    hosts = {{party("Alice"), {participant("p1")}},
             {party("Bank"), {participant("p2")}},
             {party("Bob"), {participant("p3")}},
             {party("Shared"), {participant("p2"), participant("p3")}}};
  }

  std::shared_ptr<Random> random = seeded_random(11);
  TransactionSalts salts{Bytes(16, 'z')};
  PhysicalSynchronizerId synchronizer = *PhysicalSynchronizerId::parse("golden::" + kNamespace + "::35-0");
  std::map<Party, std::set<ParticipantId>> hosts;
  std::map<ParticipantId, crypto::EncryptionKeyPair> keys;
  crypto::SigningKeyPair signer = crypto::SigningKeyPair::generate({crypto::KeyUsage::protocol}, *random);
};

TEST_F(Request, EachReaderDecryptsExactlyItsViews) {
  const TransactionTree full = tree(
      {view({party("Alice"), party("Bank")}, {view({party("Bob")}), view({party("Bank")})}), view({party("Alice")})});
  const auto envelopes = build_confirmation_request(full, context(), signer, *random);
  ASSERT_TRUE(envelopes) << envelopes.error().to_string();

  const auto informee = parse_envelope_content((*envelopes)[0].content);
  ASSERT_TRUE(informee) << informee.error().to_string();
  const InformeeMessage& to_mediator = std::get<InformeeMessage>(*informee);
  EXPECT_EQ(to_mediator.tree.tree().root_hash(), full.root_hash());
  EXPECT_TRUE(crypto::verify(full.root_hash(), to_mediator.submitter_signature, signer.public_key()));
  EXPECT_EQ((*envelopes)[0].recipients, Recipients::together({Recipient::mediator_group(0)}));

  const auto root = std::get<RootHashMessage>(*parse_envelope_content((*envelopes)[1].content));
  EXPECT_EQ(root.root_hash, full.root_hash());
  EXPECT_EQ((*envelopes)[1].recipients.trees.size(), 3u);

  std::map<ParticipantId, std::vector<LightViewTree>> seen;
  std::set<std::string> view_keys;
  for (std::size_t i = 2; i < envelopes->size(); ++i) {
    const Envelope& envelope = (*envelopes)[i];
    const auto message = std::get<EncryptedViews>(*parse_envelope_content(envelope.content));
    bool root_view = false;
    for (const auto& [id, pair] : keys) {
      auto store = crypto::memory_key_store();
      ASSERT_TRUE(store->add(pair, ""));
      OpenedViewKeys opened;
      const auto key = decrypt_view_key(message, *store, opened);
      ASSERT_TRUE(key);
      EXPECT_EQ(key->has_value(), envelope.recipients.leaves().count(Recipient(Member::participant(id))) == 1);
      if (!*key) continue;
      view_keys.insert(**key);
      const auto trees = decrypt_views(message, **key, 1 << 20);
      ASSERT_TRUE(trees);
      for (const Bytes& bytes : *trees) {
        const auto light = LightViewTree::parse(bytes);
        ASSERT_TRUE(light) << light.error().to_string();
        EXPECT_EQ(light->tree().root_hash(), full.root_hash());
        root_view |= light->position().is_root_view();
        EXPECT_EQ(*view_recipients(full, light->position(), context()), envelope.recipients);
        seen[id].push_back(*light);
      }
    }
    EXPECT_EQ(message.submitter_signature.has_value(), root_view);
  }
  // Four sorts of readers: [p1 p2], [p1 p2]>[p3], [p1 p2]>[p2], [p1].
  EXPECT_EQ(envelopes->size(), 6u);
  EXPECT_EQ(view_keys.size(), 4u);
  EXPECT_EQ(seen[participant("p1")].size(), 2u);
  EXPECT_EQ(seen[participant("p2")].size(), 2u);
  EXPECT_EQ(seen[participant("p3")].size(), 1u);
}

TEST_F(Request, FullViewsComeTogetherFromLightOnes) {
  hosts[party("Alice")] = hosts[party("Bank")] = hosts[party("Bob")] = {participant("p1")};
  const TransactionTree full =
      tree({view({party("Alice")}, {view({party("Bob")}, {view({party("Alice")})}), view({party("Bank")}),
                                    view({party("Alice"), party("Bob")})}),
            view({party("Bank")}), view({party("Bob")})});
  std::vector<LightViewTree> light;
  full.for_each_view([&](const TransactionView& one, const ViewPosition& position) {
    std::vector<SubviewKey> subviews;
    for (const Hash& hash : subview_hashes(one)) subviews.push_back({hash, Bytes(16, 'k')});
    auto tree = LightViewTree::create(full.only_view(position, false), subviews);
    ASSERT_TRUE(tree) << tree.error().to_string();
    light.push_back(*tree);
  });
  ASSERT_EQ(light.size(), 7u);
  const FullViews all = assemble_full_views(light);
  EXPECT_TRUE(all.incomplete.empty());
  ASSERT_EQ(all.views.size(), 3u);
  std::vector<Hash> roots;
  full.root_views().for_each([&](const TransactionView& one, const SequenceIndex&) { roots.push_back(one.hash()); });
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all.views[i].view.hash(), roots[i]);
    EXPECT_FALSE(all.views[i].view.subviews().has_blinded_elements());
  }
  // Without the first root view its sub-views stand for themselves; without a leaf everything above it is incomplete.
  EXPECT_EQ(assemble_full_views({light.begin() + 1, light.end()}).views.size(), 5u);
  light.erase(light.begin() + 2);
  const FullViews some = assemble_full_views(light);
  EXPECT_EQ(some.incomplete.size(), 2u);
  EXPECT_EQ(some.views.size(), 4u);
}

TEST_F(Request, NeedsHostsAndKeys) {
  const TransactionTree full = tree({view({party("Nobody")})});
  EXPECT_EQ(build_confirmation_request(full, context(), signer, *random).error().id, "UNKNOWN_INFORMEES");
  RequestContext without_keys = context();
  without_keys.encryption_keys = [](const ParticipantId&) { return std::vector<crypto::EncryptionPublicKey>{}; };
  EXPECT_EQ(build_confirmation_request(tree({view({party("Alice")})}), without_keys, signer, *random).error().id,
            "UNABLE_TO_GET_ENCRYPTION_KEY");
}

TEST_F(Request, TreesWithHolesAreRefused) {
  const TransactionTree full = tree({view({party("Alice")}, {view({party("Bob")})}), view({party("Bank")})});
  EXPECT_FALSE(InformeeTree::create(full));  // participant data is open
  const ViewPosition first{{{false}}};
  EXPECT_FALSE(LightViewTree::create(full, {}));                          // everything is open
  EXPECT_FALSE(LightViewTree::create(full.only_view(first, false), {}));  // the sub-view is not named
  EXPECT_FALSE(LightViewTree::create(full.only_view(first, false), {{full.root_hash(), Bytes(16, 'k')}}));
  EXPECT_FALSE(LightViewTree::create(full.only_view(first, true), {}));
  v30::GenTransactionTree proto;
  full.to_proto(proto);
  EXPECT_TRUE(TransactionTree::from_proto(proto));
  proto.mutable_common_metadata()->set_blinded_hash(full.common().hash().bytes());
  EXPECT_FALSE(TransactionTree::from_proto(proto));
  v30::GenTransactionTree repeated;
  TransactionTree(full.submitter(), full.common(), full.participant(),
                  ViewSequence::of({build_view(view({party("Bob")})), build_view(view({party("Bob")}))}))
      .to_proto(repeated);
  EXPECT_TRUE(TransactionTree::from_proto(repeated));  // equal but for their salts
  const TransactionView same = build_view(view({party("Bob")}));
  TransactionTree(full.submitter(), full.common(), full.participant(), ViewSequence::of({same, same}))
      .to_proto(repeated);
  EXPECT_FALSE(TransactionTree::from_proto(repeated));
}

TEST_F(Request, DeepNestingIsRefused) {
  ViewContents nested = view({party("Alice")});
  for (int i = 0; i < 150; ++i) {
    ViewContents outer = view({party("Alice")});
    outer.subviews.push_back(std::move(nested));
    nested = std::move(outer);
  }
  v30::GenTransactionTree proto;
  tree({nested}).to_proto(proto);
  EXPECT_EQ(TransactionTree::from_proto(proto).error().id, "PROTO_DESERIALIZATION_FAILURE");
}

TEST(ViewPositions, SequencesPairNeighbours) {
  EXPECT_EQ(sequence_indices(0).size(), 0u);
  EXPECT_EQ(sequence_indices(1), std::vector<SequenceIndex>{{}});
  EXPECT_EQ(sequence_indices(3), (std::vector<SequenceIndex>{{false, false}, {true, false}, {true}}));
  EXPECT_EQ(to_hex((ViewPosition{{{}}}).encode()), "0000000100000000");
  EXPECT_EQ(to_hex((ViewPosition{{{true}, {false, true}}}).encode()),
            "00000002000000010100000002"
            "0001");
  EXPECT_EQ((ViewPosition{{{true}, {false, true}}}).to_string(), "RL/R");
  EXPECT_LT((ViewPosition{{{false}}}), (ViewPosition{{{true}, {false}}}));
  EXPECT_LT((ViewPosition{{{true}, {false}}}), (ViewPosition{{{true}}}));
}

TEST(ContractIds, WorkedExampleRecipe10) {
  const Party initiator = "participant1::1220bd9d634bcb5c04901337896d37ec54caf98e3d8a12f825a7402540329e7d3e67";
  const Party responder = "participant2::1220942b080a1162e9397fa05761719445901ce845966b1c2f4733b0214e70076943";
  const Timestamp preparation{static_cast<std::int64_t>(0x000660e0c41bb84f)};
  const Bytes discriminator =
      contract_discriminator(bytes_of("4d17e543f61fbcc2e3dae45db76085d205eddfb1bf5310c7a0333f99828eaabe"), preparation,
                             {responder, initiator});
  EXPECT_EQ(to_hex(discriminator), "18e05cd0a93a656c78a87e5a1f820974da9bc2508202886ae1cb5241bf7a0d4a");
  UnicumInputs inputs;
  inputs.contract_salt =
      contract_salt(bytes_of("a2e1971da1d8e7f8d5693cfc4a5df7cb69a1bde8a59b873645f054823b392e24"), 0, ViewPosition{{{}}},
                    "5a5f381f-5845-4c2d-a1c7-1abaf0b50cd2",
                    *PhysicalSynchronizerId::parse(
                        "golden::1220a7f4401384222e90bd2917a453ccdbe38867c06c4acad5e1e05ec0868fab4459::35-0"),
                    0);
  EXPECT_EQ(to_hex(inputs.contract_salt), "9e648ff241a7271b5aa17da84417398ca900765213a33bfea8503c25dca65b41");
  inputs.created_at = preparation;
  inputs.signatories = {initiator};
  inputs.observers = {responder};
  inputs.contract_hash = bytes_of("142996bee7e3e81037da1c5dd022321e55f0fb6ecc6a4ecd5a8d693c170f5f6c");
  EXPECT_EQ(to_hex(contract_id(discriminator, contract_id_suffix(inputs))),
            "0018e05cd0a93a656c78a87e5a1f820974da9bc2508202886ae1cb5241bf7a0d4aca1212208b29add6ce639a4edc64b1607c0334c8"
            "a6ab6b8cf7c67d397708"
            "14f491dc5dd1");
}

TEST(MerkleTrees, WorkedExamplesRecipe8) {
  const Bytes leaf = bytes_of(
      "0a380a24080112206d1b8d8d952b1ac7c65462fc73ac5b130827c65a65568b9e9631f4672d101cec10cff0eea08c9c980318cff0eea0"
      "8c9c9803101e");
  const auto parsed = MerkleLeaf<ParticipantMetadata>::parse(leaf);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->hash().hex(), "1220107b2bc2099989257b9cfa56bcce17d8df9e87c66eec0a33e7b2ec374ec714e4");
  EXPECT_EQ(MerkleLeaf<ParticipantMetadata>::of(parsed->value()).bytes(), leaf);
  EXPECT_EQ(inner_node_hash({*Hash::from_hex("1220476d43aca94cc8c52534b7421c97970530182ad5c3c4e07516b97568f91dfeb6"),
                             *Hash::from_hex("12208163e806d008920a440a667eeb7c02dddb15d51b40685b5e57aca8d00dd9c43f"),
                             parsed->hash(),
                             *Hash::from_hex("1220957c3da0bcfe7db8c794a35bd368f69f0686e68296d768f5192e3352d4c076a5")})
                .hex(),
            "1220283c4bacf0bab8c07de39c5cb31b607bc46fa2378a654dbb3d2cdb42bc6aeb9f");
}

// What a view message tells who reads it: the encrypted keys.
std::vector<std::vector<EncryptedSessionKey>> session_keys(const std::vector<Envelope>& envelopes) {
  std::vector<std::vector<EncryptedSessionKey>> out;
  for (std::size_t i = 2; i < envelopes.size(); ++i)
    out.push_back(std::get<EncryptedViews>(*parse_envelope_content(envelopes[i].content)).session_keys);
  return out;
}

TEST_F(Request, ViewKeysServeFurtherRequestsForTheirLifetimeAndTheSameReaders) {
  SentViewKeys in_use(SentViewKeys::Limits{Duration::seconds(10), 100});
  const auto keys_at = [&](Timestamp now, std::vector<ViewContents> views) {
    RequestContext at = context();
    at.view_keys = &in_use;
    at.now = now;
    return session_keys(build_confirmation_request(tree(views), at, signer, *random).value());
  };
  const auto both = [&] { return std::vector{view({party("Alice"), party("Bank")}, {view({party("Bank")})})}; };
  const Timestamp start{1'000'000};
  const auto first = keys_at(start, both());
  ASSERT_EQ(first.size(), 2u);
  EXPECT_NE(first[0], first[1]);
  EXPECT_EQ(keys_at(start + Duration::milliseconds(9'999), both()), first);
  // Bank's own view is not the view that it has below Alice's: that one's key is told to Alice as well.
  const auto alone = keys_at(start, {view({party("Bank")})});
  ASSERT_EQ(alone.size(), 1u);
  EXPECT_NE(alone[0], first[1]);
  const auto later = keys_at(start + Duration::seconds(10), both());
  for (std::size_t i = 0; i < 2; ++i) EXPECT_NE(later[i], first[i]);
  // A clock that was set back, and a reader's new key.
  EXPECT_NE(keys_at(start, both()), later);
  const auto before = keys_at(start, both());
  keys.at(participant("p2")) = crypto::EncryptionKeyPair::generate(*random);
  EXPECT_NE(keys_at(start, both()), before);
}

TEST(ViewKeys, NoMoreThanTheLimitAreKeptAndZeroLifetimeKeepsNone) {
  SentViewKeys two(SentViewKeys::Limits{Duration::seconds(10), 2});
  const Timestamp now{0};
  for (const char* readers : {"a", "b", "c"}) two.add(readers, ViewKey{readers, {}}, now);
  EXPECT_FALSE(two.find("a", now));
  ASSERT_TRUE(two.find("c", now));
  EXPECT_EQ(two.find("c", now)->key, "c");
  SentViewKeys none(SentViewKeys::Limits{Duration{}, 2});
  none.add("a", ViewKey{"a", {}}, now);
  EXPECT_FALSE(none.find("a", now));
}

TEST(ViewKeys, AnOpenedOneIsKnownForItsReaderOnly) {
  OpenedViewKeys opened;
  opened.add({"ciphertext", "reader"}, "key");
  EXPECT_EQ(opened.find({"ciphertext", "reader"}), "key");
  EXPECT_FALSE(opened.find({"ciphertext", "another"}));
  EXPECT_FALSE(opened.find({"other", "reader"}));
  for (int i = 0; i < 10'000; ++i) opened.add({std::to_string(i), "reader"}, "key");
  EXPECT_FALSE(opened.find({"ciphertext", "reader"}));
  EXPECT_TRUE(opened.find({"9999", "reader"}));
  EXPECT_TRUE(opened.find({"6000", "reader"}));
}

}  // namespace
}  // namespace synod::protocol
