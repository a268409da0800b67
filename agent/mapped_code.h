// Code and constants that starting needed and running does not.
#pragma once

namespace slipway::agent {

// Takes every page of code and constants out of the process, of the program and of its shared
// libraries. What is used comes back from the page cache, at a minor fault for some pages at once;
// the rest, two thirds in an agent that has attached, no longer counts as resident and is the
// kernel's to reuse. Changes nothing that a program can see. Thread-safe.
void DropMappedCode();

}  // namespace slipway::agent
