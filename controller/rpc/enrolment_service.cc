#include <grpcpp/grpcpp.h>

#include "common/grpc_status.h"
#include "common/status_macros.h"
#include "controller/rpc/services.h"
#include "slipway/v1/enrolment.grpc.pb.h"

namespace slipway::controller {
namespace {

class EnrolmentService final : public v1::EnrolmentService::Service {
 public:
  explicit EnrolmentService(Enrolment& enrolment) : enrolment_(enrolment) {}

  grpc::Status Enrol(grpc::ServerContext*, const v1::EnrolRequest* request,
                     v1::EnrolResponse* response) override {
    return ToGrpc(Answer(*request, *response));
  }

 private:
  absl::Status Answer(const v1::EnrolRequest& request, v1::EnrolResponse& response) {
    SLIPWAY_ASSIGN_OR_RETURN(
        const Enrolment::Certified certified,
        enrolment_.Enrol(request.token(), {request.host()}, request.csr_der()));
    response.set_certificate_pem(certified.certificate_pem);
    response.set_ca_pem(certified.ca_pem);
    response.set_controller(certified.controller);
    return absl::OkStatus();
  }

  Enrolment& enrolment_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeEnrolmentService(Enrolment& enrolment) {
  return std::make_unique<EnrolmentService>(enrolment);
}

}  // namespace slipway::controller
