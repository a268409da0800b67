#include "common/plan/scalar_binder.h"

#include <algorithm>
#include <array>
#include <limits>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/nearest_name.h"
#include "common/plan/scalar_values.h"
#include "common/plan/schema.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"
#include "slipway/v1/plan.pb.h"

namespace slipway::plan {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::Message;

constexpr std::array<std::string_view, 9> kAmbiguousWords = {"yes", "no",   "on",    "off", "y",
                                                             "n",   "true", "false", "null"};

bool IsDigits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), absl::ascii_isdigit);
}

Message& SubMessage(const FieldDescriptor& field, Message& message) {
  const auto& reflection = *message.GetReflection();
  return field.is_repeated() ? *reflection.AddMessage(&message, &field)
                             : *reflection.MutableMessage(&message, &field);
}

std::optional<Refusal> BindDuration(const YamlNode& node, const std::string& key, Message& to) {
  const auto duration = ParseDuration(node.text);
  if (!duration.has_value()) {
    const bool bare = IsDigits(node.text);
    return Refusal{kBadDuration,
                   {absl::StrCat("`", key, ": ", node.text, "` is not a duration"),
                    bare ? "which unit?" : "a number and a unit: d, h, m, s or ms",
                    bare ? absl::StrCat("write `", node.text, "s` or `", node.text, "m`")
                         : "write it like `90s` or `1h30m`"}};
  }
  google::protobuf::Duration value;
  value.set_seconds(absl::ToInt64Seconds(*duration));
  value.set_nanos(
      static_cast<std::int32_t>(absl::ToInt64Nanoseconds(*duration % absl::Seconds(1))));
  to.CopyFrom(value);
  return std::nullopt;
}

std::optional<Refusal> BindShare(const YamlNode& node, const std::string& key, Message& to) {
  const auto share = ParseShare(node.text);
  if (!share.has_value()) {
    const bool large =
        node.text.ends_with('%') && IsDigits(node.text.substr(0, node.text.size() - 1));
    return Refusal{kBadShare,
                   {large ? absl::StrCat(key, " of `", node.text, "` is no share of a group")
                          : absl::StrCat("`", key, ": ", node.text, "` is not a number of hosts"),
                    "a share from 1% to 100%, or a number of hosts",
                    absl::StrCat("write `", key, ": 25%` or `", key, ": 3`")}};
  }
  v1::Share value;
  value.set_count(share->count);
  value.set_percent(share->percent);
  to.CopyFrom(value);
  return std::nullopt;
}

std::optional<Refusal> BindEnum(const YamlNode& node, const std::string& key,
                                const FieldDescriptor& field, Message& message) {
  const EnumDescriptor& type = *field.enum_type();
  std::vector<std::string> names;
  for (int i = 0; i < type.value_count(); ++i) {
    const EnumValueDescriptor& value = *type.value(i);
    if (NameOf(value) == node.text) {
      if (IsUnserved(value)) {
        return Refusal{kUnserved,
                       {absl::StrCat("`", key, ": ", node.text, "` is not served yet"),
                        "nothing in this version carries it out", "remove it"}};
      }
      const auto& reflection = *message.GetReflection();
      field.is_repeated() ? reflection.AddEnumValue(&message, &field, value.number())
                          : reflection.SetEnumValue(&message, &field, value.number());
      return std::nullopt;
    }
    if (!IsUnserved(value)) names.push_back(NameOf(value));
  }
  const std::string near = NearestName(node.text, names);
  return Refusal{kUnknownValue,
                 {absl::StrCat("`", node.text, "` is not a value of `", key, "`"),
                  near.empty() ? "" : absl::StrCat("did you mean `", near, "`?"),
                  absl::StrCat("one of: ", absl::StrJoin(names, ", "))}};
}

std::optional<Refusal> BindBool(const YamlNode& node, const std::string& key,
                                const FieldDescriptor& field, Message& message) {
  if (!node.plain || (node.text != "true" && node.text != "false")) {
    return Refusal{kBadBool,
                   {absl::StrCat("`", key, ": ", node.text, "` is neither true nor false"),
                    "write `true` or `false`, without quotes"}};
  }
  message.GetReflection()->SetBool(&message, &field, node.text == "true");
  return std::nullopt;
}

std::optional<Refusal> BindString(const YamlNode& node, const std::string& key,
                                  const FieldDescriptor& field, Message& message) {
  if (IsAmbiguousWord(node)) {
    return Refusal{
        kAmbiguousWord,
        {absl::StrCat("`", node.text, "` without quotes is a boolean or nothing to some readers"),
         "text that looks like this needs quotes",
         absl::StrCat("write `", key, ": \"", node.text, "\"`")}};
  }
  const auto& reflection = *message.GetReflection();
  field.is_repeated() ? reflection.AddString(&message, &field, node.text)
                      : reflection.SetString(&message, &field, node.text);
  return std::nullopt;
}

std::optional<Refusal> BindNumber(const YamlNode& node, const std::string& key,
                                  const FieldDescriptor& field, Message& message) {
  const bool wide = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
  const std::uint64_t max =
      wide ? std::numeric_limits<std::uint64_t>::max() : std::numeric_limits<std::uint32_t>::max();
  const auto value = !node.plain ? std::nullopt : ParseWhole(node.text, max);
  if (!value.has_value()) {
    return Refusal{kBadNumber,
                   {absl::StrCat("`", key, ": ", node.text, "` is not a whole number"),
                    node.plain ? absl::StrCat("a number from 0 to ", max)
                               : std::string("write the number without quotes")}};
  }
  const auto& reflection = *message.GetReflection();
  const auto narrow = static_cast<std::uint32_t>(*value);
  if (wide) {
    field.is_repeated() ? reflection.AddUInt64(&message, &field, *value)
                        : reflection.SetUInt64(&message, &field, *value);
  } else {
    field.is_repeated() ? reflection.AddUInt32(&message, &field, narrow)
                        : reflection.SetUInt32(&message, &field, narrow);
  }
  return std::nullopt;
}

std::optional<Refusal> BindSize(const YamlNode& node, const std::string& key,
                                const FieldDescriptor& field, Message& message) {
  const auto size = ParseSize(node.text);
  if (!size.has_value()) {
    const bool bare = IsDigits(node.text);
    return Refusal{kBadSize,
                   {absl::StrCat("`", key, ": ", node.text, "` is not a size"),
                    bare ? "which unit?" : "a number and a unit: B, KiB, MiB, GiB, TiB",
                    bare ? absl::StrCat("write `", node.text, "MiB` or `", node.text, "GiB`")
                         : "write it like `512MiB`"}};
  }
  message.GetReflection()->SetUInt64(&message, &field, *size);
  return std::nullopt;
}

}  // namespace

bool IsAmbiguousWord(const YamlNode& node) {
  if (!node.plain) return false;
  const std::string lower = absl::AsciiStrToLower(node.text);
  return lower == "~" ||
         std::find(kAmbiguousWords.begin(), kAmbiguousWords.end(), lower) != kAmbiguousWords.end();
}

bool IsScalarField(const FieldDescriptor& field) {
  if (field.cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return true;
  return field.message_type() == google::protobuf::Duration::descriptor() ||
         field.message_type() == v1::Share::descriptor();
}

std::optional<Refusal> BindScalar(const YamlNode& node, const std::string& key,
                                  const FieldDescriptor& field, Message& message) {
  if (node.plain && node.text.empty()) {
    return Refusal{kWrongKind,
                   {absl::StrCat("`", key, "` has no value"), "a value is missing here"}};
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      Message& to = SubMessage(field, message);
      return field.message_type() == v1::Share::descriptor() ? BindShare(node, key, to)
                                                             : BindDuration(node, key, to);
    }
    case FieldDescriptor::CPPTYPE_ENUM:
      return BindEnum(node, key, field, message);
    case FieldDescriptor::CPPTYPE_BOOL:
      return BindBool(node, key, field, message);
    case FieldDescriptor::CPPTYPE_STRING:
      return BindString(node, key, field, message);
    case FieldDescriptor::CPPTYPE_UINT64:
    case FieldDescriptor::CPPTYPE_UINT32:
      return IsBytes(field) ? BindSize(node, key, field, message)
                            : BindNumber(node, key, field, message);
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      break;
  }
  return Refusal{kWrongKind, {absl::StrCat("`", key, "` has a type that a file cannot hold")}};
}

}  // namespace slipway::plan
