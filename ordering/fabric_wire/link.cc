#include "ordering/fabric_wire/link.h"

#include "base/files.h"
#include "rpc/channel.h"

namespace synod::ordering::fabric_wire {

Status Link::connect() {
  std::lock_guard lock(routes_mutex_);
  certificate_hash_ = certificate_hash_now();
  SYNOD_TRY(channels_, make_channels());
  return {};
}

Route Link::route(std::size_t endpoint) {
  std::lock_guard lock(routes_mutex_);
  if (const Bytes now = certificate_hash_now(); now != certificate_hash_) {
    auto made = make_channels();
    // Else the files are being replaced at this moment: the former connections do until the next call.
    if (made && certificate_hash_now() == now) {
      channels_ = std::move(*made);
      certificate_hash_ = now;
    }
  }
  return {channels_[endpoint], certificate_hash_};
}

Bytes Link::certificate_hash_now() const {
  if (!config.tls || !config.tls->certificate_chain_file) return {};
  return certificate_hash(file_bytes(*config.tls->certificate_chain_file).value_or("")).value_or(Bytes());
}

Result<Link::Channels> Link::make_channels() const {
  Channels channels;
  for (const std::string& endpoint : config.endpoints) {
    rpc::ChannelConfig channel;
    channel.target = endpoint;
    channel.tls = config.tls;
    channel.max_response_bytes = 2 * config.max_record_bytes + (64u << 20);
    channel.keepalive_interval = config.keepalive_interval;
    channel.min_reconnect_delay = config.min_reconnect_delay;
    channel.max_reconnect_delay = config.max_reconnect_delay;
    SYNOD_TRY(auto made, rpc::make_channel(channel));
    channels.push_back(std::move(made));
  }
  return channels;
}

void ask_for_newest(const std::shared_ptr<Link>& link, std::size_t endpoint,
                    rpc::StreamHandlers<orderer::DeliverResponse> handlers) {
  const Route route = link->route(endpoint);
  const auto call = open_call<orderer::DeliverResponse>(link, route, "Deliver", SIZE_MAX / 4,
                                                        link->config.probe_timeout, std::move(handlers));
  call->write(to_buffer(link->seek(route, std::nullopt, std::nullopt, SeekContent::signed_headers)));
  call->writes_done();
}

}  // namespace synod::ordering::fabric_wire
