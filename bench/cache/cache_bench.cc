#include "bench/cache/cache_bench.h"

#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>
#include <filesystem>

#include "rpc/server.h"
#include "sequencer/sequencer_node.h"
#include "sequencer/testing/counting_store.h"
#include "sequencer/testing/memory_log.h"
#include "sequencer/testing/world.h"
#include "storage/rocksdb/rocksdb_store.h"

namespace synod::bench {
namespace {

using sequencer::testing::CountingStore;
using sequencer::testing::World;

constexpr std::uint64_t kEventsPerBlock = 500;

storage::RocksDbOptions cache_in(const std::string& folder) {
  storage::RocksDbOptions options;
  options.path = folder;
  options.columns = sequencer::store_columns();
  return options;
}

std::uint64_t bytes_of(const std::string& folder) {
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) bytes += entry.file_size();
  return bytes;
}

// Blocks of one member's messages to another.
Status fill(World& world, storage::Store& store, const CacheBenchOptions& options) {
  SYNOD_TRY(auto opened,
            sequencer::SequencerCore::open({world.genesis.synchronizer, world.sequencers[0]}, world.initial(), store));
  SYNOD_RETURN_IF_ERROR(store.write(opened.writes, storage::Sync::yes));
  const auto& from = world.participants[0];
  const auto& to = world.participants[1];
  const auto random = seeded_random(1);
  for (std::uint64_t done = 0; done < options.events;) {
    std::vector<sequencer::SealedEntry> entries;
    for (; entries.size() < kEventsPerBlock && done < options.events; ++done) {
      entries.push_back(world.submission(from, {World::envelope(random->bytes(options.payload_bytes), {{to}})},
                                         {.message_id = std::to_string(done)}));
    }
    ordering::Block block;
    block.height = opened.core->next_height();
    block.previous_hash = opened.core->status().block_hash;
    block.hash = "block " + std::to_string(block.height.value);
    const Timestamp proposed = World::kStart + Duration::milliseconds(static_cast<std::int64_t>(done));
    block.records.push_back(world.record(world.sequencers[0], proposed, std::move(entries)));
    SYNOD_TRY(const auto effects, opened.core->on_block(block));
    SYNOD_RETURN_IF_ERROR(store.write(effects.writes, storage::Sync::no));
  }
  return {};
}

struct Restart {
  double serving_seconds = 0;
  double first_event_seconds = 0;
  std::size_t rows_read = 0;
  std::uint64_t blocks_read = 0;
};

Result<Restart> restart(const World& world, const std::string& folder) {
  const auto clock = system_clock();
  const std::int64_t begin = clock->monotonic_micros();
  const auto seconds = [&] { return static_cast<double>(clock->monotonic_micros() - begin) / 1e6; };
  SYNOD_TRY(std::shared_ptr<storage::Store> store, storage::open_rocksdb(cache_in(folder)));
  const auto counting = std::make_shared<CountingStore>(store);
  sequencer::SequencerParts parts;
  parts.synchronizer = world.genesis.synchronizer;
  parts.self = world.sequencers[0];
  parts.initial = world.initial();
  parts.keys = std::shared_ptr<crypto::KeyStore>(world.network.keys.get(), [](crypto::KeyStore*) {});
  parts.log = std::make_shared<sequencer::testing::MemoryLog>();
  parts.store = counting;
  parts.clock = clock;
  parts.random = system_random();
  sequencer::SequencerConfig config;
  config.pruning.automatic = false;
  SYNOD_TRY(const auto node, sequencer::SequencerNode::create(config, parts));
  SYNOD_TRY(const auto server, rpc::Server::start({}, node->services()));
  node->start(&server->health());
  const auto status = node->status();
  Restart result;
  result.serving_seconds = seconds();
  result.rows_read = counting->reads(sequencer::kEventColumn) + counting->reads(sequencer::kInboxColumn);
  result.blocks_read = status.core.blocks_applied;
  for (const auto& member : status.members) {
    if (member.member != world.participants[1] || !member.last_event) continue;
    const sequencer::EventReader reader(*counting, world.genesis.synchronizer);
    SYNOD_TRY(const auto events, reader.read(member.number, member.member, *member.last_event, 10, 1u << 20));
    if (events.size() == 1) result.first_event_seconds = seconds();
  }
  node->stop();
  server->stop(Duration::seconds(1));
  return result;
}

Status measure(const CacheBenchOptions& options, const std::string& folder) {
  World world;
  const auto clock = system_clock();
  const std::int64_t begin = clock->monotonic_micros();
  {
    SYNOD_TRY(const std::unique_ptr<storage::Store> store, storage::open_rocksdb(cache_in(folder)));
    SYNOD_RETURN_IF_ERROR(fill(world, *store, options));
  }
  const double filled = static_cast<double>(clock->monotonic_micros() - begin) / 1e6;
  const std::uint64_t bytes = bytes_of(folder);
  SYNOD_TRY(const Restart again, restart(world, folder));
  if (options.json) {
    const boost::json::object report{{"events", options.events},
                                     {"fillEventsPerSecond", static_cast<double>(options.events) / filled},
                                     {"cacheBytes", bytes},
                                     {"servingSeconds", again.serving_seconds},
                                     {"lastEventSeconds", again.first_event_seconds},
                                     {"rowsReadAtRestart", again.rows_read},
                                     {"blocksReadAtRestart", again.blocks_read}};
    std::puts(boost::json::serialize(report).c_str());
  } else {
    std::puts(fmt::format("{} events, {} MiB on disk, filled at {:.0f} events/s\n"
                          "serving again after {:.3f} s, the last event delivered after {:.3f} s\n"
                          "events read at the restart: {}, blocks read from the log: {}",
                          options.events, bytes >> 20, static_cast<double>(options.events) / filled,
                          again.serving_seconds, again.first_event_seconds, again.rows_read, again.blocks_read)
                  .c_str());
  }
  if (again.rows_read == 0 && again.blocks_read == 0 && again.first_event_seconds > 0) return {};
  return fail(internal_error("the restart read events or blocks, or has lost the last event"));
}

}  // namespace

Status run_cache_bench(const CacheBenchOptions& options) {
  const bool temporary = options.folder.empty();
  const std::string folder =
      temporary ? (std::filesystem::temp_directory_path() / ("synod-bench-" + system_random()->uuid())).string()
                : options.folder;
  const Status status = measure(options, folder);
  std::error_code ignored;
  if (temporary) std::filesystem::remove_all(folder, ignored);
  return status;
}

}  // namespace synod::bench
