#include "common/tls/credentials.h"

#include <grpc/grpc_security.h>
#include <grpc/grpc_security_constants.h>
#include <grpc/impl/codegen/grpc_types.h>
#include <grpc/support/log.h>

#include "absl/strings/str_cat.h"
#include "common/log.h"

namespace slipway::tls {
namespace {

constexpr std::size_t kCachedSessions = 16;

std::shared_ptr<grpc::ServerCredentials> ServerCredentialsOf(
    const std::string& chain_pem, const KeyMaterial& material,
    grpc_ssl_client_certificate_request_type request) {
  grpc::SslServerCredentialsOptions options(request);
  options.pem_root_certs = material.ca_pem;
  options.pem_key_cert_pairs.push_back({material.key_pem, chain_pem});
  return grpc::SslServerCredentials(options);
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MutualServerCredentials(const KeyMaterial& material) {
  return ServerCredentialsOf(material.certificate_pem, material,
                             GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
}

std::shared_ptr<grpc::ServerCredentials> EnrolmentServerCredentials(const KeyMaterial& material) {
  return ServerCredentialsOf(absl::StrCat(material.certificate_pem, material.ca_pem), material,
                             GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
}

std::shared_ptr<grpc::ChannelCredentials> MutualChannelCredentials(const KeyMaterial& material) {
  return grpc::SslCredentials({material.ca_pem, material.key_pem, material.certificate_pem});
}

std::shared_ptr<grpc::ChannelCredentials> AnonymousChannelCredentials(const std::string& ca_pem) {
  grpc::SslCredentialsOptions options;
  options.pem_root_certs = ca_pem;
  return grpc::SslCredentials(options);
}

struct SessionCache::grpc_cache {
  grpc_ssl_session_cache* sessions;
};

SessionCache::SessionCache()
    : cache_(new grpc_cache{grpc_ssl_session_cache_create_lru(kCachedSessions)}) {}

SessionCache::~SessionCache() {
  grpc_ssl_session_cache_destroy(cache_->sessions);
  delete cache_;
}

void SessionCache::AddTo(grpc::ChannelArguments& arguments) const {
  const grpc_arg arg = grpc_ssl_session_cache_create_channel_arg(cache_->sessions);
  arguments.SetPointerWithVtable(arg.key, arg.value.pointer.p, arg.value.pointer.vtable);
}

grpc::ChannelArguments SessionChannelArguments(const SessionCache& cache) {
  grpc::ChannelArguments arguments;
  cache.AddTo(arguments);
  arguments.SetInt(GRPC_ARG_TSI_MAX_FRAME_SIZE, 4096);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_ENABLE_CHANNELZ, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 15'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetCompressionAlgorithm(GRPC_COMPRESS_NONE);
  return arguments;
}

void LogThroughUs() {
  gpr_set_log_function(
      [](gpr_log_func_args* args) { log::Debug("gRPC", {{"message", args->message}}); });
}

}  // namespace slipway::tls
