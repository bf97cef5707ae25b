// Watches over the topic: is it fit, who leads, where does it end; and prunes it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "ordering/kafka/consumption.h"
#include "ordering/kafka/link.h"
#include "ordering/kafka/submitter.h"
#include "ordering/kafka/topic.h"

namespace synod::ordering::kafka {

// Thread rules: public methods from any thread. The topic is watched on the link's loop.
class Keeper : public std::enable_shared_from_this<Keeper> {
 public:
  Keeper(std::shared_ptr<Link> link, std::shared_ptr<Submitter> submitter);

  void start();
  // One at a time; refused while another one runs. `done` is called on a thread of the link.
  void prune(Height before, std::function<void(Status)> done);

 private:
  void check_soon();
  void check();
  Status inspect();
  Status examine(const TopicState& state);
  Result<Height> cut_for(Height before, Consumption& consumption);
  Status prune_now(Height before);
  bool stopping() const;

  const std::shared_ptr<Link> link_;
  const std::shared_ptr<Submitter> submitter_;
  std::atomic<bool> check_posted_ = false;
  std::atomic<bool> pruning_ = false;

  ClientPtr client_;  // of the loop, like what follows
  bool create_tried_ = false;
  int checks_until_examination_ = 0;
  std::string told_;  // the refusal that was logged last
  Duration delay_;
};

}  // namespace synod::ordering::kafka
