// The calls of the C library that change files, caught in this process.
#pragma once

namespace slipway::crash {

class RecordedDisk;

// From now on changes below its folder are told to `disk`; nullptr: nothing is caught.
void CatchFor(RecordedDisk* disk);

}  // namespace slipway::crash
