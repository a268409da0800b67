#include "agent/health/http_reply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace slipway::agent {
namespace {

using testing::HasSubstr;

// The reply in `bytes`, however it is cut into pieces.
absl::StatusOr<HttpReply> Read(std::string_view bytes, std::size_t piece) {
  HttpReplyReader reader;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    if (absl::Status s = reader.Add(bytes.substr(i, piece)); !s.ok()) return s;
  }
  if (absl::Status s = reader.End(); !s.ok()) return s;
  return reader.Take();
}

void ExpectReply(std::string_view bytes, int status, const std::string& body) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    const auto reply = Read(bytes, piece);
    ASSERT_TRUE(reply.ok()) << reply.status() << " in pieces of " << piece;
    EXPECT_EQ(reply->status, status);
    EXPECT_EQ(reply->body, body);
  }
}

void ExpectRefused(std::string_view bytes, const std::string& why) {
  for (const std::size_t piece : {std::size_t{1}, bytes.size()}) {
    const auto reply = Read(bytes, piece);
    EXPECT_EQ(reply.status().code(), absl::StatusCode::kUnavailable) << bytes;
    EXPECT_THAT(std::string(reply.status().message()), HasSubstr(why));
  }
}

TEST(HttpReply, BodyEndsByLengthByChunksOrWithTheConnection) {
  ExpectReply("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and what follows", 200, "hello");
  ExpectReply(
      "HTTP/1.1 200\r\ntransfer-encoding:  Chunked\r\n\r\n"
      "5\r\nhello\r\n0D;x=y\r\n to the world\r\n0\r\nTrailer: x\r\n\r\nmore",
      200, "hello to the world");
  ExpectReply("HTTP/1.0 404 Not Found\n\nno length", 404, "no length");
}

TEST(HttpReply, AnswersWithoutBodyAreWhole) {
  ExpectReply("HTTP/1.1 204 No Content\r\n\r\n", 204, "");
  ExpectReply("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, "");
}

TEST(HttpReply, InterimAnswersAreSkipped) {
  ExpectReply(
      "HTTP/1.1 103 Early Hints\r\nContent-Length: 9\r\n\r\n"
      "HTTP/1.1 503 Busy\r\n\r\nbusy",
      503, "busy");
}

TEST(HttpReply, ChunksWinOverALength) {
  ExpectReply(
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n",
      200, "abc");
}

TEST(HttpReply, CutAnswerIsTold) {
  ExpectRefused("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "in the middle");
  ExpectRefused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
                "in the middle");
  ExpectRefused("HTTP/1.1 200", "in the middle");
  EXPECT_THAT(std::string(HttpReplyReader().End().message()), HasSubstr("without an answer"));
}

TEST(HttpReply, WhatIsNotHttpIsTold) {
  ExpectRefused("SSH-2.0-OpenSSH_9.2\r\n", "does not begin with a status");
  ExpectRefused("HTTP/1.1 2x0 OK\r\n\r\n", "does not begin with a status");
  ExpectRefused("HTTP/1.1 2000\r\n\r\n", "does not begin with a status");
  ExpectRefused("HTTP/1.1 200 OK\r\nno field\r\n\r\n", "no colon");
  ExpectRefused("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "length is not a number");
  ExpectRefused("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                "length is not a number");
  ExpectRefused("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "transfer encoding");
  ExpectRefused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "size of a chunk");
  ExpectRefused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                "size of a chunk");
  ExpectRefused("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
                "longer than it says");
}

TEST(HttpReply, OnlySoMuchIsKept) {
  const std::string huge(kProbeBodyBytesMax + 5, 'x');
  const auto reply = Read("HTTP/1.1 200 OK\r\n\r\n" + huge, 1 << 16);
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->body.size(), kProbeBodyBytesMax);
  EXPECT_THAT(std::string(Read("HTTP/1.1 200 OK\r\nX: " + huge, 1 << 16).status().message()),
              HasSubstr("a line of it does not end"));
}

}  // namespace
}  // namespace slipway::agent
