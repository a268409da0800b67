#include "controller/fleet/last_report.h"

#include "common/log.h"
#include "common/wire/stable_bytes.h"
#include "slipway/v1/agent_session.pb.h"

namespace slipway::controller {

std::string EncodeLastReport(const LiveHost& host) {
  if (!host.health) return "";
  v1::Hello report;
  report.set_agent_version(host.agent_version);
  if (host.labels) report.mutable_labels()->insert(host.labels->begin(), host.labels->end());
  if (host.facts) *report.mutable_facts() = *host.facts;
  *report.mutable_health()->mutable_apps() = host.health->apps();
  return StableBytes(report);
}

LiveHost DecodeLastReport(const HostRecord& record) {
  LiveHost host;
  host.last_seen = record.last_seen;
  v1::Hello report;
  if (!report.ParseFromString(record.report)) {
    log::Warn("the last report of a host cannot be read", {{"host", record.id.text}});
    return host;
  }
  host.agent_version = report.agent_version();
  host.labels = std::make_shared<std::map<std::string, std::string>>(report.labels().begin(),
                                                                     report.labels().end());
  host.facts = std::make_shared<v1::Facts>(report.facts());
  host.health = std::make_shared<v1::HealthReport>(report.health());
  return host;
}

}  // namespace slipway::controller
