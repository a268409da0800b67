#include "common/wire/session_codec.h"

#include <gtest/gtest.h>

#include "common/wire/proto_time.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway {
namespace {

Command SomeCommand() {
  Command command;
  command.id = {{"ro-M4TZ7K"}, Course::backward, 2, 3, {"web-1"}, 4};
  command.fence = {7, "holder", 42, "abcdef"};
  command.nonce = "nonce";
  command.payload = std::string("\0task", 5);
  command.vars = "vars";
  command.previous = "sha256:1";
  command.timeout = absl::Milliseconds(1500);
  return command;
}

TEST(SessionCodec, EveryDirectionOfACommandIsReadAsWritten) {
  for (const Direction direction : {Direction::apply, Direction::undo, Direction::previous}) {
    Command command = SomeCommand();
    command.direction = direction;
    v1::CommandMessage message;
    Encode(command, message);
    const auto read = Decode(message);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, command);
  }
}

TEST(SessionCodec, EveryVerdictOfAnAnswerIsReadAsWritten) {
  for (const Verdict verdict : {Verdict::succeeded, Verdict::failed, Verdict::timed_out,
                                Verdict::unknown, Verdict::not_applied, Verdict::try_later}) {
    Answer answer;
    answer.id = SomeCommand().id;
    answer.verdict = verdict;
    answer.message = "message";
    answer.excerpt = "last lines";
    answer.observed["/srv/media"] = {"sha256:1", "sha256:2", "2.0.0", true};
    answer.took = absl::Nanoseconds(1'000'000'001);
    v1::AnswerMessage message;
    Encode(answer, message);
    const auto read = Decode(message);
    ASSERT_TRUE(read.ok()) << read.status();
    EXPECT_EQ(*read, answer);
  }
}

TEST(SessionCodec, WhatCannotBeReadIsRefusedByField) {
  v1::CommandMessage message;
  Encode(SomeCommand(), message);
  v1::CommandMessage bad = message;
  bad.set_id("ro-1/f2/web");
  EXPECT_FALSE(Decode(bad).ok());
  bad = message;
  bad.set_direction(static_cast<v1::CommandMessage::Direction>(99));
  EXPECT_FALSE(Decode(bad).ok());
  bad = message;
  bad.clear_timeout();
  EXPECT_FALSE(Decode(bad).ok());
  v1::AnswerMessage answer;
  answer.set_id(message.id());
  answer.set_verdict("splendid");
  EXPECT_FALSE(Decode(answer).ok());
}

TEST(SessionCodec, BeatIsSmallAtItsLargest) {
  v1::AgentMessage message;
  message.mutable_beat()->set_number(0xffffffff);
  message.mutable_beat()->set_echo(0xffffffff);
  EXPECT_LE(message.ByteSizeLong(), 20u);
}

TEST(ProtoTime, TimesBeforeTheEpochAndNegativeDurationsSurvive) {
  google::protobuf::Timestamp timestamp;
  const absl::Time time = absl::FromUnixMicros(-1'500'000);
  SetProto(time, &timestamp);
  EXPECT_EQ(FromProto(timestamp), time);
  EXPECT_GE(timestamp.nanos(), 0);
  google::protobuf::Duration duration;
  SetProto(absl::Milliseconds(-1500), &duration);
  EXPECT_EQ(FromProto(duration), absl::Milliseconds(-1500));
}

}  // namespace
}  // namespace slipway
