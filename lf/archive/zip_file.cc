#include "lf/archive/zip_file.h"

#include <zip.h>

#include "lf/archive/dar_error.h"

namespace synod::lf {

namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr zip_uint16_t kDosDate = 0x21;  // 1980-01-01, the earliest a ZIP can state

struct CloseEntry {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

std::string message(zip_error_t* error) {
  std::string text = zip_error_strerror(error);
  zip_error_fini(error);
  return text;
}

tl::unexpected<Error> cannot_write(zip_t* archive) {
  auto error = internal_error(std::string("cannot write a ZIP: ") + zip_error_strerror(zip_get_error(archive)));
  zip_discard(archive);
  return fail(std::move(error));
}

}  // namespace

void ZipFile::Discard::operator()(zip* archive) const { zip_discard(archive); }

Result<ZipFile> ZipFile::open(ByteView bytes, const DarLimits& limits) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
  if (!source) return fail(internal_error(message(&error)));
  zip_t* archive = zip_open_from_source(source, ZIP_RDONLY, &error);
  if (!archive) {
    zip_source_free(source);
    return fail(invalid_dar(message(&error)));
  }
  zip_error_fini(&error);
  ZipFile file(archive, limits);
  auto entries = zip_get_num_entries(archive, 0);
  if (entries < 0 || static_cast<std::uint64_t>(entries) > limits.max_entries) {
    return fail(invalid_dar("it has " + std::to_string(entries) + " entries"));
  }
  return file;
}

bool ZipFile::contains(const std::string& name) const { return zip_name_locate(archive_.get(), name.c_str(), 0) >= 0; }

Result<Bytes> ZipFile::read(const std::string& name) {
  auto index = zip_name_locate(archive_.get(), name.c_str(), 0);
  if (index < 0) return fail(invalid_zip_entry(name));
  std::unique_ptr<zip_file_t, CloseEntry> file(zip_fopen_index(archive_.get(), static_cast<zip_uint64_t>(index), 0));
  if (!file) return fail(invalid_dar("cannot read " + name + ": " + zip_error_strerror(zip_get_error(archive_.get()))));

  // The size in the directory is a claim; what counts is what comes out.
  Bytes content;
  while (true) {
    auto size = content.size();
    content.resize(size + kChunk);
    auto got = zip_fread(file.get(), content.data() + size, kChunk);
    if (got < 0) return fail(invalid_dar("cannot inflate " + name));
    content.resize(size + static_cast<std::size_t>(got));
    if (got == 0) break;
    if (content.size() > limits_.max_entry_bytes) return fail(zip_bomb("entry " + name + " is too large"));
    if (read_so_far_ + content.size() > limits_.max_total_bytes)
      return fail(zip_bomb("its entries are too large together"));
  }
  read_so_far_ += content.size();
  content.shrink_to_fit();
  return content;
}

Result<Bytes> write_zip(const std::vector<std::pair<std::string, ByteView>>& files) {
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* target = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (!target) return fail(internal_error(message(&error)));
  zip_t* archive = zip_open_from_source(target, ZIP_CREATE | ZIP_TRUNCATE, &error);
  if (!archive) {
    zip_source_free(target);
    return fail(internal_error(message(&error)));
  }
  zip_error_fini(&error);
  zip_source_keep(target);  // zip_close drops one reference; the bytes are read afterwards
  std::unique_ptr<zip_source_t, void (*)(zip_source_t*)> keep(target, zip_source_free);

  for (const auto& [name, content] : files) {
    zip_source_t* source = zip_source_buffer(archive, content.data(), content.size(), 0);
    if (!source) return cannot_write(archive);
    auto index = zip_file_add(archive, name.c_str(), source, ZIP_FL_ENC_UTF_8);
    if (index < 0) {
      zip_source_free(source);
      return cannot_write(archive);
    }
    zip_file_set_dostime(archive, static_cast<zip_uint64_t>(index), 0, kDosDate, 0);
  }
  if (zip_close(archive) != 0) return cannot_write(archive);

  zip_stat_t stat;
  if (zip_source_stat(target, &stat) != 0 || zip_source_open(target) != 0)
    return fail(internal_error("cannot read back a ZIP"));
  Bytes bytes(stat.size, '\0');
  auto got = zip_source_read(target, bytes.data(), bytes.size());
  zip_source_close(target);
  if (got != static_cast<zip_int64_t>(bytes.size())) return fail(internal_error("cannot read back a ZIP"));
  return bytes;
}

}  // namespace synod::lf
