#include "ordering/fabric_wire/head_watch.h"

#include <utility>

#include "ordering/fabric_wire/block_codec.h"

namespace synod::ordering::fabric_wire {

HeadWatch::HeadWatch(std::shared_ptr<Link> link, std::function<void(const KnownHead&)> seen)
    : link_(std::move(link)),
      accusations_(link_->config.endpoints),
      seen_(std::move(seen)),
      asking_(link_->config.endpoints.size(), false) {}

void HeadWatch::stop() {
  std::lock_guard lock(mutex_);
  seen_ = nullptr;
}

void HeadWatch::round() {
  const std::size_t endpoints = link_->config.endpoints.size();
  std::size_t endpoint = 0;
  {
    std::lock_guard lock(mutex_);
    if (!seen_) return;
    endpoint = std::exchange(next_, (next_ + 1) % endpoints);
  }
  ask(endpoint);
  const Duration pause{link_->config.head_check_interval.micros / static_cast<std::int64_t>(endpoints)};
  link_->loop.after(pause, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->round();
  });
}

void HeadWatch::ask(std::size_t endpoint) {
  {
    std::lock_guard lock(mutex_);
    if (asking_[endpoint]) return;
    asking_[endpoint] = true;
  }
  rpc::StreamHandlers<orderer::DeliverResponse> handlers;
  handlers.on_message = [weak = weak_from_this(), endpoint](const orderer::DeliverResponse& response, std::size_t) {
    if (const auto self = weak.lock()) self->answered(endpoint, response);
  };
  handlers.on_end = [weak = weak_from_this(), endpoint](const std::optional<Error>&) {
    const auto self = weak.lock();
    if (!self) return;
    std::lock_guard lock(self->mutex_);
    self->asking_[endpoint] = false;
  };
  ask_for_newest(link_, endpoint, std::move(handlers));
}

void HeadWatch::answered(std::size_t endpoint, const orderer::DeliverResponse& response) {
  if (!response.has_block()) return;
  if (const Status believed = link_->believe(response.block()); !believed)
    return accusations_.accuse(endpoint,
                               "tells of a newest block that is not to be believed: " + believed.error().to_string());
  accusations_.acquit(endpoint);
  const common::BlockHeader& header = response.block().header();
  if (header.previous_hash().size() > 32 || header.data_hash().size() != 32) return;
  const KnownHead head{endpoint, Height(static_cast<std::int64_t>(header.number())),
                       header_hash(header.number(), header.previous_hash(), header.data_hash())};
  std::lock_guard lock(mutex_);
  if (!seen_) return;
  link_->saw_head(head.height);
  seen_(head);
}

}  // namespace synod::ordering::fabric_wire
