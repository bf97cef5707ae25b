// The solo engine as a process for the conformance suite:  synod_solo_engine FOLDER PORT
// Prints "ready", then obeys lines on its input: "prune HEIGHT" answers "ok" or an error; end of input stops it in
// order.
#include <iostream>
#include <string>

#include "base/log.h"
#include "ordering/solo/orderer_node.h"

int main(int argc, char** argv) {
  using namespace synod;
  if (argc != 3) return 2;
  log::set_level(log::Level::warn);
  ordering::solo::OrdererConfig config;
  config.engine.folder = argv[1];
  config.engine.segment_bytes = 64u << 10;  // so that there is something to prune
  config.engine.cache_bytes = 64u << 10;    // so that blocks are read from the disk as well
  config.port = std::stoi(argv[2]);
  config.allow_unsigned = true;
  auto node = ordering::solo::OrdererNode::start(config);
  if (!node) {
    std::cout << node.error().to_string() << std::endl;
    return 1;
  }
  std::cout << "ready" << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line.rfind("prune ", 0) != 0) continue;
    const auto pruned = (*node)->engine().prune(ordering::Height(std::stoll(line.substr(6))));
    std::cout << (pruned ? "ok" : pruned.error().to_string()) << std::endl;
  }
  (*node)->stop(Duration::seconds(1));
}
