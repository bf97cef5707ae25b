#include <filesystem>
#include <fstream>

#include "base/check.h"
#include "base/testing/temporary_folder.h"
#include "node/genesis_file.h"
#include "node/node_file.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/envelope.h"
#include "ordering/solo/block_file.h"
#include "sequencer/core.h"
#include "sequencer/onboarding_state.h"
#include "storage/memory/memory_store.h"
#include "tests/fuzz/targets.h"
#include "topology/state.h"

namespace synod::fuzz {
namespace {

struct Folder {
  const std::string path = testing::new_folder("fuzz");
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

void genesis(ByteView input) {
  const auto read = node::parse_genesis(Bytes(input));
  if (!read) return;
  topology::TopologyState state(read->genesis.synchronizer, read->static_parameters);
  (void)state.import(read->genesis.snapshot);
}

void onboarding_state(ByteView input) {
  const auto read = sequencer::parse_onboarding_state(Bytes(input));
  if (!read) return;
  const auto writes = sequencer::install(*read);
  if (!writes) return;
  storage::MemoryStore store({sequencer::store_columns()});
  SYNOD_CHECK(store.write(*writes, storage::Sync::no).has_value());
  const auto self =
      protocol::Member::parse("SEQ::fuzz::1220fc0d01b670d345d2a9dd4850e6ffd5999b9fc52bd2ccc9c57a0566837e2424ff");
  (void)sequencer::SequencerCore::open({read->synchronizer, *self}, {read->static_parameters, {}}, store);
}

void fabric_envelope(ByteView input) {
  const auto read = ordering::fabric_wire::parse_envelope(input);
  if (read) (void)ordering::fabric_wire::holds_record(*read);
}

void fabric_block(ByteView input) {
  const auto read = ordering::fabric_wire::parse_block(input);
  if (!read) return;
  const auto again = ordering::fabric_wire::parse_block(ordering::fabric_wire::serialize_block(*read));
  SYNOD_CHECK(again.has_value() && again->number == read->number && again->data == read->data);
  SYNOD_CHECK(again->data_hash == read->data_hash && again->previous_hash == read->previous_hash);
  SYNOD_CHECK(ordering::fabric_wire::header_hash(*again) == ordering::fabric_wire::header_hash(*read));
}

void node_file(ByteView input) {
  const Folder folder;
  const std::string path = folder.path + "/node.yaml";
  std::ofstream(path, std::ios::binary) << input;
  const auto read = node::read_node_file(path);
  if (!read) return;
  const std::string text = node::write_node_file(*read);
  std::ofstream(path, std::ios::binary) << text;
  const auto again = node::read_node_file(path);
  SYNOD_CHECK(again.has_value() && node::write_node_file(*again) == text);
}

void solo_segment(ByteView input) {
  const Folder folder;
  std::ofstream(folder.path + "/00000000000000000000.blocks", std::ios::binary) << input;
  const ordering::solo::BlockFileConfig config{folder.path, 16u << 10, 4u << 10, false};
  std::int64_t next = 0;
  std::vector<Bytes> blocks;
  {
    auto file = ordering::solo::BlockFile::open(config);
    if (!file) return;
    for (std::int64_t height = (*file)->first(); height < (*file)->next(); ++height) {
      auto block = (*file)->read(height);
      if (!block) return;
      blocks.push_back(std::move(*block));
    }
    next = (*file)->next();
    if (!(*file)->append({"one more"})) return;
  }
  // What was good is still there.
  auto again = ordering::solo::BlockFile::open(config);
  SYNOD_CHECK(again.has_value() && (*again)->next() == next + 1);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const auto block = (*again)->read((*again)->first() + static_cast<std::int64_t>(i));
    SYNOD_CHECK(block.has_value() && *block == blocks[i]);
  }
  SYNOD_CHECK((*again)->read(next).value() == "one more");
}

}  // namespace synod::fuzz
