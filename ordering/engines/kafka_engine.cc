#include "ordering/engines/kafka_engine.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "base/bytes.h"
#include "base/env.h"

namespace synod::ordering::engines {
namespace {

namespace fs = std::filesystem;

constexpr char kLogger[] = "1.7.36";  // of org.slf4j:slf4j-simple, without which a broker cannot say why it fails

Status write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text;
  out.close();
  if (!out) return fail(unavailable("ENGINE_FAILED", "cannot write " + path));
  return {};
}

std::string project_file() {
  const auto dependency = [](const char* group, const char* artifact, const char* version) {
    return std::string("    <dependency><groupId>") + group + "</groupId><artifactId>" + artifact +
           "</artifactId><version>" + version + "</version></dependency>\n";
  };
  return "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n"
         "  <modelVersion>4.0.0</modelVersion>\n"
         "  <groupId>synod.engines</groupId><artifactId>kafka</artifactId><version>1</version>"
         "<packaging>pom</packaging>\n"
         "  <dependencies>\n" +
         dependency("org.apache.kafka", "kafka_2.13", kKafkaVersion) +
         dependency("org.slf4j", "slf4j-simple", kLogger) + "  </dependencies>\n</project>\n";
}

std::string jars_folder(const std::string& cache) { return cache + "/kafka-" + kKafkaVersion; }

// Storage ids are 16 bytes in URL-safe base64 without padding.
std::string cluster_id() {
  std::string text = to_base64(system_random()->bytes(16)).substr(0, 22);
  for (char& c : text) {
    if (c == '+' || c == '-') c = 'A';  // not '-' at the start, where a tool would take it for an option
    if (c == '/') c = '_';
  }
  return text;
}

std::string local(int port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

std::string missing_for_kafka(const std::string& cache) {
  if (!find_program("java"))
    return "java is not on this machine; Kafka brokers run on it. Install a Java runtime of version 11 or later, on "
           "Debian: apt-get install default-jre-headless";
  std::error_code ignored;
  if (!fs::exists(jars_folder(cache), ignored) && !find_program("mvn"))
    return "mvn is not on this machine; it fetches Kafka from Maven Central. On Debian: apt-get install maven";
  return "";
}

Result<std::string> kafka_jars(const std::string& cache, const Progress& progress, const DownloadRetry& retry) {
  if (const std::string missing = missing_for_kafka(cache); !missing.empty())
    return fail(failed_precondition("ENGINE_NOT_INSTALLED", missing));
  const std::string jars = jars_folder(cache);
  std::error_code error;
  if (fs::exists(jars, error)) return jars;
  progress("  Kafka " + std::string(kKafkaVersion) +
           ": downloading org.apache.kafka:kafka_2.13 and what it needs, some 50 MB, from Maven Central into " + jars);
  const std::string work = jars + ".part-" + std::to_string(::getpid()) + "-" + to_hex(system_random()->bytes(4));
  fs::create_directories(work, error);
  SYNOD_RETURN_IF_ERROR(write_text(work + "/pom.xml", project_file()));
  const auto fetched = run_with_downloads(
      {"mvn",
       {"-B", "-q", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=" + work + "/jars"},
       {},
       work},
      Duration::seconds(600), progress, retry);
  if (fetched) fs::rename(work + "/jars", jars, error);  // fails if another process was faster
  fs::remove_all(work, error);
  if (!fetched) return fail(fetched.error());
  if (!fs::exists(jars, error)) return fail(unavailable("ENGINE_FAILED", "cannot write " + jars));
  return jars;
}

std::vector<KafkaBroker> kafka_brokers(int count) {
  std::vector<KafkaBroker> brokers(static_cast<std::size_t>(count));
  for (KafkaBroker& broker : brokers) broker = {free_port(), 0, free_port(), free_port()};
  return brokers;
}

std::string KafkaEngine::folder_of(std::size_t broker) const {
  return config_.folder + "/broker-" + std::to_string(broker + 1);
}

Result<KafkaEngine> KafkaEngine::prepare(KafkaEngineConfig config) {
  KafkaEngine engine(std::move(config));
  for (std::size_t i = 0; i < engine.brokers(); ++i) SYNOD_RETURN_IF_ERROR(engine.write_configuration(i));
  if (!fs::exists(engine.config_.folder + "/formatted")) SYNOD_RETURN_IF_ERROR(engine.format());
  SYNOD_RETURN_IF_ERROR(engine.remember());
  return engine;
}

// One line for the jars and the heap, one for each broker's ports.
Status KafkaEngine::remember() const {
  std::string text = config_.jars + "\n" + std::to_string(config_.heap_megabytes) + "\n";
  for (const KafkaBroker& broker : config_.brokers)
    text += std::to_string(broker.port) + " " + std::to_string(broker.advertised_port) + " " +
            std::to_string(broker.internal_port) + " " + std::to_string(broker.controller_port) + "\n";
  return write_text(config_.folder + "/engine", text);
}

Result<KafkaEngine> KafkaEngine::open(const std::string& folder) {
  KafkaEngineConfig config;
  config.folder = folder;
  std::ifstream in(folder + "/engine");
  std::getline(in, config.jars);
  in >> config.heap_megabytes;
  for (KafkaBroker broker;
       in >> broker.port >> broker.advertised_port >> broker.internal_port >> broker.controller_port;)
    config.brokers.push_back(broker);
  if (config.brokers.empty())
    return fail(failed_precondition("ENGINE_NOT_PREPARED", folder + " does not hold Kafka brokers"));
  return KafkaEngine(std::move(config));
}

Status KafkaEngine::write_configuration(std::size_t broker) const {
  const KafkaBroker& self = config_.brokers[broker];
  std::string voters;
  for (std::size_t i = 0; i < brokers(); ++i)
    voters += (i ? "," : "") + std::to_string(i + 1) + "@" + local(config_.brokers[i].controller_port);
  const std::string copies = std::to_string(brokers()), enough = std::to_string(brokers() >= 3 ? 2 : 1);
  std::string text =
      "process.roles=broker,controller\nnode.id=" + std::to_string(broker + 1) +
      "\ncontroller.quorum.voters=" + voters + "\nlisteners=CLIENT://" + local(self.port) + ",INTERNAL://" +
      local(self.internal_port) + ",CONTROLLER://" + local(self.controller_port) + "\nadvertised.listeners=CLIENT://" +
      local(self.advertised_port ? self.advertised_port : self.port) + ",INTERNAL://" + local(self.internal_port) +
      "\nlistener.security.protocol.map=CLIENT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT\n"
      "controller.listener.names=CONTROLLER\ninter.broker.listener.name=INTERNAL\n"
      "log.dirs=" +
      folder_of(broker) + "/data\n";
  text += "default.replication.factor=" + copies + "\nmin.insync.replicas=" + enough +
          "\noffsets.topic.replication.factor=" + copies + "\ntransaction.state.log.replication.factor=" + copies +
          "\ntransaction.state.log.min.isr=" + enough +
          "\nmessage.max.bytes=" + std::to_string(config_.max_message_bytes) +
          "\nreplica.fetch.max.bytes=" + std::to_string(config_.max_message_bytes) +
          "\nauto.create.topics.enable=false\nunclean.leader.election.enable=false\nlog.retention.ms=-1\n"
          "num.network.threads=2\nnum.io.threads=4\nlog.cleaner.enable=false\n"
          // On one machine a dead broker can be noticed sooner than between computing centres.
          "broker.session.timeout.ms=6000\nbroker.heartbeat.interval.ms=500\n"
          "controller.quorum.election.timeout.ms=2000\ncontroller.quorum.fetch.timeout.ms=5000\n"
          "replica.lag.time.max.ms=10000\ninitial.broker.registration.timeout.ms=600000\n";
  std::error_code error;
  fs::create_directories(folder_of(broker), error);
  return write_text(folder_of(broker) + "/server.properties", text);
}

Command KafkaEngine::java(const std::string& main_class, std::vector<std::string> arguments, int heap_megabytes) const {
  Command command{"java",
                  {"-Xms64m", "-Xmx" + std::to_string(heap_megabytes) + "m", "-XX:+UseSerialGC",
                   "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true",
                   "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", config_.jars + "/*", main_class},
                  {},
                  config_.folder};
  for (std::string& argument : arguments) command.arguments.push_back(std::move(argument));
  return command;
}

// A JVM a broker, all at once: each takes a second or more.
Status KafkaEngine::format() const {
  const std::string id = cluster_id();
  std::vector<std::future<Result<std::string>>> formats;
  for (std::size_t i = 0; i < brokers(); ++i) {
    std::error_code ignored;
    fs::remove_all(folder_of(i) + "/data", ignored);
    const Command command =
        java("kafka.tools.StorageTool", {"format", "-t", id, "-c", folder_of(i) + "/server.properties"}, 128);
    formats.push_back(std::async(std::launch::async, [command] { return run(command, Duration::seconds(120)); }));
  }
  Status status;
  for (auto& format : formats)
    if (auto done = format.get(); !done) status = fail(done.error());
  if (!status) return status;
  return write_text(config_.folder + "/formatted", id + "\n");
}

ServerProcess KafkaEngine::process(std::size_t broker) const {
  const std::string folder = folder_of(broker);
  return {java("kafka.Kafka", {folder + "/server.properties"}, config_.heap_megabytes), folder + "/log",
          folder + "/pid", config_.dies_with_us};
}

bool KafkaEngine::running(std::size_t broker) const { return process(broker).running().has_value(); }

Status KafkaEngine::start_broker(std::size_t broker) { return process(broker).start(); }

Status KafkaEngine::wait_until_listening(std::size_t broker, Duration patience) const {
  const auto clock = system_clock();
  const std::int64_t give_up = clock->monotonic_micros() + patience.micros;
  while (!listens(config_.brokers[broker].port)) {
    const std::string name = "Kafka broker " + std::to_string(broker + 1);
    if (!running(broker)) return fail(unavailable("ENGINE_FAILED", name + " ended:" + process(broker).end_of_log(12)));
    if (clock->monotonic_micros() > give_up)
      return fail(unavailable("ENGINE_FAILED", name + " does not listen yet:" + process(broker).end_of_log(12)));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

Status KafkaEngine::start(Duration patience) {
  for (std::size_t i = 0; i < brokers(); ++i) SYNOD_RETURN_IF_ERROR(start_broker(i));
  for (std::size_t i = 0; i < brokers(); ++i) SYNOD_RETURN_IF_ERROR(wait_until_listening(i, patience));
  return {};
}

void KafkaEngine::signal(std::size_t broker, int number) { process(broker).signal(number); }

void KafkaEngine::signal(int number) {
  for (std::size_t i = 0; i < brokers(); ++i) signal(i, number);
}

void KafkaEngine::kill_broker(std::size_t broker) { process(broker).stop(SIGKILL, Duration::seconds(30)); }

void KafkaEngine::kill() {
  signal(SIGKILL);
  for (std::size_t i = 0; i < brokers(); ++i) kill_broker(i);
}

// All at once: the last broker could not hand over its leadership to anybody and would wait for that.
void KafkaEngine::stop() {
  signal(SIGTERM);
  for (std::size_t i = 0; i < brokers(); ++i) process(i).stop(SIGTERM, Duration::seconds(10));
  kill();
}

std::string KafkaEngine::bootstrap() const {
  std::string all;
  for (const KafkaBroker& broker : config_.brokers)
    all += (all.empty() ? "" : ",") + local(broker.advertised_port ? broker.advertised_port : broker.port);
  return all;
}

}  // namespace synod::ordering::engines
