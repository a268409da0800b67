// Binds a strict YAML (or JSON) file to a protobuf message by its descriptors: the message is the
// schema, and there is no second one. Pure and thread-safe.
//
// What the options of slipway/v1/options.proto mean here: `required`, `unserved` (refused by name),
// `planner_only` (not a key), `key`, `bytes`, `one_or_list`, `bare`, `flat`, `common_keys`,
// `one_key`. By type: google.protobuf.Duration takes "90s" (never a bare number), slipway.v1.Share
// takes 3 or 25%, enums take their lower-case names, maps take mappings, repeated fields take
// lists.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/plan/problem.h"
#include "common/plan/source_map.h"

namespace google::protobuf {
class Message;
}

namespace slipway::plan {

struct Bound {
  std::vector<Problem> problems;  // in the order of the file
  SourceMap source;               // where each path stands, for checks that follow
  bool bound = false;             // false: the file is no tree, `message` is empty
};

// Fills `message` from `text` as far as it can be read; `file` is for messages only. The result
// may be used when HasErrors(problems) is false.
Bound BindYaml(std::string file, std::string_view text, google::protobuf::Message& message);

}  // namespace slipway::plan
