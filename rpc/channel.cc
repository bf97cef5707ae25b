#include "rpc/channel.h"

#include <grpcpp/channel.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <condition_variable>
#include <list>
#include <mutex>
#include <thread>

#include "rpc/grpc_process.h"
#include "rpc/message_limit.h"

namespace synod::rpc {
namespace {

// Destroys channels on a thread of its own. Call contexts hold their channel too, so a channel waits here until nobody
// else has it: then its destruction cannot happen on one of gRPC's threads.
class Reaper {
 public:
  static Reaper& instance() {
    static auto* reaper = new Reaper();  // never destroyed: channels may be released while the process ends
    return *reaper;
  }
  void bury(std::shared_ptr<grpc::Channel> channel) {
    {
      std::lock_guard lock(mutex_);
      channels_.push_back(std::move(channel));
    }
    wake_.notify_one();
  }

 private:
  Reaper() {
    std::thread([this] { run(); }).detach();
  }

  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (channels_.empty()) {
        wake_.wait(lock);
      } else {
        wake_.wait_for(lock, std::chrono::milliseconds(20));
      }
      std::list<std::shared_ptr<grpc::Channel>> free;
      for (auto it = channels_.begin(); it != channels_.end();) {
        const auto next = std::next(it);
        if (it->use_count() == 1) free.splice(free.end(), channels_, it);
        it = next;
      }
      lock.unlock();
      free.clear();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::list<std::shared_ptr<grpc::Channel>> channels_;
};

}  // namespace

Result<std::shared_ptr<grpc::Channel>> make_channel(const ChannelConfig& config) {
  prepare_grpc();
  SYNOD_TRY(auto credentials, channel_credentials(config.tls));
  const auto millis = [](Duration d) { return static_cast<int>(d.micros / 1000); };
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(message_limit(config.max_response_bytes));
  arguments.SetMaxSendMessageSize(-1);
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
  arguments.SetInt(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // one TCP connection a channel, none shared
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);             // who calls decides what may be repeated
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, millis(config.keepalive_interval));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, millis(config.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, millis(config.min_reconnect_delay));
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, millis(config.connect_timeout));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, millis(config.max_reconnect_delay));
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  auto channel = grpc::CreateCustomChannel(config.target, credentials, arguments);
  grpc::Channel* raw = channel.get();
  return std::shared_ptr<grpc::Channel>(
      raw, [channel = std::move(channel)](grpc::Channel*) mutable { Reaper::instance().bury(std::move(channel)); });
}

}  // namespace synod::rpc
