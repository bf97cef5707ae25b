#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/commands.h"
#include "node/node.h"

namespace synod::cli {
namespace {

struct OrdererOptions {
  std::string folder = "orderer-data";
  std::string address = "127.0.0.1";
  int port = 7050;
  std::string channel = "synod";
  bool allow_unsigned = false;
  std::string certificate, private_key, client_ca;
  std::vector<std::string> clients;
};

Status run_file(const std::string& path) {
  SYNOD_TRY(const node::NodeFile file, node::read_node_file(path));
  return node::run_until_signal(file, path);
}

Status run_orderer(const OrdererOptions& options) {
  node::NodeFile file;
  file.name = "orderer";
  file.role = "orderer";
  file.data_folder = options.folder;
  file.public_api.address = options.address;
  file.public_api.port = options.port;
  file.public_api.certificate = options.certificate;
  file.public_api.private_key = options.private_key;
  file.public_api.client_ca = options.client_ca;
  file.orderer.engine.channel = options.channel;
  file.orderer.allow_unsigned = options.allow_unsigned;
  file.orderer.client_certificate_files = options.clients;
  return node::run_until_signal(file);
}

}  // namespace

void add_node_commands(CLI::App& app, Outcome& outcome) {
  CLI::App* node = app.add_subcommand("node", "One node of any role");
  node->require_subcommand(1);
  CLI::App* run = node->add_subcommand("run", "Run a node in the foreground until SIGTERM");
  auto path = std::make_shared<std::string>();
  run->add_option("-c,--config", *path, "Configuration file (reference: `synod config reference`)")->required();
  run->callback([&outcome, path] { outcome.status = run_file(*path); });

  auto options = std::make_shared<OrdererOptions>();
  CLI::App* orderer =
      app.add_subcommand("orderer",
                         "Run the solo ordering service: Fabric's AtomicBroadcast over one log on disk. Its limits and "
                         "timing are set in a file with `role: orderer`, for `synod node run`");
  orderer->add_option("--folder", options->folder, "Where the log lies")->capture_default_str();
  orderer->add_option("--address", options->address, "Address to listen on")->capture_default_str();
  orderer->add_option("--port", options->port, "Port to listen on")->capture_default_str();
  orderer->add_option("--channel", options->channel, "Channel name")->capture_default_str();
  orderer->add_flag("--allow-unsigned", options->allow_unsigned, "Take envelopes without a signature");
  orderer->add_option("--certificate", options->certificate, "TLS certificate (PEM)");
  orderer->add_option("--private-key", options->private_key, "TLS private key (PEM)");
  orderer->add_option("--client-ca", options->client_ca, "Demand client certificates of this authority (PEM)");
  orderer->add_option("--client", options->clients,
                      "Certificate (PEM) of a client whose signed envelopes are taken; may be repeated");
  orderer->callback([&outcome, options] { outcome.status = run_orderer(*options); });

  CLI::App* config = app.add_subcommand("config", "Configuration files");
  config->require_subcommand(1);
  config->add_subcommand("reference", "All keys of all roles, in Markdown")->callback([] {
    std::cout << node::configuration_reference();
  });
}

}  // namespace synod::cli
