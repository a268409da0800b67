// One value of the file into one field of a message. Used by the binder only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/plan/source_map.h"
#include "common/plan/strict_yaml.h"

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace slipway::plan {

// What is wrong with a value.
struct Refusal {
  ErrorCode code;
  Words words;
};

// Whether the field is written as a single value: all but messages with keys of their own.
bool IsScalarField(const google::protobuf::FieldDescriptor& field);

// Sets the field, or adds to it if it is repeated. `key` is for messages. nullopt: done.
std::optional<Refusal> BindScalar(const YamlNode& node, const std::string& key,
                                  const google::protobuf::FieldDescriptor& field,
                                  google::protobuf::Message& message);

// Words that some dialects read as a boolean or as nothing, and that need quotes as text.
bool IsAmbiguousWord(const YamlNode& node);

}  // namespace slipway::plan
