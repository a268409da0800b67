#include "common/systemd_journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

#include "absl/strings/str_cat.h"

namespace slipway::log {
namespace {

TEST(SystemdJournal, AFieldIsNamedAfterItsKey) {
  EXPECT_EQ(JournalFieldName("rollout"), "SLIPWAY_ROLLOUT");
  EXPECT_EQ(JournalFieldName("went back"), "SLIPWAY_WENT_BACK");
}

TEST(SystemdJournal, ALineBreakInAValueStartsNoFieldOfItsOwn) {
  std::string entry;
  AppendJournalField(entry, "MESSAGE", "agent refused");
  AppendJournalField(entry, "SLIPWAY_WHY", "no\nPRIORITY=0");
  EXPECT_EQ(entry, std::string("MESSAGE=agent refused\nSLIPWAY_WHY\n\x0d\0\0\0\0\0\0\0"
                               "no\nPRIORITY=0\n",
                               56));
}

TEST(SystemdJournal, OnlyTheStreamThatSystemdNamesIsTheJournal) {
  struct stat null = {};
  ASSERT_EQ(::stat("/dev/null", &null), 0);
  const int fd = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  EXPECT_TRUE(IsJournalStream(fd, absl::StrCat(null.st_dev, ":", null.st_ino)));
  EXPECT_FALSE(IsJournalStream(fd, absl::StrCat(null.st_dev, ":", null.st_ino + 1)));
  EXPECT_FALSE(IsJournalStream(fd, ""));
  ::close(fd);
}

TEST(SystemdJournal, AnEntryReachesTheSocketWhole) {
  char folder[] = "/tmp/journal.XXXXXX";
  ASSERT_NE(::mkdtemp(folder), nullptr);
  const std::string path = absl::StrCat(folder, "/socket");
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  ASSERT_EQ(::bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);

  const SystemdJournal journal(path);
  EXPECT_TRUE(journal.Send("MESSAGE=hello\n"));
  char buffer[64] = {};
  EXPECT_EQ(::recv(socket, buffer, sizeof buffer, 0), 14);
  EXPECT_STREQ(buffer, "MESSAGE=hello\n");

  ::close(socket);
  ::unlink(path.c_str());
  EXPECT_FALSE(journal.Send("MESSAGE=nobody is there\n"));
  ::rmdir(folder);
}

}  // namespace
}  // namespace slipway::log
