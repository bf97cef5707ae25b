#include "bench/lf/report.h"

#include <boost/json.hpp>
#include <cstdio>

namespace synod::bench {
namespace {

struct Goal {
  const char* figure;
  double at_most;  // in the figure's unit
};
// A tenth of what the reference implementation needs; 50,000 transactions a second are 20,000 ns each.
constexpr Goal kGoals[] = {
    {"step", 26}, {"fold", 8}, {"method", 13}, {"load", 300}, {"ping/create", 20'000}, {"ping/respond", 20'000},
    {"memory", 0}};

const Goal* goal_of(const std::string& name) {
  for (const Goal& g : kGoals)
    if (name == g.figure) return &g;
  return nullptr;
}

}  // namespace

Report::Figure& Report::figure(const std::string& name) {
  for (auto& f : figures_)
    if (f.name == name) return f;
  figures_.push_back({name, 0, {}, 0});
  return figures_.back();
}

void Report::ReportRuns(const std::vector<Run>& runs) {
  for (const Run& run : runs) {
    if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
    std::string name = run.run_name.function_name;
    Figure& f = figure(name);
    auto units = run.counters.find("units");
    double n = units == run.counters.end() ? static_cast<double>(run.iterations) : units->second.value;
    bool milliseconds = run.time_unit == benchmark::kMillisecond;
    double value = run.cpu_accumulated_time / n * (milliseconds ? 1e3 : 1e9);
    f.unit = milliseconds ? "ms" : "ns";
    if (auto bytes = run.counters.find("bytes"); bytes != run.counters.end()) {
      value = bytes->second.value;
      f.unit = "bytes";
    }
    if (f.repetitions++ == 0 || value < f.value) f.value = value;
  }
}

void Report::print(std::ostream& out) const {
  if (json_) {
    boost::json::array list;
    for (const auto& f : figures_) {
      boost::json::object o{{"name", f.name}, {"value", f.value}, {"unit", f.unit}, {"repetitions", f.repetitions}};
      if (f.unit == "ns" && f.name.starts_with("ping")) o["perSecond"] = 1e9 / f.value;
      if (auto it = sources_.find(f.name); it != sources_.end()) o["source"] = it->second;
      if (const Goal* g = goal_of(f.name)) o["goal"] = g->at_most;
      list.push_back(std::move(o));
    }
    out << boost::json::object{{"statistic", "minimum of the repetitions, CPU time"}, {"figures", std::move(list)}}
        << std::endl;
    return;
  }
  for (const auto& f : figures_) {
    char line[200];
    const Goal* g = goal_of(f.name);
    std::string goal = g ? "goal " + std::to_string(static_cast<int>(g->at_most)) : "";
    if (f.unit == "ns" && f.name.starts_with("ping"))
      goal += (goal.empty() ? "" : ", ") + std::to_string(static_cast<int>(1e9 / f.value)) + " a second";
    if (auto it = sources_.find(f.name); it != sources_.end()) goal += (goal.empty() ? "" : ", ") + it->second;
    std::snprintf(line, sizeof line, "%-22s %12.2f %-6s %s\n", f.name.c_str(), f.value, f.unit.c_str(), goal.c_str());
    out << line;
  }
}

}  // namespace synod::bench
