#include "common/plan/json_schema.h"

#include <map>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "common/plan/schema.h"
#include "google/protobuf/duration.pb.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

using Json = nlohmann::ordered_json;

constexpr char kDuration[] = "^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$";
constexpr char kSize[] = "^[0-9]+(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$";
constexpr char kShare[] = "^([1-9][0-9]?|100)%$";

class SchemaWriter {
 public:
  Json Document() {
    Json document = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                     {"title", "slipway plan"}};
    document.update(MappingOf(*v1::Plan::descriptor()));
    document["$defs"] = Json::object();
    for (auto& [name, definition] : definitions_) document["$defs"][name] = std::move(definition);
    return document;
  }

 private:
  // A mapping with a key for each field that is served.
  Json MappingOf(const Descriptor& message) {
    Json mapping = {{"type", "object"}, {"additionalProperties", false}};
    Json properties = Json::object();
    Json required = Json::array();
    AddFields(message, nullptr, properties, required);
    mapping["properties"] = std::move(properties);
    if (!required.empty()) mapping["required"] = std::move(required);
    if (IsOneKey(message)) mapping["minProperties"] = mapping["maxProperties"] = 1;
    return mapping;
  }

  // `common`: keys that may stand beside those of each of these fields.
  void AddFields(const Descriptor& message, const Descriptor* common, Json& properties,
                 Json& required) {
    if (const FieldDescriptor* field = CommonKeysOf(message)) common = field->message_type();
    for (int i = 0; i < message.field_count(); ++i) {
      const FieldDescriptor& field = *message.field(i);
      const auto& options = field.options();
      if (options.GetExtension(v1::planner_only) || options.GetExtension(v1::common_keys) ||
          IsUnserved(field)) {
        continue;
      }
      if (options.GetExtension(v1::flat)) {
        AddFields(*field.message_type(), common, properties, required);
        continue;
      }
      properties[KeyOf(field)] = common == nullptr ? ValueOf(field) : Step(field, *common);
      if (IsRequired(field)) required.push_back(KeyOf(field));
    }
  }

  // An action's own keys and the common ones, in one mapping.
  Json Step(const FieldDescriptor& field, const Descriptor& common) {
    Json mapping = MappingOf(*field.message_type());
    const Json shared = MappingOf(common);
    for (const auto& [key, value] : shared["properties"].items()) {
      if (!mapping["properties"].contains(key)) mapping["properties"][key] = value;
    }
    return mapping;
  }

  Json ValueOf(const FieldDescriptor& field) {
    if (field.is_map()) {
      return {{"type", "object"},
              {"additionalProperties", One(*field.message_type()->map_value())}};
    }
    if (!field.is_repeated()) return One(field);
    Json list = {{"type", "array"}, {"items", One(field)}};
    return IsOneOrList(field) ? Json{{"anyOf", {One(field), list}}} : list;
  }

  Json One(const FieldDescriptor& field) {
    switch (field.cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        return {{"type", "boolean"}};
      case FieldDescriptor::CPPTYPE_STRING:
        return {{"type", {"string", "number", "boolean"}}};  // a plain scalar is text to a plan
      case FieldDescriptor::CPPTYPE_ENUM:
        return Names(field);
      case FieldDescriptor::CPPTYPE_MESSAGE:
        return Message(*field.message_type());
      default:
        return IsBytes(field) ? Json{{"type", "string"}, {"pattern", kSize}}
                              : Json{{"type", "integer"}, {"minimum", 0}};
    }
  }

  static Json Names(const FieldDescriptor& field) {
    Json names = Json::array();
    for (int i = 0; i < field.enum_type()->value_count(); ++i) {
      const auto& value = *field.enum_type()->value(i);
      if (!IsUnserved(value)) names.push_back(NameOf(value));
    }
    return {{"enum", names}};
  }

  Json Message(const Descriptor& message) {
    if (&message == google::protobuf::Duration::descriptor()) {
      return {{"type", "string"}, {"pattern", kDuration}, {"minLength", 2}};
    }
    if (&message == v1::Share::descriptor()) {
      return {{"anyOf",
               {{{"type", "integer"}, {"minimum", 0}}, {{"type", "string"}, {"pattern", kShare}}}}};
    }
    if (const FieldDescriptor* bare = BareFieldOf(message)) return ValueOf(*bare);
    const std::string& name = message.name();
    if (!definitions_.contains(name)) {
      definitions_[name] = Json::object();  // a message that holds itself ends here
      definitions_[name] = MappingOf(message);
    }
    return {{"$ref", absl::StrCat("#/$defs/", name)}};
  }

  std::map<std::string, Json> definitions_;
};

}  // namespace

std::string PlanJsonSchema() {
  return SchemaWriter().Document().dump(2) + "\n";
}

}  // namespace slipway::plan
