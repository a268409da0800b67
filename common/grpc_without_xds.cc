// Leaves xDS out of gRPC: its resolvers, balancers and filters, and half a megabyte of Envoy's
// messages.
//
// gRPC registers them in this one function, in an object file of its own, so that a build can do
// without them (its own does with grpc_plugin_registry_noextra.cc). A definition in a program takes
// the place of the one in the archive. Should a later gRPC rename it, nothing breaks: this is then
// an unused function, and xDS is back.

namespace grpc_core {

class CoreConfiguration {
 public:
  class Builder;
};

void RegisterExtraFilters(CoreConfiguration::Builder* builder);
void RegisterExtraFilters(CoreConfiguration::Builder*) {}

}  // namespace grpc_core
