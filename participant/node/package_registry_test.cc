#include "participant/node/package_registry.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing/shared_files.h"
#include "participant/core.h"
#include "storage/memory/memory_store.h"

namespace synod::participant {
namespace {

std::shared_ptr<storage::MemoryStore> store() {
  storage::MemoryStoreOptions options;
  options.columns = ParticipantCore::columns();
  return std::make_shared<storage::MemoryStore>(options);
}

TEST(PackageRegistry, KeepsWhatWasUploaded) {
  SYNOD_NEEDS_SHARED(path, "dars/canton-builtin-admin-workflow-ping.dar");
  const auto disk = store();
  std::string main;
  {
    PackageRegistry registry(disk);
    const auto dar = registry.check(testing::read_file(path));
    ASSERT_TRUE(dar) << dar.error().to_string();
    main = dar->main().id();
    ASSERT_TRUE(registry.add(*dar, Timestamp{7}));
    ASSERT_TRUE(registry.check(testing::read_file(path))) << "the same once more";
  }
  PackageRegistry again(disk);
  ASSERT_TRUE(again.load());
  const auto packages = again.list();
  EXPECT_EQ(packages.size(), again.packages()->all().size());
  const auto found =
      std::find_if(packages.begin(), packages.end(), [&](const auto& p) { return p.package_id == main; });
  ASSERT_NE(found, packages.end());
  EXPECT_EQ(found->name, "canton-builtin-admin-workflow-ping");
  EXPECT_EQ(found->known_since, Timestamp{7});
  const auto payload = again.archive_payload(main);
  ASSERT_TRUE(payload && *payload);
  EXPECT_EQ((*payload)->size(), found->size);
  EXPECT_FALSE(*again.archive_payload("unknown"));
}

TEST(PackageRegistry, RefusesWhatIsNoDar) {
  PackageRegistry registry(store());
  const auto refused = registry.check("not a zip file");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().id, "INVALID_DAR");
}

}  // namespace
}  // namespace synod::participant
