#include "lf/type_schema.h"

#include <gtest/gtest.h>

#include "base/testing/shared_files.h"
#include "lf/archive/dar.h"

namespace synod::lf {
namespace {

using synod::testing::read_file;

TEST(TypeSchema, DescribesTheFieldsOfAContract) {
  SYNOD_NEEDS_SHARED(path, "dars/all-kinds-of-1.0.0.dar");
  auto dar = decode_dar(read_file(path));
  ASSERT_TRUE(dar.has_value());
  auto store = std::make_shared<PackageStore>();
  for (auto& entry : dar->entries) store->add(entry.package);
  TypeSchema schema(store);
  const Package& main = dar->main();
  ASSERT_FALSE(main.templates().empty());
  std::size_t fields = 0;
  for (const Template& t : main.templates()) {
    auto module = main.text(main.modules()[t.module].name);
    const DataType* record = main.find_data_type(module, main.text(t.name));
    ASSERT_TRUE(record);
    const SchemaType* type = schema.type(main, *record);
    EXPECT_EQ(type->kind, SchemaKind::record);
    EXPECT_EQ(type, schema.type(main, *record));
    for (const SchemaMember& member : schema.members(*type)) {
      EXPECT_NE(member.type->kind, SchemaKind::other) << member.name;
      ++fields;
    }
    for (const Choice& choice : main.items(t.choices)) {
      EXPECT_NE(schema.type(main, choice.argument.type)->kind, SchemaKind::other);
      EXPECT_NE(schema.type(main, choice.result)->kind, SchemaKind::other);
    }
  }
  EXPECT_EQ(fields, 18u);
  const DataType* everything = main.find_data_type("AllKindsOf", "OneOfEverything");
  ASSERT_TRUE(everything);
  auto members = schema.members(*schema.type(main, *everything));
  EXPECT_EQ(TypeSchema::to_string(*members[3].type), "Numeric 10");
  EXPECT_EQ(TypeSchema::to_string(*members[9].type), "[Int]");
  EXPECT_EQ(TypeSchema::to_string(*members[12].type), "AllKindsOf:VPair (AllKindsOf:MyPair (AllKindsOf:MyPair Int))");
}

TEST(TypeSchema, EverySerialisableTypeOfAnApplicationIsDescribed) {
  SYNOD_NEEDS_SHARED(path, "dars/splice-validator-lifecycle-0.1.8.dar");
  auto dar = decode_dar(read_file(path));
  ASSERT_TRUE(dar.has_value());
  auto store = std::make_shared<PackageStore>();
  for (auto& entry : dar->entries) store->add(entry.package);
  TypeSchema schema(store);
  for (auto& entry : dar->entries) {
    const Package& package = *entry.package;
    for (const DataType& definition : package.data_types()) {
      if (!definition.serializable || definition.params.count != 0) continue;
      const SchemaType* type = schema.type(package, definition);
      ASSERT_NE(type->kind, SchemaKind::other) << package.qualified_name(definition);
      for (const SchemaMember& member : schema.members(*type)) {
        ASSERT_TRUE(!member.type || member.type->kind != SchemaKind::other) << package.qualified_name(definition);
      }
    }
  }
}

}  // namespace
}  // namespace synod::lf
