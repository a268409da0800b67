// Any bytes as a plan file: problems point into the text and can be rendered.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "common/plan/plan_file.h"
#include "common/plan/render_problems.h"

// libfyaml 0.7 forgets up to a few KiB of its own when it gives up within a quoted scalar
// (corpus: quoted_without_end). All else that is lost is ours.
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libfyaml.so";
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const slipway::plan::LoadedPlan loaded = slipway::plan::LoadPlan("fuzz.yaml", text);
  if (!slipway::plan::HasErrors(loaded.problems)) slipway::plan::ShowPlan(*loaded.plan);
  if (loaded.problems.size() > 2 * 100) std::abort();
  slipway::plan::RenderProblems(loaded.problems, slipway::plan::Colour::ansi);
  return 0;
}
