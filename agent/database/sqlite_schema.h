// Private to agent/database: definitions of SQLite, in one form.
#pragma once

#include <set>
#include <string>
#include <string_view>

namespace slipway::agent {

// The tokens of a CREATE statement with one space between them: comments and layout are gone, what
// is no string is in lower case and loses its quotes. SQLite rewrites definitions when something is
// renamed, so that the text alone tells nothing. The parts of a table's outermost brackets are
// sorted: a table that was made anew is the old one when the same columns and constraints are
// there.
//
// `names` are those of all tables and columns in lower case: a word in double quotes that is none
// of them is a string, as SQLite has it.
std::string NormalisedDefinition(std::string_view sql, const std::set<std::string>& names,
                                 bool is_table);

}  // namespace slipway::agent
