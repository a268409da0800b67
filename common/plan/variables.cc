#include "common/plan/variables.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace slipway::plan {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::string_view kOpen = "{{";
constexpr std::string_view kClose = "}}";

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("_.-()").find(c) != std::string_view::npos;
}

bool IsText(const FieldDescriptor& field) {
  return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

std::vector<const FieldDescriptor*> FieldsOf(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return fields;
}

void VisitField(const Message& message, const FieldDescriptor& field, const std::string& path,
                const TextVisitor& visit) {
  const auto& reflection = *message.GetReflection();
  if (!field.is_repeated()) {
    if (IsText(field)) visit(path, reflection.GetString(message, &field));
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      VisitTexts(reflection.GetMessage(message, &field), path, visit);
    }
    return;
  }
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    if (IsText(field)) {
      visit(absl::StrCat(path, "[", i, "]"), reflection.GetRepeatedString(message, &field, i));
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const Message& entry = reflection.GetRepeatedMessage(message, &field, i);
      if (!field.is_map()) {
        VisitTexts(entry, absl::StrCat(path, "[", i, "]"), visit);
        continue;
      }
      const std::string key =
          entry.GetReflection()->GetString(entry, field.message_type()->map_key());
      const FieldDescriptor& value = *field.message_type()->map_value();
      VisitField(entry, value, absl::StrCat(path, ".", key), visit);
    }
  }
}

}  // namespace

std::vector<VariableUse> VariablesOf(std::string_view text) {
  std::vector<VariableUse> uses;
  for (std::size_t at = text.find(kOpen); at != std::string_view::npos; at = text.find(kOpen, at)) {
    const std::size_t end = text.find(kClose, at);
    if (end == std::string_view::npos) {
      uses.push_back({"", "`{{` is never closed by `}}`"});
      return uses;
    }
    std::string_view name = text.substr(at + 2, end - at - 2);
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    VariableUse use{std::string(name), ""};
    if (name.empty()) {
      use.error = "`{{}}` names no variable";
    } else if (!std::all_of(name.begin(), name.end(), IsNameCharacter)) {
      use.error = absl::StrCat("`", use.name, "` cannot be a variable");
    }
    uses.push_back(std::move(use));
    at = end + 2;
  }
  return uses;
}

std::string Substitute(std::string text, std::string_view name, std::string_view value) {
  for (std::size_t open = text.find(kOpen); open != std::string::npos;
       open = text.find(kOpen, open)) {
    const std::size_t close = text.find(kClose, open);
    if (close == std::string::npos) break;
    const std::size_t end = close + kClose.size();
    const auto uses = VariablesOf(std::string_view(text).substr(open, end - open));
    if (!uses.empty() && uses[0].name == name) {
      text.replace(open, end - open, value);
      open += value.size();
    } else {
      open = end;
    }
  }
  return text;
}

std::optional<std::string> AnyGroup(std::string_view name) {
  if (!name.starts_with("any(") || !name.ends_with(')')) return std::nullopt;
  return std::string(name.substr(4, name.size() - 5));
}

void VisitTexts(const Message& message, const std::string& path, const TextVisitor& visit) {
  for (const FieldDescriptor* field : FieldsOf(message)) {
    VisitField(message, *field, absl::StrCat(path, ".", field->name()), visit);
  }
}

void EditTexts(Message& message, const TextEditor& edit) {
  const auto& reflection = *message.GetReflection();
  for (const FieldDescriptor* field : FieldsOf(message)) {
    const bool is_message = field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
    if (!field->is_repeated()) {
      if (IsText(*field))
        reflection.SetString(&message, field, edit(reflection.GetString(message, field)));
      if (is_message) EditTexts(*reflection.MutableMessage(&message, field), edit);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      if (IsText(*field)) {
        reflection.SetRepeatedString(&message, field, i,
                                     edit(reflection.GetRepeatedString(message, field, i)));
      } else if (is_message) {
        EditTexts(*reflection.MutableRepeatedMessage(&message, field, i), edit);
      }
    }
  }
}

}  // namespace slipway::plan
