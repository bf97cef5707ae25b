// Collects google-benchmark's runs and prints one line a figure: the minimum of the repetitions, for one unit, beside
// its goal.
#pragma once

#include <benchmark/benchmark.h>

#include <map>
#include <ostream>
#include <string>
#include <vector>

namespace synod::bench {

class Report : public benchmark::BenchmarkReporter {
 public:
  // `sources`: figures that depend on a file, and its name.
  Report(bool json, std::map<std::string, std::string> sources) : json_(json), sources_(std::move(sources)) {}

  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override;
  void print(std::ostream& out) const;

 private:
  struct Figure {
    std::string name;
    double value = 0;
    std::string unit;
    int repetitions = 0;
  };
  Figure& figure(const std::string& name);

  bool json_;
  std::map<std::string, std::string> sources_;
  std::vector<Figure> figures_;  // in the order of their registration
};

}  // namespace synod::bench
