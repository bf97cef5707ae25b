// Runs the `synod` binary beside the test program, and networks in throw-away folders.
#pragma once

#include <string>

namespace synod::e2e {

struct Ran {
  int exit_code = -1;
  std::string output;  // standard output and error together
};

// `synod <arguments>`; arguments go through the shell.
Ran synod(const std::string& arguments);

// A folder and a network file of its own, with ports apart from a developer's network. The destructor stops everything
// and removes the folder.
class TestNetwork {
 public:
  explicit TestNetwork(int first_port);  // two organisations and the consortium, as in testnet/two-orgs.yaml
  ~TestNetwork();
  Ran testnet(const std::string& arguments) const;  // `synod testnet <arguments> -f … -d …`
  Ran run(const std::string& arguments) const;      // `synod <arguments> -f … -d …`
  const std::string& folder() const { return folder_; }
  std::string file(const std::string& relative) const { return folder_ + "/net/" + relative; }

 private:
  std::string options() const;
  std::string folder_;
};

std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& text);

}  // namespace synod::e2e
