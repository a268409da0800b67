#include "agent/enrol.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "agent/config.h"
#include "common/folder_lock.h"
#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "common/tls/credentials.h"
#include "common/tls/key.h"
#include "common/tls/pem_file.h"
#include "common/tls/pinned_root.h"
#include "slipway/v1/enrolment.grpc.pb.h"

namespace slipway::agent {
namespace {

constexpr absl::Duration kFirstContact = absl::Seconds(10);
constexpr int kAnswerSeconds = 20;

// The key of an earlier attempt is used again: its certificate may be waiting.
absl::StatusOr<std::string> OwnKey(const std::string& path, bool again) {
  if (!again) {
    auto key = tls::ReadPrivateFile(path);
    if (key.ok() || !absl::IsNotFound(key.status())) return key;
  }
  SLIPWAY_ASSIGN_OR_RETURN(std::string key, tls::MakeKey());
  SLIPWAY_RETURN_IF_ERROR(tls::WriteFile(path, key, tls::kPrivate));
  return key;
}

absl::StatusOr<v1::EnrolResponse> Ask(const tls::EnrolmentToken& token, const std::string& root,
                                      const std::string& key) {
  v1::EnrolRequest request;
  request.set_token(token.secret);
  request.set_host(token.host);
  SLIPWAY_ASSIGN_OR_RETURN(*request.mutable_csr_der(), tls::MakeRequest(key));
  const auto stub = v1::EnrolmentService::NewStub(
      grpc::CreateChannel(token.address, tls::AnonymousChannelCredentials(root)));
  grpc::ClientContext context;
  context.set_deadline(gpr_time_add(gpr_now(GPR_CLOCK_REALTIME),
                                    gpr_time_from_seconds(kAnswerSeconds, GPR_TIMESPAN)));
  v1::EnrolResponse response;
  SLIPWAY_RETURN_IF_ERROR(FromGrpc(stub->Enrol(&context, request, &response)));
  if (response.ca_pem() != root) {
    return absl::UnauthenticatedError("the controller names another authority than its token");
  }
  return response;
}

}  // namespace

absl::Status Enrol(const EnrolOrder& order) {
  if (::mkdir(order.dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot create ", order.dir));
  }
  SLIPWAY_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(order.dir));
  const auto known = ReadConfig(order.dir);
  if (known.ok() && !order.again) {
    return absl::FailedPreconditionError(absl::StrCat(order.dir, " is enrolled as ", known->host,
                                                      "; --again replaces that identity"));
  }
  const tls::ClientConfig files = TrustFiles(order.dir);
  SLIPWAY_ASSIGN_OR_RETURN(
      const std::string root,
      tls::FetchPinnedRoot(order.token.address, order.token.ca_pin, kFirstContact));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string key, OwnKey(files.key, known.ok()));
  SLIPWAY_ASSIGN_OR_RETURN(const v1::EnrolResponse answer, Ask(order.token, root, key));
  SLIPWAY_ASSIGN_OR_RETURN(const std::string agent_id, tls::MakeSecret());

  SLIPWAY_RETURN_IF_ERROR(tls::WriteFile(files.ca, root, tls::kPublic));
  SLIPWAY_RETURN_IF_ERROR(
      tls::WriteFile(files.certificate, answer.certificate_pem(), tls::kPublic));
  SLIPWAY_RETURN_IF_ERROR(tls::WriteFile(order.dir + "/agent_id", agent_id, tls::kPrivate));
  // Last: where this file is, the agent is enrolled.
  return WriteConfig({.dir = order.dir,
                      .host = order.token.host,
                      .controller = answer.controller(),
                      .labels = order.labels});
}

}  // namespace slipway::agent
