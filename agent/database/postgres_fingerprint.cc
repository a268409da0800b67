// One query for the schema and one that writes a query for each table. What belongs to an extension
// is the extension's business, and slipway_schema is ours.
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "agent/database/postgres_sql.h"

namespace slipway::agent {
namespace {

// Names are looked up in pg_catalog only, so that definitions name the schema of all else.
constexpr char kBegin[] = R"sql(
SET standard_conforming_strings = on; SET search_path = '';
SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET TimeZone = 'UTC';
SET extra_float_digits = 3; SET bytea_output = 'hex'; SET lc_monetary = 'C';
SET xmloption = 'content';
SET quote_all_identifiers = off; SET row_security = off;
SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET lock_timeout = '30s';
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
)sql";

constexpr char kObjects[] = R"sql(
WITH spaces AS (
  SELECT n.oid, n.nspname, n.nspowner, n.nspacl,
         CASE n.nspname WHEN 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END AS at
  FROM pg_namespace n
  WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_namespace'::regclass
                    AND d.objid = n.oid AND d.deptype = 'e')),
rels AS (
  SELECT c.*, s.at, s.at || quote_ident(c.relname) AS name
  FROM pg_class c JOIN spaces s ON s.oid = c.relnamespace
  WHERE NOT (s.nspname = 'public' AND c.relname IN ('slipway_schema', 'slipway_schema_pkey'))
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                    AND d.objid = c.oid AND d.deptype = 'e')),
objects(kind, name, definition) AS (
  SELECT 'schema', quote_ident(nspname), concat_ws('; ', 'owner ' || nspowner::regrole::text,
    (SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C")
     FROM unnest(coalesce(nspacl, acldefault('n', nspowner))) a))
  FROM spaces
 UNION ALL
  SELECT 'extension', quote_ident(extname), extversion FROM pg_extension
 UNION ALL
  SELECT CASE relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized-view'
              WHEN 'f' THEN 'foreign-table' ELSE 'table' END,
    name, concat_ws('; ', 'owner ' || relowner::regrole::text,
    CASE relpersistence WHEN 'u' THEN 'unlogged' END,
    'options ' || array_to_string(reloptions, ','),
    'partition by ' || CASE relkind WHEN 'p' THEN pg_get_partkeydef(oid) END,
    'partition ' || pg_get_expr(relpartbound, oid),
    'inherits ' || (SELECT string_agg(i.inhparent::regclass::text, ',' ORDER BY i.inhseqno)
                    FROM pg_inherits i WHERE i.inhrelid = r.oid),
    'of ' || CASE WHEN reloftype <> 0 THEN reloftype::regtype::text END,
    CASE WHEN relrowsecurity THEN 'row security' END,
    CASE WHEN relforcerowsecurity THEN 'forced row security' END,
    CASE WHEN relreplident <> 'd' AND relkind IN ('r', 'p')
         THEN 'replica identity ' || relreplident::text END,
    CASE WHEN relkind = 'm' AND NOT relispopulated THEN 'not populated' END,
    'access ' || (SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C")
                  FROM unnest(coalesce(relacl, acldefault('r', relowner))) a),
    CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
  FROM rels r WHERE relkind IN ('r', 'p', 'f', 'v', 'm')
 UNION ALL
  SELECT 'column', r.name || '.' || quote_ident(a.attname), concat_ws(' ',
    format_type(a.atttypid, a.atttypmod),
    'collate ' || CASE WHEN a.attcollation <> t.typcollation
                       THEN a.attcollation::regcollation::text END,
    CASE WHEN a.attnotnull THEN 'not null' END,
    CASE a.attgenerated WHEN 's' THEN 'generated ' WHEN 'v' THEN 'virtual ' ELSE 'default ' END
      || pg_get_expr(d.adbin, d.adrelid),
    'identity ' || nullif(a.attidentity::text, ''),
    'storage ' || CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END,
    'compression ' || nullif(a.attcompression::text, ''),
    'options ' || array_to_string(a.attoptions, ','),
    'access ' || (SELECT string_agg(x::text, ',' ORDER BY x::text COLLATE "C")
                  FROM unnest(a.attacl) x))
  FROM rels r JOIN pg_attribute a ON a.attrelid = r.oid JOIN pg_type t ON t.oid = a.atttypid
       LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE r.relkind IN ('r', 'p', 'f') AND a.attnum > 0 AND NOT a.attisdropped
 UNION ALL
  SELECT 'constraint', r.name || '.' || quote_ident(c.conname), pg_get_constraintdef(c.oid)
  FROM pg_constraint c JOIN rels r ON r.oid = c.conrelid
 UNION ALL
  SELECT 'index', r.name, concat_ws('; ', pg_get_indexdef(r.oid),
    CASE WHEN NOT i.indisvalid THEN 'not valid' END,
    CASE WHEN i.indisclustered THEN 'clustered' END,
    CASE WHEN i.indisreplident THEN 'replica identity' END)
  FROM rels r JOIN pg_index i ON i.indexrelid = r.oid JOIN rels t ON t.oid = i.indrelid
 UNION ALL
  SELECT 'rule', r.name || '.' || quote_ident(w.rulename), pg_get_ruledef(w.oid)
  FROM pg_rewrite w JOIN rels r ON r.oid = w.ev_class WHERE w.rulename <> '_RETURN'
 UNION ALL
  SELECT 'trigger', r.name || '.' || quote_ident(t.tgname),
    concat_ws('; ', pg_get_triggerdef(t.oid), 'enabled ' || nullif(t.tgenabled::text, 'O'))
  FROM pg_trigger t JOIN rels r ON r.oid = t.tgrelid WHERE NOT t.tgisinternal
 UNION ALL
  SELECT 'policy', r.name || '.' || quote_ident(p.polname), concat_ws('; ', p.polcmd::text,
    CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END,
    (SELECT string_agg(CASE o WHEN 0 THEN 'public' ELSE o::regrole::text END, ','
                       ORDER BY o::regrole::text) FROM unnest(p.polroles) o),
    'using ' || pg_get_expr(p.polqual, p.polrelid),
    'with check ' || pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p JOIN rels r ON r.oid = p.polrelid
 UNION ALL
  SELECT 'sequence', r.name, concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart,
    'min', s.seqmin, 'max', s.seqmax, 'by', s.seqincrement, 'cache', s.seqcache,
    CASE WHEN s.seqcycle THEN 'cycle' END, 'owner ' || r.relowner::regrole::text,
    'of ' || (SELECT d.refobjid::regclass::text || '.' || quote_ident(a.attname)
              FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid
                                                  AND a.attnum = d.refobjsubid
              WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid
                AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')),
    'access ' || (SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C")
                  FROM unnest(coalesce(r.relacl, acldefault('s', r.relowner))) a))
  FROM rels r JOIN pg_sequence s ON s.seqrelid = r.oid
 UNION ALL
  SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END,
    s.at || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')',
    concat_ws('; ', CASE WHEN p.prokind = 'a' THEN
      (SELECT concat_ws(' ', g.aggtransfn, g.aggfinalfn, g.aggcombinefn,
                        g.aggtranstype::regtype,
                        g.aggsortop::regoper, g.agginitval)
       FROM pg_aggregate g WHERE g.aggfnoid = p.oid)
      ELSE pg_get_functiondef(p.oid) END,
    'owner ' || p.proowner::regrole::text,
    'access ' || (SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C")
                  FROM unnest(coalesce(p.proacl, acldefault('f', p.proowner))) a))
  FROM pg_proc p JOIN spaces s ON s.oid = p.pronamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                    AND d.objid = p.oid AND d.deptype = 'e')
 UNION ALL
  SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, s.at || quote_ident(t.typname),
    concat_ws('; ', 'owner ' || t.typowner::regrole::text,
    CASE t.typtype
      WHEN 'e' THEN 'enum ' || coalesce(
        (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder)
         FROM pg_enum e WHERE e.enumtypid = t.oid), '')
      WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
                              'collate ' || nullif(t.typcollation, 0)::regcollation::text,
                              CASE WHEN t.typnotnull THEN 'not null' END,
                              'default ' || t.typdefault,
        (SELECT string_agg(quote_ident(c.conname) || ' ' || pg_get_constraintdef(c.oid), ' '
                           ORDER BY c.conname) FROM pg_constraint c WHERE c.contypid = t.oid))
      WHEN 'r' THEN 'range ' || (SELECT concat_ws(' ', r.rngsubtype::regtype,
                                                  nullif(r.rngcollation, 0)::regcollation,
                                                  r.rngcanonical, r.rngsubdiff)
                                 FROM pg_range r WHERE r.rngtypid = t.oid)
      WHEN 'c' THEN 'row ' ||
        (SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod),
                           ',' ORDER BY a.attnum)
         FROM pg_attribute a
         WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)
      ELSE t.typtype::text END,
    'access ' || (SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C")
                  FROM unnest(coalesce(t.typacl, acldefault('T', t.typowner))) a))
  FROM pg_type t JOIN spaces s ON s.oid = t.typnamespace
  WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_type'::regclass
                    AND d.objid = t.oid AND d.deptype IN ('e', 'i'))
    AND (t.typrelid = 0
         OR EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c'))
    AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
 UNION ALL
  SELECT 'statistics', s.at || quote_ident(x.stxname), pg_get_statisticsobjdef(x.oid)
  FROM pg_statistic_ext x JOIN spaces s ON s.oid = x.stxnamespace
 UNION ALL
  SELECT 'event-trigger', quote_ident(evtname),
    concat_ws(' ', evtevent, evtfoid::regprocedure, evtenabled, array_to_string(evttags, ','))
  FROM pg_event_trigger
 UNION ALL
  SELECT 'publication', quote_ident(p.pubname), concat_ws(' ', p.puballtables, p.pubinsert,
    p.pubupdate, p.pubdelete, p.pubtruncate,
    (SELECT string_agg(schemaname || '.' || tablename, ',' ORDER BY 1)
     FROM pg_publication_tables t WHERE t.pubname = p.pubname))
  FROM pg_publication p
 UNION ALL
  SELECT 'default-access', concat_ws(' ', d.defaclrole::regrole::text, d.defaclobjtype::text,
    nullif(d.defaclnamespace, 0)::regnamespace::text),
    (SELECT string_agg(a::text, ',' ORDER BY a::text COLLATE "C") FROM unnest(d.defaclacl) a)
  FROM pg_default_acl d
 UNION ALL
  SELECT 'comment', i.type || ' ' || i.identity, quote_literal(d.description)
  FROM pg_description d, LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
  WHERE d.objoid >= 16384 AND i.identity IS NOT NULL
 UNION ALL
  SELECT replace(i.type, ' ', '-'), i.identity, ''
  FROM (SELECT 'pg_operator'::regclass AS classid, oid FROM pg_operator
        UNION ALL SELECT 'pg_opclass'::regclass, oid FROM pg_opclass
        UNION ALL SELECT 'pg_opfamily'::regclass, oid FROM pg_opfamily
        UNION ALL SELECT 'pg_cast'::regclass, oid FROM pg_cast
        UNION ALL SELECT 'pg_collation'::regclass, oid FROM pg_collation
        UNION ALL SELECT 'pg_conversion'::regclass, oid FROM pg_conversion
        UNION ALL SELECT 'pg_language'::regclass, oid FROM pg_language
        UNION ALL SELECT 'pg_transform'::regclass, oid FROM pg_transform
        UNION ALL SELECT 'pg_am'::regclass, oid FROM pg_am
        UNION ALL SELECT 'pg_ts_config'::regclass, oid FROM pg_ts_config
        UNION ALL SELECT 'pg_ts_dict'::regclass, oid FROM pg_ts_dict
        UNION ALL SELECT 'pg_ts_parser'::regclass, oid FROM pg_ts_parser
        UNION ALL SELECT 'pg_ts_template'::regclass, oid FROM pg_ts_template
        UNION ALL SELECT 'pg_foreign_data_wrapper'::regclass, oid FROM pg_foreign_data_wrapper
        UNION ALL SELECT 'pg_foreign_server'::regclass, oid FROM pg_foreign_server) x,
       LATERAL pg_identify_object(x.classid, x.oid, 0) i
  WHERE x.oid >= 16384
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = x.classid AND d.objid = x.oid
                    AND d.deptype = 'e')
 UNION ALL
  SELECT 'large-objects', 'all', count(*)::text FROM pg_largeobject_metadata)
SELECT 'O', kind, @NAME@, @DEFINITION@ FROM objects;
)sql";

// A digest of each row as text, its columns by name; their sums do not depend on the order of the
// rows and need no memory.
constexpr char kTables[] = R"sql(
SELECT format('SELECT ''T'', %L, count(*), concat_ws(''.'', '
              'coalesce(sum((''x'' || substr(h, 1, 16))::bit(64)::bigint), 0), '
              'coalesce(sum((''x'' || substr(h, 17, 16))::bit(64)::bigint), 0), '
              'coalesce(sum((''x'' || substr(h, 33, 16))::bit(64)::bigint), 0), '
              'coalesce(sum((''x'' || substr(h, 49, 16))::bit(64)::bigint), 0)) '
              'FROM (SELECT encode(sha256(convert_to(ROW(%s)::text, getdatabaseencoding())), '
              '''hex'') AS h '
              'FROM ONLY %I.%I AS t) AS hashes', @NAME@, columns, nspname, relname)
FROM (SELECT n.nspname, c.relname,
             CASE n.nspname WHEN 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END
                 || quote_ident(c.relname) AS name,
             (SELECT string_agg('t.' || quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C")
              FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                AND CASE n.nspname WHEN 'public' THEN '' ELSE n.nspname || '.' END
                    || c.relname || '.' || a.attname <> ALL (@IGNORE@)) AS columns
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
        AND c.relkind = 'r'
        AND NOT (n.nspname = 'public' AND c.relname = 'slipway_schema')
        AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                        AND d.objid = c.oid AND d.deptype = 'e')) AS tables
\gexec
)sql";

// One line and four fields, whatever the text holds.
std::string Escaped(const std::string& text) {
  return absl::StrCat("replace(replace(replace(replace(", text,
                      R"(, E'\\', E'\\\\'), E'\n', '\n'), )", R"(E'\r', '\r'), E'\t', '\t'))");
}

}  // namespace

std::string BeginSnapshot() {
  return kBegin;
}

std::string FingerprintScript(const std::vector<std::string>& ignore) {
  const std::string names = absl::StrJoin(
      ignore, ", ",
      [](std::string* out, const std::string& name) { absl::StrAppend(out, SqlText(name)); });
  return absl::StrReplaceAll(absl::StrCat(kObjects, kTables),
                             {{"@NAME@", Escaped("name")},
                              {"@DEFINITION@", Escaped("coalesce(definition, '')")},
                              {"@IGNORE@", absl::StrCat("ARRAY[", names, "]::text[]")}});
}

}  // namespace slipway::agent
