// What the binder asks of a message's descriptors. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "google/protobuf/descriptor.h"

namespace slipway::plan {

using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;

// Fields from the message down to the one that a key means: more than one where a message's keys
// stand in the mapping around it.
using FieldPath = std::vector<const FieldDescriptor*>;

std::string KeyOf(const FieldDescriptor& field);
std::optional<FieldPath> FindKey(const Descriptor& message, std::string_view key);
// Every key of the message that is served.
std::vector<std::string> KeysOf(const Descriptor& message);
// The field whose keys may stand beside those of any other; nullptr: none.
const FieldDescriptor* CommonKeysOf(const Descriptor& message);
// The one field that a bare message is written as; nullptr: not a bare message.
const FieldDescriptor* BareFieldOf(const Descriptor& message);

bool IsRequired(const FieldDescriptor& field);
bool IsUnserved(const FieldDescriptor& field);
bool IsUnserved(const EnumValueDescriptor& value);
bool IsBytes(const FieldDescriptor& field);
bool IsOneOrList(const FieldDescriptor& field);
bool IsOneKey(const Descriptor& message);

// As it is written in a plan: lower case.
std::string NameOf(const EnumValueDescriptor& value);

}  // namespace slipway::plan
