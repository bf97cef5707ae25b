// What a reader wants to see: the parsed form of EventFormat, and its application to events.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "base/result.h"
#include "lf/package_store.h"
#include "lf/transaction.h"

namespace com::daml::ledger::api::v2 {
class EventFormat;
class Filters;
}  // namespace com::daml::ledger::api::v2

namespace synod::participant {

// How one event is shown.
struct Visibility {
  lf::PartySet witnesses;                       // those of the event's parties for whom it is shown; empty: not shown
  bool blob = false;                            // with created_event_blob
  std::vector<lf::Identifier> interface_views;  // compute these

  bool shown() const { return !witnesses.empty(); }
};

class EventFilter {
 public:
  // Errors: INVALID_ARGUMENT (nothing to filter by), INVALID_FIELD, and for templates or interfaces that no known
  // package has TEMPLATES_OR_INTERFACES_NOT_FOUND; by package name PACKAGE_NAMES_NOT_FOUND or
  // NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME, NO_INTERFACE_FOR_….
  static Result<EventFilter> parse(const com::daml::ledger::api::v2::EventFormat& format,
                                   const lf::PackageStore& packages);
  // Everything that concerns these parties, verbose.
  static EventFilter all_of(const lf::PartySet& parties);

  // `parties`: the witnesses or stakeholders that matter for the shape asked for.
  Visibility visibility(const lf::Identifier& template_id, const std::string& package_name, const lf::PartySet& parties,
                        const lf::PackageStore& packages) const;
  bool verbose() const { return verbose_; }
  // Whether the reader may know what belongs to one of these submitters (command ids).
  bool concerns(const lf::PartySet& parties) const;

 private:
  struct TypeFilter {
    lf::Identifier id;  // package as given: an id, or #name
    bool blob = false;
    bool view = false;  // interfaces only
  };
  struct Filters {
    bool wildcard = false;
    bool wildcard_blob = false;
    std::vector<TypeFilter> templates;
    std::vector<TypeFilter> interfaces;
  };
  static Result<Filters> parse(const com::daml::ledger::api::v2::Filters& filters, const lf::PackageStore& packages);
  static bool apply(const Filters& filters, const lf::Identifier& template_id, const std::string& package_name,
                    const lf::PackageStore& packages, Visibility& visibility);

  std::map<lf::Party, Filters> by_party_;
  std::optional<Filters> any_party_;
  bool verbose_ = true;
};

// Interfaces that the template implements, as ids.
std::vector<lf::Identifier> implemented_interfaces(const lf::Identifier& template_id, const lf::PackageStore& packages);

}  // namespace synod::participant
