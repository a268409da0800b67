#include "common/plan/yaml_binder.h"

#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/nearest_name.h"
#include "common/plan/scalar_binder.h"
#include "common/plan/schema.h"
#include "common/plan/strict_yaml.h"
#include "google/protobuf/message.h"

namespace slipway::plan {
namespace {

using google::protobuf::Message;

const char* KindName(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::scalar:
      return "a single value";
    case YamlNode::Kind::list:
      return "a list";
    case YamlNode::Kind::mapping:
      return "a mapping";
  }
  return "";
}

std::string Quoted(const std::string& name) {
  return absl::StrCat("`", name, "`");
}

bool IsNothing(const YamlNode& node) {
  return node.kind == YamlNode::Kind::scalar && node.plain && node.text.empty();
}

// Walks tree and descriptors together. Lives for one file.
class Binder {
 public:
  Binder(SourceMap& source, std::vector<Problem>& problems)
      : source_(source), problems_(problems) {}

  // A mapping whose keys may belong to any of `targets`, the first that has it.
  void BindMapping(const YamlNode& node, const std::string& path, const std::string& name,
                   const std::vector<Message*>& targets) {
    if (!Expect(node, YamlNode::Kind::mapping, name)) return;
    std::set<const FieldDescriptor*> seen;
    for (const YamlEntry& entry : node.entries) {
      if (entry.key.refused) continue;
      const std::string here = Join(path, entry.key.text);
      source_.Set(here, entry.key.span, entry.value.span);
      Message* owner = nullptr;
      const std::optional<FieldPath> fields = Find(targets, entry.key.text, owner);
      if (!fields.has_value()) {
        if (const FieldDescriptor* meant = RefuseUnknownKey(entry.key, name, targets)) {
          seen.insert(meant);
        }
        continue;
      }
      seen.insert(fields->back());
      BindField(entry, here, *fields->back(), *owner);
    }
    for (Message* target : targets) RefuseMissing(node, path, name, *target->GetDescriptor(), seen);
  }

 private:
  void Add(Span span, const ErrorCode& code, Words words) {
    if (problems_.size() < kProblemsMax)
      problems_.push_back(source_.At(span, code, std::move(words)));
  }

  static std::string Join(const std::string& path, const std::string& key) {
    return path.empty() ? key : absl::StrCat(path, ".", key);
  }

  bool Expect(const YamlNode& node, YamlNode::Kind kind, const std::string& name) {
    if (node.refused) return false;
    if (node.kind == kind) return true;
    std::string help;
    if (kind == YamlNode::Kind::list && node.kind == YamlNode::Kind::scalar && !IsNothing(node)) {
      help = absl::StrCat("write `[", node.text, "]`");
    }
    if (kind == YamlNode::Kind::mapping && IsNothing(node)) help = "write `{}` if it has no keys";
    Add(node.span, kWrongKind,
        {absl::StrCat(name, " must be ", KindName(kind)),
         absl::StrCat("this is ", IsNothing(node) ? "nothing" : KindName(node.kind)),
         std::move(help)});
    return false;
  }

  static std::optional<FieldPath> Find(const std::vector<Message*>& targets, const std::string& key,
                                       Message*& owner) {
    for (Message* target : targets) {
      std::optional<FieldPath> fields = FindKey(*target->GetDescriptor(), key);
      if (!fields.has_value()) continue;
      owner = target;
      for (std::size_t i = 0; i + 1 < fields->size(); ++i) {
        if (IsUnserved(*fields->back())) break;
        owner = owner->GetReflection()->MutableMessage(owner, (*fields)[i]);
      }
      return fields;
    }
    return std::nullopt;
  }

  static std::vector<std::string> Keys(const std::vector<Message*>& targets) {
    std::vector<std::string> keys;
    for (Message* target : targets) {
      for (std::string& key : KeysOf(*target->GetDescriptor())) keys.push_back(std::move(key));
    }
    return keys;
  }

  // Returns the field that was meant, if that can be told: it is not reported as missing, too.
  const FieldDescriptor* RefuseUnknownKey(const YamlNode& key, const std::string& name,
                                          const std::vector<Message*>& targets) {
    const std::vector<std::string> keys = Keys(targets);
    const std::string near = NearestName(key.text, keys);
    Add(key.span, kUnknownKey,
        {absl::StrCat("unknown key `", key.text, "` in ", name),
         near.empty() ? "not a key here" : absl::StrCat("did you mean `", near, "`?"),
         near.empty() ? absl::StrCat("keys here: ", absl::StrJoin(keys, ", ")) : ""});
    Message* owner = nullptr;
    const std::optional<FieldPath> meant = Find(targets, near, owner);
    return meant.has_value() ? meant->back() : nullptr;
  }

  void RefuseMissing(const YamlNode& node, const std::string& path, const std::string& name,
                     const Descriptor& type, const std::set<const FieldDescriptor*>& seen) {
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      if (!IsRequired(field) || seen.contains(&field)) continue;
      const Span key = source_.Key(path);
      Add(key.line == 0 ? node.span : key, kMissingKey,
          {absl::StrCat("`", KeyOf(field), "` is missing in ", name),
           absl::StrCat("needs `", KeyOf(field), "`")});
    }
  }

  void BindField(const YamlEntry& entry, const std::string& path, const FieldDescriptor& field,
                 Message& owner) {
    const std::string& key = entry.key.text;
    if (IsUnserved(field)) {
      Add(entry.key.span, kUnserved,
          {absl::StrCat("`", key, ":` is not served yet"), "nothing in this version carries it out",
           "remove it"});
      return;
    }
    BindValue(entry.value, path, key, field, owner);
  }

  void BindValue(const YamlNode& value, const std::string& path, const std::string& key,
                 const FieldDescriptor& field, Message& owner) {
    if (field.is_map()) return BindMap(value, path, key, field, owner);
    if (field.is_repeated()) return BindList(value, path, key, field, owner);
    if (IsScalarField(field)) return BindOne(value, key, field, owner);
    BindMessage(value, path, key, *owner.GetReflection()->MutableMessage(&owner, &field));
  }

  void BindMessage(const YamlNode& value, const std::string& path, const std::string& name,
                   Message& message) {
    if (const FieldDescriptor* bare = BareFieldOf(*message.GetDescriptor()); bare != nullptr) {
      return BindValue(value, path, name, *bare, message);
    }
    if (IsOneKey(*message.GetDescriptor())) return BindOneKey(value, path, name, message);
    BindMapping(value, path, Quoted(name), {&message});
  }

  void BindOne(const YamlNode& value, const std::string& key, const FieldDescriptor& field,
               Message& owner) {
    if (!Expect(value, YamlNode::Kind::scalar, Quoted(key))) return;
    std::optional<Refusal> refusal = BindScalar(value, key, field, owner);
    if (refusal.has_value()) Add(value.span, refusal->code, std::move(refusal->words));
  }

  void BindList(const YamlNode& value, const std::string& path, const std::string& key,
                const FieldDescriptor& field, Message& owner) {
    if (IsOneOrList(field) && value.kind == YamlNode::Kind::scalar) {
      return BindOne(value, key, field, owner);
    }
    if (!Expect(value, YamlNode::Kind::list, Quoted(key))) return;
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const YamlNode& item = value.items[i];
      const std::string here = absl::StrCat(path, "[", i, "]");
      source_.Set(here, item.span, item.span);
      if (IsScalarField(field)) {
        BindOne(item, key, field, owner);
      } else {
        BindMessage(item, here, absl::StrCat(key, "[", i, "]"),
                    *owner.GetReflection()->AddMessage(&owner, &field));
      }
    }
  }

  void BindMap(const YamlNode& value, const std::string& path, const std::string& key,
               const FieldDescriptor& field, Message& owner) {
    if (!Expect(value, YamlNode::Kind::mapping, Quoted(key))) return;
    const FieldDescriptor& key_field = *field.message_type()->map_key();
    const FieldDescriptor& value_field = *field.message_type()->map_value();
    for (const YamlEntry& entry : value.entries) {
      if (entry.key.refused) continue;
      const std::string here = Join(path, entry.key.text);
      source_.Set(here, entry.key.span, entry.value.span);
      if (IsAmbiguousWord(entry.key) || IsNothing(entry.key)) {
        Add(entry.key.span, kAmbiguousWord,
            {absl::StrCat("`", entry.key.text, "` as a name needs quotes"),
             "some readers see a boolean"});
        continue;
      }
      Message& pair = *owner.GetReflection()->AddMessage(&owner, &field);
      pair.GetReflection()->SetString(&pair, &key_field, entry.key.text);
      BindValue(entry.value, here, entry.key.text, value_field, pair);
    }
  }

  // `- stop: { … }`: the key says what it is, and common keys may stand beside its own.
  void BindOneKey(const YamlNode& node, const std::string& path, const std::string& name,
                  Message& message) {
    if (node.kind == YamlNode::Kind::scalar && !node.refused && !IsNothing(node)) {
      Add(node.span, kNotOneAction,
          {"a step without keys", "an action is a mapping",
           absl::StrCat("write `- ", node.text, ": { its keys }`")});
      return;
    }
    if (!Expect(node, YamlNode::Kind::mapping, Quoted(name))) return;
    if (node.entries.size() != 1) {
      const bool none = node.entries.empty();
      Add(none ? node.span : node.entries[1].key.span, kNotOneAction,
          {none ? "a step without an action" : "a step with more than one key",
           none ? "nothing to do" : "a second key beside the action",
           "write `- action: { its keys }`, one action for each `-`"});
      return;
    }
    const YamlEntry& entry = node.entries.front();
    if (entry.key.refused) return;
    const std::string here = Join(path, entry.key.text);
    source_.Set(here, entry.key.span, entry.value.span);
    Message* owner = nullptr;
    const std::optional<FieldPath> fields = Find({&message}, entry.key.text, owner);
    if (!fields.has_value()) return RefuseUnknownAction(entry.key, message);
    const FieldDescriptor& field = *fields->back();
    if (IsUnserved(field)) return BindField(entry, here, field, *owner);
    std::vector<Message*> targets{owner->GetReflection()->MutableMessage(owner, &field)};
    if (const FieldDescriptor* common = CommonKeysOf(*message.GetDescriptor()); common != nullptr) {
      targets.push_back(message.GetReflection()->MutableMessage(&message, common));
    }
    BindMapping(entry.value, here, Quoted(entry.key.text), targets);
  }

  void RefuseUnknownAction(const YamlNode& key, const Message& message) {
    const std::vector<std::string> actions = KeysOf(*message.GetDescriptor());
    const std::string near = NearestName(key.text, actions);
    Add(key.span, kUnknownAction,
        {absl::StrCat("unknown action `", key.text, "`"),
         near.empty() ? "not an action" : absl::StrCat("did you mean `", near, "`?"),
         near.empty() ? absl::StrCat("actions: ", absl::StrJoin(actions, ", ")) : ""});
  }

  SourceMap& source_;
  std::vector<Problem>& problems_;
};

}  // namespace

Bound BindYaml(std::string file, std::string_view text, Message& message) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  Bound bound{{}, SourceMap(std::move(file), text), false};
  const std::optional<YamlNode> root = ReadStrictYaml(bound.source, bound.problems);
  if (root.has_value() && root->kind == YamlNode::Kind::mapping) {
    bound.bound = true;
    Binder(bound.source, bound.problems).BindMapping(*root, "", "the file", {&message});
  } else if (bound.problems.empty()) {
    bound.problems.push_back(bound.source.At(
        root.has_value() ? root->span : Span{}, kEmptyFile,
        {root.has_value() && !IsNothing(*root) ? "the file is not a mapping" : "the file is empty",
         "", "a file starts with `key: value`"}));
  }
  SortByPlace(bound.problems);
  return bound;
}

}  // namespace slipway::plan
