// The votes on one request, from registration to verdict. Facts: ResponseAggregation.scala, ResponseAggregator.scala.
//
// A view is approved when all its quorums are reached, a request when all its views are. It is rejected as soon as one
// quorum of one view can no longer be reached. A party that several participants host votes when as many of them as its
// threshold agree. The first vote of a participant counts; contradictory later ones are reported.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "mediator/request_checks.h"
#include "protocol/confirmation.h"
#include "topology/snapshot.h"

namespace synod::mediator {

class ResponseAggregation {
 public:
  // `topology` is that of the request's sequencing time; it decides on every response.
  ResponseAggregation(const Request& request, const topology::Snapshot& topology);

  // Something a participant did wrong; for an alarm.
  using Report = std::function<void(std::string)>;

  // Takes one response of this sender, whose signature and root hash were checked. Nothing happens after a verdict.
  void add(const protocol::ParticipantId& sender, const protocol::ConfirmationResponse& response,
           const topology::Snapshot& topology, const Report& report);

  const std::optional<protocol::Verdict>& verdict() const { return verdict_; }
  // The verdict when the deadline passes first; names the parties that are still missing.
  protocol::Verdict timeout_verdict() const;

 private:
  struct PartyVotes {
    std::size_t threshold = 1;
    std::size_t hosting = 1;  // participants that may confirm
    std::set<protocol::ParticipantId> approvals;
    std::vector<std::pair<protocol::ParticipantId, protocol::LocalVerdict>> rejections;  // the latest first
    std::set<protocol::ParticipantId> abstains;

    bool approved() const { return approvals.size() >= threshold; }
    bool rejected() const {
      return rejections.size() >= threshold || rejections.size() + abstains.size() + threshold > hosting;
    }
    std::optional<protocol::LocalVerdict::Code> vote_of(const protocol::ParticipantId& participant) const;
    void add(const protocol::ParticipantId& participant, const protocol::LocalVerdict& verdict);
  };
  struct ViewVotes {
    std::map<protocol::Party, PartyVotes> parties;  // all confirmers
    std::vector<protocol::Quorum> open;  // what is left: confirmers without a full vote, weights still needed
    std::vector<protocol::ParticipantReject::Reason> rejections;  // the latest first

    bool satisfied() const;
    bool can_be_satisfied() const;
    bool is_pending(const protocol::Party& party) const;
    void remove(const std::vector<protocol::Party>& voted, bool approved);
  };

  void progress(const protocol::ViewPosition& position, ViewVotes& view, const std::vector<protocol::Party>& parties,
                const protocol::ParticipantId& sender, const protocol::LocalVerdict& verdict, const Report& report);
  void reject(ViewVotes& view, const std::vector<protocol::Party>& full_votes, const protocol::ParticipantId& sender,
              const protocol::LocalVerdict& verdict);

  std::map<protocol::ViewPosition, ViewVotes> views_;
  std::optional<protocol::Verdict> verdict_;
};

}  // namespace synod::mediator
