#include "agent/database/postgres_sql.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace slipway::agent {
namespace {

// A statement that fails with `text`: psql has no other way to stop a script with words.
std::string Fail(const std::string& text) {
  return absl::StrCat("DO $slipway$ BEGIN RAISE EXCEPTION '%', ", SqlText(text),
                      "; END $slipway$;\n");
}

std::string Timeout(absl::string_view name, absl::Duration limit) {
  const std::int64_t ms = limit == absl::InfiniteDuration()
                              ? 0
                              : std::max<std::int64_t>(1, absl::ToInt64Milliseconds(limit));
  return absl::StrCat("SET LOCAL ", name, " = ", ms, ";\n");
}

// Settings of a database and of roles in it, and who may connect: no dump has them.
constexpr char kCopySettings[] = R"sql(
SELECT format('ALTER %s SET %I TO %s',
              CASE WHEN r.setrole = 0 THEN format('DATABASE %I', @SIDE@)
                   ELSE format('ROLE %I IN DATABASE %I', r.setrole::regrole::text, @SIDE@) END,
              name, CASE WHEN name IN ('search_path', 'local_preload_libraries',
                                       'session_preload_libraries', 'temp_tablespaces')
                         THEN value ELSE quote_literal(value) END)
FROM pg_db_role_setting r JOIN pg_database d ON d.oid = r.setdatabase,
     LATERAL (SELECT split_part(s, '=', 1) AS name, substr(s, strpos(s, '=') + 1) AS value
              FROM unnest(r.setconfig) s) AS settings
WHERE d.datname = @NAME@ \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', @SIDE@)
FROM pg_database WHERE datname = @NAME@ AND datacl IS NOT NULL
UNION ALL
SELECT format('GRANT %s ON DATABASE %I TO %s', a.privilege_type, @SIDE@,
              CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END)
FROM pg_database d, LATERAL aclexplode(d.datacl) a WHERE d.datname = @NAME@ ORDER BY 1 DESC \gexec
)sql";

// New sessions are refused by then; those that are left are ended, also one that was just coming.
constexpr char kEndSessions[] = R"sql(
DO $slipway$
DECLARE give_up timestamptz := clock_timestamp() + interval '20 seconds';
BEGIN
  LOOP
    PERFORM pg_stat_clear_snapshot();
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = @NAME@;
    EXIT WHEN NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = @NAME@);
    IF clock_timestamp() > give_up THEN
      RAISE EXCEPTION 'sessions of database % do not end', @NAME@;
    END IF;
    PERFORM pg_sleep(0.05);
  END LOOP;
END $slipway$;
)sql";

constexpr char kCreateCopy[] = R"sql(
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING %L LC_COLLATE %L LC_CTYPE %L%s%s',
              @COPY@, pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,
              CASE j ->> 'datlocprovider' WHEN 'i' THEN
                format(' LOCALE_PROVIDER icu ICU_LOCALE %L',
                       coalesce(j ->> 'daticulocale', j ->> 'datlocale')) END,
              CASE WHEN pg_has_role(d.datdba, 'MEMBER') THEN
                format(' OWNER %I', pg_get_userbyid(d.datdba)) END)
FROM pg_database d, LATERAL to_jsonb(d) j WHERE d.datname = @NAME@ \gexec
)sql";

}  // namespace

std::string SqlText(std::string_view value) {
  const std::string doubled =
      absl::StrReplaceAll({value.data(), value.size()}, {{"'", "''"}, {"\\", "\\\\"}});
  return absl::StrCat(doubled.find('\\') == std::string::npos ? "'" : " E'", doubled, "'");
}

std::string SqlName(std::string_view name) {
  return absl::StrCat("\"", absl::StrReplaceAll({name.data(), name.size()}, {{"\"", "\"\""}}),
                      "\"");
}

std::string ShellWord(std::string_view word) {
  return absl::StrCat("'", absl::StrReplaceAll({word.data(), word.size()}, {{"'", "'\\''"}}), "'");
}

std::string PsqlWord(std::string_view word) {
  return absl::StrCat(
      "'", absl::StrReplaceAll({word.data(), word.size()}, {{"'", "''"}, {"\\", "\\\\"}}), "'");
}

std::string CreateCopyScript(const std::string& name, const std::string& copy) {
  return absl::StrReplaceAll(kCreateCopy, {{"@NAME@", SqlText(name)}, {"@COPY@", SqlText(copy)}});
}

std::string DropLeftoversScript(const std::string& prefix, const std::string& ours) {
  return absl::StrCat(
      "SELECT format('DROP DATABASE IF EXISTS %I WITH (FORCE)', datname) FROM "
      "pg_database WHERE starts_with(datname, ",
      SqlText(prefix), ") AND datname <> ", SqlText(ours), " \\gexec\n");
}

std::string SwapScript(const std::string& name, const std::string& side, const std::string& aside) {
  const auto fill = [&](const char* text) {
    return absl::StrReplaceAll(text, {{"@NAME@", SqlText(name)}, {"@SIDE@", SqlText(side)}});
  };
  return absl::StrCat(fill(kCopySettings), "ALTER DATABASE ", SqlName(name),
                      " WITH ALLOW_CONNECTIONS false;\n", fill(kEndSessions), "BEGIN;\n",
                      "ALTER DATABASE ", SqlName(name), " RENAME TO ", SqlName(aside), ";\n",
                      "ALTER DATABASE ", SqlName(side), " RENAME TO ", SqlName(name), ";\n",
                      "COMMIT;\n");
}

std::string AppliedScript() {
  return "SET client_min_messages = warning; SET lock_timeout = '60s';\n"
         "CREATE TABLE IF NOT EXISTS public.slipway_schema (\n"
         "  number integer PRIMARY KEY, name text NOT NULL, digest text NOT NULL,\n"
         "  applied_at timestamptz NOT NULL DEFAULT clock_timestamp());\n"
         "BEGIN;\n"
         "LOCK TABLE public.slipway_schema IN SHARE MODE;\n"
         "SELECT number, name, digest FROM public.slipway_schema ORDER BY number;\n"
         "COMMIT;\n";
}

std::string StepScript(const Migration& migration, Way way, const DatabaseLimits& limits) {
  const bool up = way == Way::up;
  const int found = up ? migration.number - 1 : migration.number;
  const std::string& file = up ? migration.up : migration.down;
  return absl::StrCat(
      "BEGIN;\n", Timeout("lock_timeout", limits.lock),
      Timeout("statement_timeout", limits.statement),
      // What nobody waits for any more ends soon.
      "SET LOCAL client_connection_check_interval = '1s';\n",
      "SELECT coalesce(max(number), 0) = ", found,
      " AS slipway_next FROM public.slipway_schema \\gset\n\\if :slipway_next\n\\else\n",
      Fail(absl::StrCat("the schema is not at version ", found)), "\\endif\n",
      "SELECT pg_current_xact_id()::text AS slipway_xact \\gset\n", "\\i ", PsqlWord(file), "\n",
      "SELECT pg_current_xact_id()::text = :'slipway_xact' AS slipway_same \\gset\n",
      "\\if :slipway_same\n\\else\n",
      Fail(absl::StrCat(file, " ends the transaction that it runs in")), "\\endif\n",
      up ? absl::StrCat("INSERT INTO public.slipway_schema (number, name, digest) VALUES (",
                        migration.number, ", ", SqlText(migration.name), ", ",
                        SqlText(migration.digest), ");\n")
         : absl::StrCat("DELETE FROM public.slipway_schema WHERE number = ", migration.number,
                        ";\n"),
      "COMMIT;\n");
}

std::string QueryScript(const std::string& file, const DatabaseLimits& limits) {
  return absl::StrCat("BEGIN READ ONLY;\n", Timeout("lock_timeout", limits.lock),
                      Timeout("statement_timeout", limits.statement), "\\i ", PsqlWord(file),
                      "\nROLLBACK;\n");
}

}  // namespace slipway::agent
