#include "lf/text/assembler.h"

#include <pthread.h>

#include <map>

#include "lf/archive/decode.h"
#include "lf/text/encoder.h"
#include "lf/text/parser.h"

namespace synod::lf {

namespace {

// The parser descends natively, and decompiled packages are nested some thousand levels deep (archives of 2.1 up to 500
// expressions): it gets a stack of its own, of which only the touched part costs memory. With kMaxTextNesting levels a
// level may take 24 KB, which is several times what it needs in a build with sanitizers.
constexpr std::size_t kParserStack = std::size_t{128} << 20;

Result<PackagePtr> parse(text::Parser& parser) {
  struct Call {
    text::Parser& parser;
    Result<PackagePtr> result;
  } call{parser, PackagePtr()};
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  const bool started =
      pthread_attr_setstacksize(&attributes, kParserStack) == 0 && pthread_create(
                                                                       &thread, &attributes,
                                                                       [](void* argument) -> void* {
                                                                         auto& c = *static_cast<Call*>(argument);
                                                                         c.result = c.parser.package();
                                                                         return nullptr;
                                                                       },
                                                                       &call) == 0;
  pthread_attr_destroy(&attributes);
  if (!started)
    return fail(Error("LF_TEXT_ERROR", ErrorCategory::contention_on_shared_resources,
                      "No memory for the parser's stack; try again when the machine is less loaded"));
  pthread_join(thread, nullptr);
  return std::move(call.result);
}

}  // namespace

Result<Bytes> encode_package(const Package& package) {
  SYNOD_TRY(auto message, text::Encoder(package).encode());
  return encode_payload(package.language_version(), message);
}

Result<Dar::Entry> assemble_package(std::string_view source, const AssembleOptions& options) {
  PackageStore dependencies;
  for (const auto& entry : options.dependencies) dependencies.add(entry.package);
  SYNOD_TRY(auto tokens, text::tokenize(source));
  text::Parser parser(std::move(tokens), options.version, &dependencies);
  SYNOD_TRY(auto tree, parse(parser));
  SYNOD_TRY(auto payload, encode_package(*tree));
  SYNOD_TRY(auto package, decode_payload(package_id_of(payload), payload));
  return Dar::Entry{std::move(package), std::move(payload)};
}

Result<Bytes> assemble_dar(std::string_view source, const AssembleOptions& options) {
  SYNOD_TRY(auto main, assemble_package(source, options));
  PackageStore store;
  std::map<std::string_view, const Dar::Entry*> entries{{main.package->id(), &main}};
  for (const auto& entry : options.dependencies) {
    store.add(entry.package);
    entries.emplace(entry.package->id(), &entry);
  }
  store.add(main.package);
  SYNOD_TRY(auto needed, store.closure(main.package->id()));
  std::vector<DarFile::Entry> files;
  for (auto it = needed.rbegin(); it != needed.rend(); ++it) {  // the main package is the last of its closure
    const Package& package = **it;
    files.push_back(DarFile::Entry{package.name() + "-" + package.version() + "-" + package.id() + ".dalf",
                                   encode_archive(entries.at(package.id())->payload)});
  }
  return write_dar(files);
}

}  // namespace synod::lf
