#include "common/plan/schema.h"

#include "absl/strings/ascii.h"
#include "slipway/v1/options.pb.h"

namespace slipway::plan {

std::string KeyOf(const FieldDescriptor& field) {
  const std::string& key = field.options().GetExtension(v1::key);
  return key.empty() ? field.name() : key;
}

std::optional<FieldPath> FindKey(const Descriptor& message, std::string_view key) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const auto& options = field.options();
    if (options.GetExtension(v1::flat)) {
      if (auto below = FindKey(*field.message_type(), key); below.has_value()) {
        below->insert(below->begin(), &field);
        return below;
      }
    } else if (!options.GetExtension(v1::planner_only) && !options.GetExtension(v1::common_keys) &&
               KeyOf(field) == key) {
      return FieldPath{&field};
    }
  }
  return std::nullopt;
}

std::vector<std::string> KeysOf(const Descriptor& message) {
  std::vector<std::string> keys;
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const auto& options = field.options();
    if (options.GetExtension(v1::flat)) {
      for (std::string& key : KeysOf(*field.message_type())) keys.push_back(std::move(key));
    } else if (!options.GetExtension(v1::planner_only) && !options.GetExtension(v1::common_keys) &&
               !IsUnserved(field)) {
      keys.push_back(KeyOf(field));
    }
  }
  return keys;
}

const FieldDescriptor* CommonKeysOf(const Descriptor& message) {
  for (int i = 0; i < message.field_count(); ++i) {
    if (message.field(i)->options().GetExtension(v1::common_keys)) return message.field(i);
  }
  return nullptr;
}

const FieldDescriptor* BareFieldOf(const Descriptor& message) {
  if (message.field_count() != 1) return nullptr;
  return message.field(0)->options().GetExtension(v1::bare) ? message.field(0) : nullptr;
}

bool IsRequired(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::required);
}
bool IsUnserved(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::unserved);
}
bool IsUnserved(const EnumValueDescriptor& value) {
  return value.options().GetExtension(v1::unserved_value);
}
bool IsBytes(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::bytes);
}
bool IsOneOrList(const FieldDescriptor& field) {
  return field.options().GetExtension(v1::one_or_list);
}
bool IsOneKey(const Descriptor& message) {
  return message.options().GetExtension(v1::one_key);
}

std::string NameOf(const EnumValueDescriptor& value) {
  return absl::AsciiStrToLower(value.name());
}

}  // namespace slipway::plan
