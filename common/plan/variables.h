// The `{{variables}}` of a message's texts. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}

namespace slipway::plan {

// A variable, or what looks like one and cannot be read (then `error` says why).
struct VariableUse {
  std::string name;  // "port", "any(web)", "label.zone"
  std::string error;
};

std::vector<VariableUse> VariablesOf(std::string_view text);

// `text` with each `{{name}}` replaced by `value`; other variables stay.
std::string Substitute(std::string text, std::string_view name, std::string_view value);

// The group in "any(web)"; nullopt: another kind of variable.
std::optional<std::string> AnyGroup(std::string_view name);

// Every text of the message, with its path below `path` ("….http", "….reach[0]", "….json.version").
using TextVisitor = std::function<void(const std::string& path, const std::string& text)>;
void VisitTexts(const google::protobuf::Message& message, const std::string& path,
                const TextVisitor& visit);

// The same, for changing them.
using TextEditor = std::function<std::string(const std::string& text)>;
void EditTexts(google::protobuf::Message& message, const TextEditor& edit);

}  // namespace slipway::plan
