#include "tests/e2e/command_line.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"

namespace synod::e2e {

Ran synod(const std::string& arguments) {
  std::error_code ignored;
  const std::string binary =
      (std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path() / "synod").string();
  FILE* pipe = popen(("'" + binary + "' " + arguments + " 2>&1").c_str(), "r");
  SYNOD_CHECK(pipe != nullptr);
  Ran ran;
  char buffer[4096];
  for (std::size_t n; (n = fread(buffer, 1, sizeof buffer, pipe)) > 0;) ran.output.append(buffer, n);
  const int status = pclose(pipe);
  ran.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return ran;
}

std::string read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

TestNetwork::TestNetwork(int first_port) {
  char folder[] = "/tmp/synod-e2e-XXXXXX";
  SYNOD_CHECK(mkdtemp(folder) != nullptr);
  chmod(folder, 0755);  // a database server of root's runs as another user
  folder_ = folder;
  write_text(folder_ + "/network.yaml", "network: e2e\nfirst-port: " + std::to_string(first_port) +
                                            "\norganisations:\n"
                                            "  - {name: coke, nodes: [sequencer, participant]}\n"
                                            "  - {name: pepsi, nodes: [sequencer, participant]}\n"
                                            "  - {name: consortium, nodes: [orderer, mediator, topology-manager]}\n");
}

TestNetwork::~TestNetwork() {
  testnet("down");
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string TestNetwork::options() const { return " -f " + folder_ + "/network.yaml -d " + folder_ + "/net"; }
Ran TestNetwork::testnet(const std::string& arguments) const { return synod("testnet " + arguments + options()); }
Ran TestNetwork::run(const std::string& arguments) const { return synod(arguments + options()); }

}  // namespace synod::e2e
