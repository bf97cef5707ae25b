#include "ordering/engines/fabric_engine.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "base/files.h"
#include "ordering/engines/http_get.h"

namespace synod::ordering::engines {
namespace {

constexpr char kShapeFile[] = "fabric-network";  // written last: the folder is complete

std::int64_t now_millis() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}
void pause_between_looks() { std::this_thread::sleep_for(std::chrono::milliseconds(20)); }

Status write(const std::string& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << content;
  out.close();
  if (!out) return fail(unavailable("FABRIC_FOLDER_FAILED", "cannot write " + path));
  return {};
}

Error not_ready(std::string cause) { return unavailable("FABRIC_NOT_READY", std::move(cause)); }

Status check(const FabricEngineConfig& config) {
  const auto wrong = [](std::string cause) {
    return fail(invalid_argument("FABRIC_CONFIG_INVALID", std::move(cause)));
  };
  const int least = config.consensus == FabricConsensus::smartbft ? 4 : 1;
  if (config.orderers < least || config.orderers > 20)
    return wrong(
        fmt::format("{} with {} orderers; it takes {} to 20", to_string(config.consensus), config.orderers, least));
  if (config.organisations.empty()) return wrong("no organisation uses the channel");
  for (const std::string& organisation : config.organisations) {
    const bool named = !organisation.empty() &&
                       std::all_of(organisation.begin(), organisation.end(),
                                   [](unsigned char c) { return std::islower(c) || std::isdigit(c) || c == '-'; });
    if (!named || organisation.starts_with("orderer"))
      return wrong("'" + organisation + "' is no name of an organisation (a-z, 0-9 and -, not orderer...)");
  }
  if (!config.folder.starts_with('/')) return wrong("the folder '" + config.folder + "' is not an absolute path");
  return {};
}

// First line: what it was asked for; then the ports, one line an orderer.
std::string shape_of(FabricConsensus consensus, std::size_t orderers, const std::vector<std::string>& organisations) {
  std::string shape = fmt::format("{} {}", to_string(consensus), orderers);
  for (const std::string& organisation : organisations) shape += " " + organisation;
  return shape;
}

std::vector<std::string> prepared_organisations(const std::string& folder) {
  std::istringstream in(file_bytes(folder + "/" + kShapeFile).value_or(""));
  std::string line, word;
  std::getline(in, line);
  std::istringstream shape(line);
  shape >> word >> word;  // consensus and number of orderers
  std::vector<std::string> organisations;
  while (shape >> word) organisations.push_back(word);
  return organisations;
}

Result<std::vector<FabricOrdererPorts>> ports_of(const FabricEngineConfig& config) {
  std::vector<FabricOrdererPorts> ports(static_cast<std::size_t>(config.orderers));
  std::istringstream in(file_bytes(config.folder + "/" + kShapeFile).value_or(""));
  std::string shape;
  if (std::getline(in, shape)) {
    if (shape != shape_of(config.consensus, ports.size(), config.organisations))
      return fail(failed_precondition("FABRIC_FOLDER_IN_USE", config.folder + " holds another ordering service (" +
                                                                  shape + "); remove the folder or take another"));
    for (FabricOrdererPorts& p : ports) in >> p.service >> p.operations >> p.admin;
    return ports;
  }
  std::uint16_t next = config.first_port;
  const auto port = [&] { return config.first_port == 0 ? free_port() : next++; };
  for (FabricOrdererPorts& p : ports) {
    p.service = port();
    p.operations = port();
    p.admin = port();
  }
  return ports;
}

// The value of `name{channel="..."}` in Prometheus text.
std::optional<double> metric(const std::string& text, const std::string& name, const std::string& channel) {
  const std::string key = "\n" + name + "{channel=\"" + channel + "\"} ";
  const std::size_t at = text.find(key);
  if (at == std::string::npos) return std::nullopt;
  return std::atof(text.c_str() + at + key.size());
}

}  // namespace

FabricEngine::FabricEngine(FabricTools tools, FabricNetwork network, bool dies_with_us)
    : tools_(std::move(tools)), network_(std::move(network)) {
  for (std::size_t i = 0; i < network_.orderers.size(); ++i) {
    const std::string folder = network_.folder + "/" + orderer_msp_id(i);
    // A name of its own for the program makes the process known by its command line.
    processes_.push_back({{folder + "/orderer",
                           {"start"},
                           {"FABRIC_CFG_PATH=" + folder, "FABRIC_LOGGING_SPEC=info",
                            "FABRIC_LOGGING_FORMAT=%{time:2006-01-02 15:04:05.000} %{level} [%{module}] %{message}"},
                           folder},
                          folder + "/orderer.log",
                          folder + "/pid",
                          dies_with_us});
  }
}

Result<FabricEngine> FabricEngine::open(const FabricTools& tools, FabricEngineConfig config) {
  if (config.organisations.empty()) config.organisations = prepared_organisations(config.folder);
  SYNOD_RETURN_IF_ERROR(check(config));
  FabricNetwork network;
  network.folder = config.folder;
  network.consensus = config.consensus;
  network.organisations = config.organisations;
  network.batch_timeout = config.batch_timeout;
  SYNOD_TRY(network.orderers, ports_of(config));
  FabricEngine engine(tools, std::move(network), config.dies_with_us);
  if (!std::filesystem::exists(config.folder + "/" + kShapeFile)) {
    SYNOD_RETURN_IF_ERROR(engine.prepare());
    SYNOD_RETURN_IF_ERROR(engine.write_shape());
  }
  return engine;
}

Status FabricEngine::prepare() const {
  const std::string& folder = network_.folder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  std::filesystem::remove_all(folder + "/crypto", error);  // of an attempt that did not end
  if (error) return fail(unavailable("FABRIC_FOLDER_FAILED", folder + ": " + error.message()));
  SYNOD_RETURN_IF_ERROR(write(folder + "/crypto-config.yaml", crypto_config_yaml(network_)));
  SYNOD_RETURN_IF_ERROR(
      run({tools_.cryptogen,
           {"generate", "--config=" + folder + "/crypto-config.yaml", "--output=" + folder + "/crypto"},
           {},
           folder},
          Duration::seconds(60)));
  SYNOD_RETURN_IF_ERROR(write_tls_roots());
  SYNOD_RETURN_IF_ERROR(write(folder + "/configtx.yaml", configtx_yaml(network_)));
  for (std::size_t i = 0; i < size(); ++i) {
    const std::string own = folder + "/" + orderer_msp_id(i);
    std::filesystem::create_directories(own, error);
    SYNOD_RETURN_IF_ERROR(write(own + "/orderer.yaml", orderer_yaml(network_, i, own)));
    std::filesystem::remove(own + "/orderer", error);
    std::filesystem::create_symlink(tools_.orderer, own + "/orderer", error);
    if (error) return fail(unavailable("FABRIC_FOLDER_FAILED", own + ": " + error.message()));
  }
  return {};
}

Status FabricEngine::write_shape() const {
  std::string shape = shape_of(network_.consensus, size(), network_.organisations) + "\n";
  for (const FabricOrdererPorts& p : network_.orderers)
    shape += fmt::format("{} {} {}\n", p.service, p.operations, p.admin);
  return write(network_.folder + "/" + kShapeFile, shape);
}

Status FabricEngine::write_tls_roots() const {
  std::string roots;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(network_.folder + "/crypto"))
    if (entry.path().parent_path().filename() == "tlsca" && entry.path().extension() == ".pem")
      roots += file_bytes(entry.path()).value_or("");
  return write(network_.folder + "/" + kFabricTlsRoots, roots);
}

Result<std::string> FabricEngine::add_organisation(const std::string& organisation, const std::string& channel) {
  FabricNetwork with = network_;
  std::vector<std::string>& all = with.organisations;
  if (std::find(all.begin(), all.end(), organisation) == all.end()) all.push_back(organisation);
  FabricEngineConfig config;
  config.folder = with.folder;
  config.consensus = with.consensus;
  config.orderers = static_cast<int>(size());
  config.organisations = all;
  SYNOD_RETURN_IF_ERROR(check(config));
  // A folder of its own: what the others were made of stays as it is.
  const std::string folder = with.folder + "/with-" + organisation, block = folder + "/" + channel + ".block";
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return fail(unavailable("FABRIC_FOLDER_FAILED", folder + ": " + error.message()));
  FabricNetwork alone = with;
  alone.orderers.clear();
  alone.organisations = {organisation};
  SYNOD_RETURN_IF_ERROR(write(folder + "/crypto-config.yaml", crypto_config_yaml(alone)));
  if (!std::filesystem::exists(user_crypto(with, organisation)))
    SYNOD_RETURN_IF_ERROR(
        run({tools_.cryptogen,
             {"extend", "--config=" + folder + "/crypto-config.yaml", "--input=" + with.folder + "/crypto"},
             {},
             folder},
            Duration::seconds(60)));
  SYNOD_RETURN_IF_ERROR(write(folder + "/configtx.yaml", configtx_yaml(with)));
  SYNOD_RETURN_IF_ERROR(
      run({tools_.configtxgen,
           {"-profile", kFabricProfile, "-channelID", channel, "-outputBlock", block, "-configPath", folder},
           {},
           folder},
          Duration::seconds(60)));
  network_.organisations = all;
  SYNOD_RETURN_IF_ERROR(write_tls_roots());
  SYNOD_RETURN_IF_ERROR(write_shape());
  return block;
}

std::string FabricEngine::endpoint(std::size_t index) const {
  return "127.0.0.1:" + std::to_string(network_.orderers[index].service);
}

std::string FabricEngine::channel_block(const std::string& channel) const {
  return network_.folder + "/" + channel + ".block";
}

Status FabricEngine::start(Duration patience) {
  for (const ServerProcess& process : processes_) SYNOD_RETURN_IF_ERROR(process.start());
  for (std::size_t i = 0; i < size(); ++i) SYNOD_RETURN_IF_ERROR(wait_serving(i, patience));
  return {};
}

Status FabricEngine::wait_serving(std::size_t index, Duration patience) const {
  const std::int64_t give_up = now_millis() + patience.micros / 1000;
  const FabricOrdererPorts& ports = network_.orderers[index];
  // Its operations port opens early; "Beginning to serve" comes with the last, the service port.
  while (!listens(ports.admin) || !listens(ports.service)) {
    const bool died = !processes_[index].running();
    if (died || now_millis() > give_up)
      return fail(
          not_ready(fmt::format("{} {}; the end of {}:{}", orderer_msp_id(index), died ? "ended" : "does not serve",
                                processes_[index].log_file, processes_[index].end_of_log(8))));
    pause_between_looks();
  }
  return {};
}

Result<std::string> FabricEngine::osnadmin(std::size_t index, std::vector<std::string> arguments) const {
  const std::string tls = orderer_crypto(network_, index) + "/tls";
  arguments.insert(arguments.end(), {"--orderer-address", "127.0.0.1:" + std::to_string(network_.orderers[index].admin),
                                     "--ca-file", network_.folder + "/" + kFabricTlsRoots, "--client-cert",
                                     tls + "/server.crt", "--client-key", tls + "/server.key"});
  return run({tools_.osnadmin, std::move(arguments), {}, network_.folder}, Duration::seconds(30));
}

// At the same time: each takes as long as a program's start.
Status FabricEngine::at_all(const std::function<Status(std::size_t)>& act) const {
  std::vector<std::future<Status>> acts;
  for (std::size_t i = 0; i < size(); ++i) acts.push_back(std::async(std::launch::async, act, i));
  Status first;
  for (auto& outcome : acts)
    if (Status status = outcome.get(); !status && first) first = std::move(status);
  return first;
}

Status FabricEngine::join(std::size_t index, const std::string& channel, std::int64_t give_up) const {
  for (;;) {
    // 201: joined; 405: it has the channel already.
    const auto said =
        osnadmin(index, {"channel", "join", "--channelID", channel, "--config-block", channel_block(channel)});
    if (said && (said->starts_with("Status: 201") || said->starts_with("Status: 405"))) return {};
    if (now_millis() > give_up)
      return fail(not_ready(orderer_msp_id(index) + " does not join channel " + channel + ": " +
                            (said ? *said : said.error().cause)));
    pause_between_looks();
  }
}

Status FabricEngine::open_channel(const std::string& channel, Duration patience) {
  const std::int64_t give_up = now_millis() + patience.micros / 1000;
  if (!std::filesystem::exists(channel_block(channel)))
    SYNOD_RETURN_IF_ERROR(run({tools_.configtxgen,
                               {"-profile", kFabricProfile, "-channelID", channel, "-outputBlock",
                                channel_block(channel), "-configPath", network_.folder},
                               {},
                               network_.folder},
                              Duration::seconds(60)));
  SYNOD_RETURN_IF_ERROR(at_all([&](std::size_t i) { return join(i, channel, give_up); }));
  return wait_leader(channel, patience);
}

Status FabricEngine::remove_channel(const std::string& channel) {
  SYNOD_RETURN_IF_ERROR(at_all([&](std::size_t i) -> Status {
    SYNOD_TRY(const std::string said, osnadmin(i, {"channel", "remove", "--channelID", channel}));
    if (said.starts_with("Status: 204") || said.starts_with("Status: 404")) return {};
    return fail(
        unavailable("FABRIC_CHANNEL_FAILED", orderer_msp_id(i) + " does not remove channel " + channel + ": " + said));
  }));
  std::error_code ignored;
  std::filesystem::remove(channel_block(channel), ignored);
  return {};
}

Status FabricEngine::wipe() {
  std::error_code error;
  for (std::size_t i = 0; i < size(); ++i) {
    if (processes_[i].running())
      return fail(failed_precondition("FABRIC_STILL_RUNNING", orderer_msp_id(i) + " runs; stop it first"));
    for (const char* part : {"ledger", "wal", "snapshots"})
      std::filesystem::remove_all(network_.folder + "/" + orderer_msp_id(i) + "/" + part, error);
  }
  for (const auto& entry : std::filesystem::directory_iterator(network_.folder))
    if (entry.path().extension() == ".block") std::filesystem::remove(entry.path(), error);
  return {};
}

bool FabricEngine::stop(Duration patience) const {
  for (const ServerProcess& process : processes_) process.signal(SIGTERM);
  bool all = true;
  for (const ServerProcess& process : processes_)
    if (process.running())
      all = (process.stop(SIGTERM, patience) || !process.running() || process.stop(SIGKILL, Duration::seconds(10))) &&
            all;
  return all;
}

std::optional<std::size_t> FabricEngine::leader(const std::string& channel) const {
  for (std::size_t i = 0; i < size(); ++i) {
    if (!processes_[i].running()) continue;
    const std::string metrics =
        http_get(network_.orderers[i].operations, "/metrics", Duration::seconds(2)).value_or("");
    if (network_.consensus == FabricConsensus::etcdraft) {
      if (metric(metrics, "consensus_etcdraft_is_leader", channel) == 1.0) return i;
    } else if (metric(metrics, "consensus_BFT_is_leader", channel) == 1.0) {
      return i;
    }
  }
  return std::nullopt;
}

Status FabricEngine::wait_leader(const std::string& channel, Duration patience) const {
  const std::int64_t give_up = now_millis() + patience.micros / 1000;
  while (!leader(channel)) {
    if (now_millis() > give_up)
      return fail(not_ready("channel " + channel + " has no leader; see " + processes_[0].log_file));
    pause_between_looks();
  }
  return {};
}

std::optional<std::uint64_t> FabricEngine::height(std::size_t index, const std::string& channel) const {
  const auto said = osnadmin(index, {"channel", "list", "--channelID", channel});
  const std::string key = "\"height\":";
  const std::size_t at = said ? said->find(key) : std::string::npos;
  if (at == std::string::npos) return std::nullopt;
  return std::strtoull(said->c_str() + at + key.size(), nullptr, 10);
}

FabricAccess FabricEngine::access(const std::string& organisation, const std::string& channel) const {
  FabricAccess access;
  for (std::size_t i = 0; i < size(); ++i) access.endpoints.push_back(endpoint(i));
  access.channel = channel;
  access.channel_block = channel_block(channel);
  const std::string user = user_crypto(network_, organisation);
  access.tls_roots = network_.folder + "/" + kFabricTlsRoots;
  access.tls_certificate = user + "/tls/client.crt";
  access.tls_key = user + "/tls/client.key";
  access.msp_id = organisation;
  access.certificate = user + "/msp/signcerts/User1@" + organisation + ".synod-cert.pem";
  access.key = user + "/msp/keystore/priv_sk";
  return access;
}

FabricAdministrator FabricEngine::administrator(const std::string& organisation) const {
  const std::string admin = admin_crypto(network_, organisation);
  return {organisation, admin + "/msp/signcerts/Admin@" + organisation + ".synod-cert.pem",
          admin + "/msp/keystore/priv_sk"};
}

FabricAuthorities FabricEngine::authorities(const std::string& organisation) const {
  const std::string folder = network_.folder + "/crypto/peerOrganizations/" + organisation + ".synod";
  const std::string name = "ca." + organisation + ".synod-cert.pem";
  return {folder + "/ca/" + name, folder + "/ca/priv_sk", folder + "/tlsca/tls" + name, folder + "/tlsca/priv_sk"};
}

}  // namespace synod::ordering::engines
