// Runs the `synod` binary beside the test program, and networks in throw-away folders.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>

#include "tests/e2e/port_block.h"

namespace synod::e2e {

struct Ran {
  int exit_code = -1;
  std::string output;  // standard output and error together
};

// `<environment> synod <arguments>`; both go through the shell.
Ran synod(const std::string& arguments, const std::string& environment = "");

// `synod <arguments>` that goes on beside the test; killed if it has not ended before.
class Background {
 public:
  explicit Background(const std::string& arguments);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  // Until it has said this. False: it ended, or the time was over.
  bool wait_said(const std::string& text, std::chrono::seconds patience = std::chrono::seconds(300));
  void signal(int number);
  // Until it ends by itself. An exit code of -1: it has not.
  Ran wait(std::chrono::seconds patience = std::chrono::seconds(300));

 private:
  bool ended();
  pid_t pid_;
  int output_;  // its standard output and error, read without waiting
  Ran ran_;
};

// A folder, a network file and ports of its own. The destructor stops everything and removes the folder.
class TestNetwork {
 public:
  TestNetwork();  // two organisations and the consortium, as in testnet/two-orgs.yaml
  explicit TestNetwork(const std::string& organisations);  // this list, and what follows it in the file
  ~TestNetwork();
  // `synod testnet <arguments> -f … -d …`; more patient with starts than the command is by itself.
  Ran testnet(const std::string& arguments) const;
  Ran run(const std::string& arguments) const;  // `synod <arguments> -f … -d …`
  // Until every node says that it is well: a moment's trouble of one, say on a machine busy with something else,
  // passes. What `testnet status --json` said last.
  Ran wait_well(std::chrono::seconds patience = std::chrono::seconds(120)) const;
  std::string options() const;  // ` -f … -d …`
  const std::string& folder() const { return folder_; }
  std::string network_file() const { return folder_ + "/network.yaml"; }
  std::string data() const { return folder_ + "/net"; }
  std::string file(const std::string& relative) const { return data() + "/" + relative; }
  // Nodes have two ports each, in the order of the file: coke's participant serves at the third, pepsi's at the
  // seventh.
  int first_port() const { return ports_.first(); }

 private:
  PortBlock ports_;
  std::string folder_;
};

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);
// Every match of a regular expression; a failure if there is none.
void replace_in(const std::string& path, const std::string& pattern, const std::string& by);

}  // namespace synod::e2e
