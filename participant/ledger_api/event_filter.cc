#include "participant/ledger_api/event_filter.h"

#include <algorithm>

#include "ledger/filters.pb.h"
#include "participant/ledger_api/request_checks.h"

namespace synod::participant {
namespace {

namespace api = com::daml::ledger::api::v2;

Result<lf::Identifier> type_id(const api::Identifier& id, bool is_interface, const lf::PackageStore& packages) {
  if (id.package_id().empty()) return fail(missing_field("package_id"));
  if (id.module_name().empty()) return fail(missing_field("module_name"));
  if (id.entity_name().empty()) return fail(missing_field("entity_name"));
  const lf::Identifier result{id.package_id(), id.module_name(), id.entity_name()};
  if (result.by_package_name() && packages.versions_of(std::string_view(result.package).substr(1)).empty())
    return fail(
        not_found("PACKAGE_NAMES_NOT_FOUND",
                  "The following package names do not match upgradable packages uploaded on this participant: [" +
                      result.package.substr(1) + "]."));
  const bool known =
      is_interface ? static_cast<bool>(packages.interface(result)) : static_cast<bool>(packages.template_(result));
  if (!known && result.by_package_name()) {
    const std::string what = is_interface ? "interface" : "template";
    return fail(not_found(is_interface ? "NO_INTERFACE_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME"
                                       : "NO_TEMPLATES_FOR_PACKAGE_NAME_AND_QUALIFIED_NAME",
                          "The following package-name/" + what + " qualified-name pairs do not reference any " + what +
                              "-id uploaded on this participant: [(" + result.package.substr(1) + "," +
                              result.qualified_name() + ")]."));
  }
  if (!known)
    return fail(not_found(
        "TEMPLATES_OR_INTERFACES_NOT_FOUND",
        (is_interface ? "Interfaces do not exist: [" : "Templates do not exist: [") + result.to_string() + "]."));
  return result;
}

// `pattern` names a type by package id or by package name.
bool matches(const lf::Identifier& pattern, const lf::Identifier& id, std::string_view package_name) {
  if (pattern.module != id.module || pattern.entity != id.entity) return false;
  return pattern.by_package_name() ? std::string_view(pattern.package).substr(1) == package_name
                                   : pattern.package == id.package;
}

}  // namespace

std::vector<lf::Identifier> implemented_interfaces(const lf::Identifier& template_id,
                                                   const lf::PackageStore& packages) {
  std::vector<lf::Identifier> result;
  if (const auto found = packages.template_(template_id))
    for (const lf::Implementation& implementation : found.package->items(found->implementations))
      result.push_back(lf::identifier(*found.package, implementation.interface));
  return result;
}

Result<EventFilter> EventFilter::parse(const api::EventFormat& format, const lf::PackageStore& packages) {
  if (format.filters_by_party().empty() && !format.has_filters_for_any_party())
    return fail(invalid_request("filtersByParty and filtersForAnyParty cannot be empty simultaneously"));
  EventFilter filter;
  filter.verbose_ = format.verbose();
  for (const auto& [party, filters] : format.filters_by_party()) {
    SYNOD_TRY(lf::Party id, party_id(party, "filters_by_party"));
    SYNOD_TRY(filter.by_party_[std::move(id)], parse(filters, packages));
  }
  if (format.has_filters_for_any_party()) {
    SYNOD_TRY(filter.any_party_, parse(format.filters_for_any_party(), packages));
  }
  return filter;
}

EventFilter EventFilter::all_of(const lf::PartySet& parties) {
  EventFilter filter;
  for (const lf::Party& party : parties) filter.by_party_[party].wildcard = true;
  return filter;
}

Result<EventFilter::Filters> EventFilter::parse(const api::Filters& filters, const lf::PackageStore& packages) {
  Filters result;
  bool any = false;
  for (const api::CumulativeFilter& item : filters.cumulative()) {
    any = any || item.identifier_filter_case() != api::CumulativeFilter::IDENTIFIER_FILTER_NOT_SET;
    if (item.has_wildcard_filter()) {
      result.wildcard = true;
      result.wildcard_blob = result.wildcard_blob || item.wildcard_filter().include_created_event_blob();
    } else if (item.has_template_filter()) {
      SYNOD_TRY(lf::Identifier id, type_id(item.template_filter().template_id(), false, packages));
      result.templates.push_back({std::move(id), item.template_filter().include_created_event_blob(), false});
    } else if (item.has_interface_filter()) {
      SYNOD_TRY(lf::Identifier id, type_id(item.interface_filter().interface_id(), true, packages));
      result.interfaces.push_back({std::move(id), item.interface_filter().include_created_event_blob(),
                                   item.interface_filter().include_interface_view()});
    }
  }
  if (!any) result.wildcard = true;  // no filters at all: everything
  return result;
}

bool EventFilter::apply(const Filters& filters, const lf::Identifier& template_id, const std::string& package_name,
                        const lf::PackageStore& packages, Visibility& visibility) {
  bool shown = filters.wildcard;
  visibility.blob = visibility.blob || filters.wildcard_blob;
  for (const TypeFilter& filter : filters.templates) {
    if (!matches(filter.id, template_id, package_name)) continue;
    shown = true;
    visibility.blob = visibility.blob || filter.blob;
  }
  if (filters.interfaces.empty()) return shown;
  for (const lf::Identifier& interface : implemented_interfaces(template_id, packages)) {
    const lf::Package* package = packages.find(interface.package);
    for (const TypeFilter& filter : filters.interfaces) {
      if (!matches(filter.id, interface, package ? package->name() : "")) continue;
      shown = true;
      visibility.blob = visibility.blob || filter.blob;
      const bool known = std::find(visibility.interface_views.begin(), visibility.interface_views.end(), interface) !=
                         visibility.interface_views.end();
      if (filter.view && !known) visibility.interface_views.push_back(interface);
    }
  }
  return shown;
}

Visibility EventFilter::visibility(const lf::Identifier& template_id, const std::string& package_name,
                                   const lf::PartySet& parties, const lf::PackageStore& packages) const {
  Visibility result;
  if (any_party_ && apply(*any_party_, template_id, package_name, packages, result)) result.witnesses = parties;
  for (const auto& [party, filters] : by_party_)
    if (parties.contains(party) && apply(filters, template_id, package_name, packages, result))
      result.witnesses.insert(party);
  return result;
}

bool EventFilter::concerns(const lf::PartySet& parties) const {
  if (any_party_) return true;
  return std::any_of(by_party_.begin(), by_party_.end(),
                     [&](const auto& entry) { return parties.contains(entry.first); });
}

}  // namespace synod::participant
