// Text of others, made harmless for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace slipway::cli {

// Control characters (C0 but newline and tab, DEL, C1), bidirectional overrides and what is not
// UTF-8 become visible escapes. `one_line`: newline and tab too.
std::string Escape(std::string_view text, bool one_line = false);

// Columns that `text` takes (wide characters count two, combining ones none).
std::size_t Width(std::string_view text);

// Cut or filled with blanks to exactly `columns`; a cut is marked.
std::string Fit(std::string_view text, std::size_t columns, bool ascii = false);

}  // namespace slipway::cli
