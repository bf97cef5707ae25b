#include "participant/ledger/update_builder.h"

#include <algorithm>
#include <set>

#include "base/check.h"

namespace synod::participant {
namespace {

class EventBuilder {
 public:
  EventBuilder(const lf::Transaction& transaction, const std::map<lf::ContractId, lf::ContractInstance>& created,
               const std::function<bool(const lf::Party&)>& hosted)
      : transaction_(transaction), created_(created), hosted_(hosted) {}

  std::vector<Event> run() {
    find_order();
    find_transient();
    for (std::size_t at = 0; at < order_.size(); ++at) add(at);
    return std::move(events_);
  }

 private:
  struct Placed {
    lf::NodeId id;
    lf::PartySet witnesses;       // with those of the parents
    std::size_t last_descendant;  // position in order_
    bool rolled_back;
  };

  // Pre-order with an explicit stack: a node's depth is what the sender of a request chose.
  void find_order() {
    struct Frame {
      lf::NodeId id;
      const std::vector<lf::NodeId>* children;
      std::size_t next;
      std::size_t position;
    };
    std::vector<Frame> stack;
    auto enter = [&](lf::NodeId id) {
      const auto& node = transaction_.at(id);
      Placed placed{id, node.informees(), order_.size(), node.rollback() != nullptr};
      if (!stack.empty()) {
        const auto& parent = order_[stack.back().position];
        placed.witnesses = lf::parties_union(placed.witnesses, parent.witnesses);
        placed.rolled_back = placed.rolled_back || parent.rolled_back;
      }
      order_.push_back(std::move(placed));
      stack.push_back({id, &node.children(), 0, order_.size() - 1});
    };
    for (const auto root : transaction_.roots) {
      enter(root);
      while (!stack.empty()) {
        auto& frame = stack.back();
        if (frame.next < frame.children->size()) {
          enter((*frame.children)[frame.next++]);
          continue;
        }
        order_[frame.position].last_descendant = order_.size() - 1;
        stack.pop_back();
      }
    }
  }

  void find_transient() {
    std::set<lf::ContractId> created;
    for (const auto& placed : order_) {
      const auto& node = transaction_.at(placed.id);
      if (placed.rolled_back) continue;
      if (const auto* create = node.create()) created.insert(create->contract_id);
      const auto* exercise = node.exercise();
      if (exercise && exercise->consuming && created.contains(exercise->contract_id))
        transient_.insert(exercise->contract_id);
    }
  }

  bool changes_active_set(const lf::ContractId& id, const lf::PartySet& stakeholders) const {
    return !transient_.contains(id) && std::any_of(stakeholders.begin(), stakeholders.end(), hosted_);
  }

  void add(std::size_t position) {
    const auto& placed = order_[position];
    if (placed.rolled_back) return;
    const auto& node = transaction_.at(placed.id);
    if (const auto* create = node.create()) {
      CreatedEvent event;
      event.node_id = static_cast<std::int32_t>(position);
      const auto contract = created_.find(create->contract_id);
      SYNOD_CHECK(contract != created_.end());
      event.contract = contract->second;
      event.witnesses = placed.witnesses;
      event.acs_delta = changes_active_set(create->contract_id, create->stakeholders);
      events_.emplace_back(std::move(event));
    } else if (const auto* exercise = node.exercise()) {
      ExercisedEvent event;
      event.node_id = static_cast<std::int32_t>(position);
      event.last_descendant_node_id = static_cast<std::int32_t>(placed.last_descendant);
      event.contract_id = exercise->contract_id;
      event.template_id = exercise->template_id;
      event.interface_id = exercise->interface_id;
      event.package_name = exercise->package_name;
      event.choice = exercise->choice;
      event.argument = exercise->argument;
      event.result = exercise->result;
      event.acting_parties = exercise->acting_parties;
      event.stakeholders = exercise->stakeholders;
      event.witnesses = placed.witnesses;
      event.consuming = exercise->consuming;
      event.acs_delta = exercise->consuming && changes_active_set(exercise->contract_id, exercise->stakeholders);
      events_.emplace_back(std::move(event));
    }
  }

  const lf::Transaction& transaction_;
  const std::map<lf::ContractId, lf::ContractInstance>& created_;
  const std::function<bool(const lf::Party&)>& hosted_;
  std::vector<Placed> order_;
  std::set<lf::ContractId> transient_;
  std::vector<Event> events_;
};

}  // namespace

std::vector<Event> events_of(const lf::Transaction& transaction,
                             const std::map<lf::ContractId, lf::ContractInstance>& created,
                             const std::function<bool(const lf::Party&)>& hosted) {
  return EventBuilder(transaction, created, hosted).run();
}

lf::Transaction merge(std::vector<lf::Transaction> parts) {
  if (parts.size() == 1) return std::move(parts.front());
  lf::Transaction whole;
  for (auto& part : parts) {
    const auto shift = static_cast<lf::NodeId>(whole.nodes.size());
    auto move_ids = [shift](std::vector<lf::NodeId>& ids) {
      for (auto& id : ids) id += shift;
    };
    for (auto& node : part.nodes) {
      if (node.parent >= 0) node.parent += shift;
      if (auto* exercise = std::get_if<lf::ExerciseNode>(&node.action)) move_ids(exercise->children);
      if (auto* rollback = std::get_if<lf::RollbackNode>(&node.action)) move_ids(rollback->children);
      whole.nodes.push_back(std::move(node));
    }
    move_ids(part.roots);
    whole.roots.insert(whole.roots.end(), part.roots.begin(), part.roots.end());
  }
  return whole;
}

}  // namespace synod::participant
