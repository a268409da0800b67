#include "deploy/media-repository/release.h"

namespace media {

// MEDIA_VERSION "2.0.0", MEDIA_UNIFIED_API 0|1, MEDIA_FAULT one of Fault's names.
const Release kRelease = {
    .version = MEDIA_VERSION, .unified_api = MEDIA_UNIFIED_API != 0, .fault = Fault::MEDIA_FAULT};

}  // namespace media
