// completion: what a shell needs to complete a command line, live hosts, rollouts and versions too.

#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "slipway/v1/artifact.grpc.pb.h"
#include "slipway/v1/fleet.grpc.pb.h"
#include "slipway/v1/rollout.grpc.pb.h"
#include "tools/slipway/complete.h"
#include "tools/slipway/controller.h"
#include "tools/slipway/output.h"
#include "tools/slipway/preferences.h"
#include "tools/slipway/term/escape.h"
#include "tools/slipway/term/terminal.h"

namespace slipway::cli {
namespace {

// Somebody waits with a finger on the key.
constexpr absl::Duration kPatience = absl::Milliseconds(500);
constexpr std::uint32_t kRolloutsMost = 20;

constexpr char kBash[] = R"(# bash completion of slipway:  source <(slipway completion bash)
_slipway() {
  local line words=()
  COMPREPLY=()
  while IFS= read -r line; do
    [ -n "$line" ] && COMPREPLY+=("${line%%$'\t'*}")
  done < <("${COMP_WORDS[0]}" __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  [ ${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "${COMP_WORDS[COMP_CWORD]}"))
}
complete -o filenames -F _slipway slipway
)";

constexpr char kZsh[] = R"(#compdef slipway
# zsh completion of slipway:  slipway completion zsh > "${fpath[1]}/_slipway"
_slipway() {
  local line
  local -a found
  while IFS= read -r line; do
    [[ -n "$line" ]] || continue
    found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done < <("${words[1]}" __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${#found} )); then _describe slipway found; else _files; fi
}
if [ "$funcstack[1]" = _slipway ]; then _slipway "$@"; else compdef _slipway slipway; fi
)";

constexpr char kFish[] = R"(# fish completion of slipway:  slipway completion fish | source
function __slipway_words
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c slipway -a '(__slipway_words)'
)";

// "" for what shows nothing: a candidate that would have to be escaped is left out instead.
void Add(std::vector<Candidate>& to, const std::string& word, const std::string& help) {
  if (!word.empty() && word == Escape(word, true)) to.push_back({word, Escape(help, true)});
}

std::vector<Candidate> HostCandidates(const Controller& controller) {
  v1::ListHostsRequest request;
  v1::ListHostsResponse response;
  const auto stub = v1::FleetService::NewStub(controller.channel());
  (void)controller.Call(
      [&](grpc::ClientContext& context) { return stub->ListHosts(&context, request, &response); },
      kPatience);
  std::vector<Candidate> found;
  for (const auto& host : response.hosts()) {
    Add(found, host.name(), host.cordoned() ? "cordoned" : "");
  }
  return found;
}

std::vector<Candidate> Contexts() {
  std::vector<Candidate> found;
  for (const std::string& name : ContextNames()) found.push_back({name, ""});
  return found;
}

std::vector<Candidate> Rollouts(const Controller& controller) {
  v1::ListRolloutsRequest request;
  request.set_page_size(kRolloutsMost);
  v1::ListRolloutsResponse response;
  const auto stub = v1::RolloutService::NewStub(controller.channel());
  (void)controller.Call(
      [&](grpc::ClientContext& context) {
        return stub->ListRollouts(&context, request, &response);
      },
      kPatience);
  std::vector<Candidate> found;
  for (const auto& rollout : response.rollouts()) {
    Add(found, rollout.id(), absl::StrCat(rollout.plan(), " ", rollout.version()));
  }
  return found;
}

std::vector<Candidate> Releases(const Controller& controller, bool versions) {
  v1::ListReleasesRequest request;
  v1::ListReleasesResponse response;
  const auto stub = v1::ArtifactService::NewStub(controller.channel());
  (void)controller.Call(
      [&](grpc::ClientContext& context) {
        return stub->ListReleases(&context, request, &response);
      },
      kPatience);
  std::vector<Candidate> found;
  for (const auto& release : response.releases()) {
    const std::string whole = absl::StrCat(release.name(), "@", release.version());
    Add(found, versions ? release.version() : whole, versions ? release.name() : "");
  }
  return found;
}

}  // namespace

ExitCode RunComplete(const Invocation& invocation) {
  const auto live = [&](Live what) -> std::vector<Candidate> {
    if (what == Live::context) return Contexts();
    const auto controller = Controller::Dial(invocation);
    // Without one there is nothing to offer, and nobody to tell.
    if (!controller.ok() || !(*controller)->WaitForConnection(kPatience)) return {};
    switch (what) {
      case Live::host:
        return HostCandidates(**controller);
      case Live::rollout:
        return Rollouts(**controller);
      case Live::release:
        return Releases(**controller, false);
      case Live::version:
        return Releases(**controller, true);
      case Live::context:
        break;
    }
    return {};
  };
  std::string text;
  for (const Candidate& candidate : Complete(invocation.Values("WORD"), live)) {
    absl::StrAppend(&text, candidate.word, "\t", candidate.help, "\n");
  }
  Print(text);
  return ExitCode::done;
}

ExitCode RunCompletion(const Invocation& invocation) {
  const std::string shell = invocation.Value("SHELL");
  if (shell == "bash") return Print(kBash), ExitCode::done;
  if (shell == "zsh") return Print(kZsh), ExitCode::done;
  if (shell == "fish") return Print(kFish), ExitCode::done;
  return Usage(absl::StrCat("no completion for `", Escape(shell, true), "`: bash, zsh or fish"));
}

}  // namespace slipway::cli
