#include "ordering/fabric/channel_trust.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/files.h"
#include "base/log.h"
#include "fabric/channel_config.pb.h"
#include "fabric/envelope.pb.h"
#include "ordering/fabric/orderer_set.h"
#include "ordering/fabric_wire/block_codec.h"
#include "ordering/fabric_wire/envelope.h"

namespace synod::ordering::fabric {
namespace {

tl::unexpected<Error> invalid(std::string cause) {
  return fail(invalid_argument("ORDERING_CHANNEL_BLOCK_INVALID", std::move(cause)));
}

// The configuration that a block sets up; a block that does so holds nothing else.
std::optional<common::Config> config_in(const common::Block& block, const std::string& channel) {
  if (block.data().data_size() != 1) return std::nullopt;
  const auto envelope = fabric_wire::parse_envelope(block.data().data(0));
  if (!envelope || envelope->type != static_cast<int>(fabric_wire::EnvelopeType::config) ||
      envelope->channel_id != channel)
    return std::nullopt;
  common::ConfigEnvelope config;
  if (!config.ParseFromString(envelope->data) || !config.has_config()) return std::nullopt;
  return config.config();
}

Bytes hash_of(const common::Block& block) {
  return fabric_wire::header_hash(block.header().number(), block.header().previous_hash(), block.header().data_hash());
}

bool data_match(const common::Block& block) {
  return fabric_wire::data_hash({block.data().data().begin(), block.data().data().end()}) == block.header().data_hash();
}

}  // namespace

Result<std::shared_ptr<ChannelTrust>> ChannelTrust::from_block(ByteView bytes, const std::string& channel) {
  common::Block block;
  if (!block.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !fabric_wire::parse_block(bytes))
    return invalid("it is not a block");
  const auto config = config_in(block, channel);
  if (!config) return invalid("it is not a configuration block of channel " + channel);
  SYNOD_TRY(auto set, OrdererSet::from_config(config->channel_group()));
  const std::uint64_t number = block.header().number();
  const std::shared_ptr<ChannelTrust> trust(new ChannelTrust(channel, number, hash_of(block)));
  trust->sets_.emplace(number, std::move(set));
  return trust;
}

Result<std::shared_ptr<ChannelTrust>> ChannelTrust::from_file(const std::string& path, const std::string& channel,
                                                              const std::string& learnt_file) {
  const auto block = file_bytes(path);
  if (!block) return invalid("cannot read " + path);
  auto trust = from_block(*block, channel);
  if (!trust) return invalid(path + ": " + trust.error().cause);
  (*trust)->recall_from(learnt_file);
  return trust;
}

// The file holds blocks, each after its length in eight hexadecimal digits.
void ChannelTrust::recall_from(const std::string& learnt_file) {
  std::ifstream file(learnt_file, std::ios::binary);
  std::uintmax_t good = 0;
  for (std::string length(8, '\0'); file.read(length.data(), 8);) {
    Bytes bytes(std::strtoul(length.c_str(), nullptr, 16), '\0');
    common::Block block;
    if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size())) || !block.ParseFromString(bytes)) break;
    if (const Status believed = check(block); !believed) {
      log::warn("ordering", "{}: {}", learnt_file, believed.error().to_string());
      break;
    }
    good += 8 + bytes.size();
  }
  std::error_code ignored;
  if (std::filesystem::exists(learnt_file, ignored)) std::filesystem::resize_file(learnt_file, good, ignored);
  learnt_file_ = learnt_file;  // from now on what is learnt is new
}

void ChannelTrust::remember(const common::Block& block) const {
  if (learnt_file_.empty()) return;
  const Bytes bytes = block.SerializeAsString();
  std::ofstream file(learnt_file_, std::ios::binary | std::ios::app);
  char length[9];
  std::snprintf(length, sizeof length, "%08zx", bytes.size());
  file.write(length, 8);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) log::warn("ordering", "cannot write {}: a restart will not know this configuration", learnt_file_);
}

std::shared_ptr<const OrdererSet> ChannelTrust::before(std::uint64_t number) const {
  std::lock_guard lock(mutex_);
  const auto after = sets_.lower_bound(number);
  return after == sets_.begin() ? nullptr : std::prev(after)->second;
}

Status ChannelTrust::check(const common::Block& block) {
  const auto denied = [&](std::string cause) {
    return fail(Error("ORDERING_BLOCK_NOT_SIGNED", ErrorCategory::malicious_or_faulty, std::move(cause)));
  };
  const std::uint64_t number = block.header().number();
  if (block.header().previous_hash().size() > 32 || block.header().data_hash().size() > 32)
    return denied("block " + std::to_string(number) + " has hashes of a wrong length");
  if (number == first_) {
    if (hash_of(block) == first_hash_) return {};
    return denied("block " + std::to_string(number) +
                  " is not the configured channel block: another channel of this name?");
  }
  const auto set = before(number);
  if (!set)
    return denied("block " + std::to_string(number) + " is older than the configured channel block " +
                  std::to_string(first_) + "; configure the channel's first block");
  SYNOD_RETURN_IF_ERROR(set->check_signatures(block));
  const auto config = config_in(block, channel_);
  if (!config) return {};
  if (!data_match(block)) return denied("the content of block " + std::to_string(number) + " is not what was signed");
  SYNOD_TRY(auto next, OrdererSet::from_config(config->channel_group()));
  std::lock_guard lock(mutex_);
  if (!sets_.emplace(number, std::move(next)).second) return {};
  log::info("ordering", "block {} changes the configuration of channel {}", number, channel_);
  remember(block);
  return {};
}

}  // namespace synod::ordering::fabric
