#include "common/model/ids.h"

#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace slipway {
namespace {

constexpr char kCourseLetters[] = {'f', 'u', 'b'};

std::optional<Course> ParseCourse(char letter) {
  for (const Course c : {Course::forward, Course::undo_one, Course::backward}) {
    if (kCourseLetters[static_cast<int>(c)] == letter) return c;
  }
  return std::nullopt;
}

}  // namespace

std::string ToString(const CommandId& id) {
  const char course[] = {kCourseLetters[static_cast<int>(id.course)], '\0'};
  return absl::StrCat(id.rollout.text, "/", course, id.batch, ".", id.step, "/", id.host.text, "/",
                      id.attempt);
}

std::optional<CommandId> ParseCommandId(std::string_view text) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(text.data(), text.size()), '/');
  if (parts.size() != 4 || parts[0].empty() || parts[1].size() < 4 || parts[2].empty()) {
    return std::nullopt;
  }
  const auto course = ParseCourse(parts[1][0]);
  const std::vector<std::string> place = absl::StrSplit(parts[1].substr(1), '.');
  std::uint32_t batch = 0, step = 0;
  CommandId id;
  if (!course || place.size() != 2 || !absl::SimpleAtoi(place[0], &batch) || batch > 0xffff ||
      !absl::SimpleAtoi(place[1], &step) || step > 0xffff ||
      !absl::SimpleAtoi(parts[3], &id.attempt) || id.attempt < 1) {
    return std::nullopt;
  }
  id.rollout.text = parts[0];
  id.course = *course;
  id.batch = static_cast<std::uint16_t>(batch);
  id.step = static_cast<std::uint16_t>(step);
  id.host.text = parts[2];
  // One text, one id: what would print differently is not accepted.
  if (ToString(id) != text) return std::nullopt;
  return id;
}

}  // namespace slipway
