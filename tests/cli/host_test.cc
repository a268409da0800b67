// Steering hosts.
#include "tests/cli/cli_fixture.h"
#include "tests/cli/golden.h"

namespace slipway::cli {
namespace {

using testing::HasSubstr;

class HostTest : public CliTest {
 protected:
  void SetUp() override {
    CliTest::SetUp();
    script_.retire = [this](const v1::RetireHostRequest& request) {
      asked_.push_back(request);
      return answer_;
    };
    answer_ = v1::Host();
    answer_->set_name("web-7");
  }

  absl::StatusOr<v1::Host> answer_;
  std::vector<v1::RetireHostRequest> asked_;
};

TEST_F(HostTest, RetireSaysWhatItMeans) {
  EXPECT_EQ(Run({"host", "retire", "web-7", "--reason", "sold", "--yes"}), 0);
  ExpectGolden("host_retire", output_);
  ASSERT_EQ(asked_.size(), 1u);
  EXPECT_EQ(asked_[0].name(), "web-7");
  EXPECT_EQ(asked_[0].reason(), "sold");
  EXPECT_FALSE(asked_[0].request_id().empty());
  EXPECT_EQ(Run({"host", "retire", "web-7", "--reason", "sold", "--yes", "-o", "json"}), 0);
  ExpectGolden("host_retire.json", output_);
}

TEST_F(HostTest, RetireAsksAPersonForTheName) {
  Program sure({"host", "retire", "web-7", "--reason", "sold"}, controller_->environment(), true);
  ASSERT_TRUE(sure.WaitFor("Type web-7 to go on: "));
  sure.Type("web-7\n");
  EXPECT_EQ(sure.Wait(), 0);
  EXPECT_EQ(asked_.size(), 1u);

  Program unsure({"host", "retire", "web-7", "--reason", "sold"}, controller_->environment(), true);
  ASSERT_TRUE(unsure.WaitFor("Type web-7 to go on: "));
  unsure.Type("y\n");
  EXPECT_EQ(unsure.Wait(), 12);
  EXPECT_THAT(unsure.output(), HasSubstr("nothing was changed"));
  EXPECT_EQ(asked_.size(), 1u);
}

TEST_F(HostTest, RetireIsRefusedWhereNobodyCanBeAsked) {
  EXPECT_EQ(Run({"host", "retire", "web-7", "--reason", "sold"}), 2);
  ExpectGolden("host_retire_unasked", output_);
  Program told({"host", "retire", "web-7", "--reason", "sold", "--no-input"},
               controller_->environment(), true);
  EXPECT_EQ(told.Wait(), 2);
  EXPECT_EQ(Run({"host", "retire", "web-7", "--yes"}), 2) << "no reason";
  EXPECT_TRUE(asked_.empty());
}

TEST_F(HostTest, RetireOfALockedHostIsNotNow) {
  answer_ = absl::FailedPreconditionError(
      "web-7 belongs to ro-M4TZ7K (shop 2.4.0); wait for its end, or skip the host there");
  EXPECT_EQ(Run({"host", "retire", "web-7", "--reason", "sold", "--yes"}), 6);
  ExpectGolden("host_retire_locked", output_);
}

}  // namespace
}  // namespace slipway::cli
