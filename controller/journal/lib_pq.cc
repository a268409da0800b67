#include "controller/journal/lib_pq.h"

#include <dlfcn.h>
#include <libpq-fe.h>

#include <utility>

#include "absl/strings/str_cat.h"

// All that libpqxx calls, and we. Parameters as in libpq-fe.h, or it does not compile.
#define SLIPWAY_LIB_PQ(F)                                                                          \
  F(const char*, pg_encoding_to_char, (int encoding), (encoding))                                  \
  F(int, PQbackendPID, (const PGconn* conn), (conn))                                               \
  F(int, PQcancel, (PGcancel * cancel, char* errbuf, int errbufsize),                              \
    (cancel, errbuf, errbufsize))                                                                  \
  F(void, PQclear, (PGresult * res), (res))                                                        \
  F(int, PQclientEncoding, (const PGconn* conn), (conn))                                           \
  F(char*, PQcmdStatus, (PGresult * res), (res))                                                   \
  F(char*, PQcmdTuples, (PGresult * res), (res))                                                   \
  F(PGconn*, PQconnectdb, (const char* conninfo), (conninfo))                                      \
  F(PostgresPollingStatusType, PQconnectPoll, (PGconn * conn), (conn))                             \
  F(PGconn*, PQconnectStart, (const char* conninfo), (conninfo))                                   \
  F(void, PQconninfoFree, (PQconninfoOption * conn_options), (conn_options))                       \
  F(PQconninfoOption*, PQconninfoParse, (const char* conninfo, char** errmsg), (conninfo, errmsg)) \
  F(int, PQconsumeInput, (PGconn * conn), (conn))                                                  \
  F(char*, PQdb, (const PGconn* conn), (conn))                                                     \
  F(char*, PQencryptPassword, (const char* passwd, const char* user), (passwd, user))              \
  F(int, PQendcopy, (PGconn * conn), (conn))                                                       \
  F(char*, PQerrorMessage, (const PGconn* conn), (conn))                                           \
  F(unsigned char*, PQescapeByteaConn,                                                             \
    (PGconn * conn, const unsigned char* from, size_t from_length, size_t* to_length),             \
    (conn, from, from_length, to_length))                                                          \
  F(char*, PQescapeIdentifier, (PGconn * conn, const char* str, size_t len), (conn, str, len))     \
  F(size_t, PQescapeStringConn,                                                                    \
    (PGconn * conn, char* to, const char* from, size_t length, int* error),                        \
    (conn, to, from, length, error))                                                               \
  F(PGresult*, PQexec, (PGconn * conn, const char* query), (conn, query))                          \
  F(PGresult*, PQexecParams,                                                                       \
    (PGconn * conn, const char* command, int n_params, const Oid* param_types,                     \
     const char* const* param_values, const int* param_lengths, const int* param_formats,          \
     int result_format),                                                                           \
    (conn, command, n_params, param_types, param_values, param_lengths, param_formats,             \
     result_format))                                                                               \
  F(PGresult*, PQexecPrepared,                                                                     \
    (PGconn * conn, const char* stmt_name, int n_params, const char* const* param_values,          \
     const int* param_lengths, const int* param_formats, int result_format),                       \
    (conn, stmt_name, n_params, param_values, param_lengths, param_formats, result_format))        \
  F(void, PQfinish, (PGconn * conn), (conn))                                                       \
  F(char*, PQfname, (const PGresult* res, int field_num), (res, field_num))                        \
  F(int, PQfnumber, (const PGresult* res, const char* field_name), (res, field_name))              \
  F(void, PQfreeCancel, (PGcancel * cancel), (cancel))                                             \
  F(void, PQfreemem, (void* ptr), (ptr))                                                           \
  F(Oid, PQftable, (const PGresult* res, int field_num), (res, field_num))                         \
  F(int, PQftablecol, (const PGresult* res, int field_num), (res, field_num))                      \
  F(Oid, PQftype, (const PGresult* res, int field_num), (res, field_num))                          \
  F(PGcancel*, PQgetCancel, (PGconn * conn), (conn))                                               \
  F(int, PQgetCopyData, (PGconn * conn, char** buffer, int async), (conn, buffer, async))          \
  F(int, PQgetisnull, (const PGresult* res, int tup_num, int field_num),                           \
    (res, tup_num, field_num))                                                                     \
  F(int, PQgetlength, (const PGresult* res, int tup_num, int field_num),                           \
    (res, tup_num, field_num))                                                                     \
  F(PGresult*, PQgetResult, (PGconn * conn), (conn))                                               \
  F(char*, PQgetvalue, (const PGresult* res, int tup_num, int field_num),                          \
    (res, tup_num, field_num))                                                                     \
  F(char*, PQhost, (const PGconn* conn), (conn))                                                   \
  F(int, PQisBusy, (PGconn * conn), (conn))                                                        \
  F(int, PQisthreadsafe, (), ())                                                                   \
  F(int, PQnfields, (const PGresult* res), (res))                                                  \
  F(PGnotify*, PQnotifies, (PGconn * conn), (conn))                                                \
  F(int, PQntuples, (const PGresult* res), (res))                                                  \
  F(Oid, PQoidValue, (const PGresult* res), (res))                                                 \
  F(char*, PQport, (const PGconn* conn), (conn))                                                   \
  F(PGresult*, PQprepare,                                                                          \
    (PGconn * conn, const char* stmt_name, const char* query, int n_params,                        \
     const Oid* param_types),                                                                      \
    (conn, stmt_name, query, n_params, param_types))                                               \
  F(int, PQprotocolVersion, (const PGconn* conn), (conn))                                          \
  F(int, PQputCopyData, (PGconn * conn, const char* buffer, int nbytes), (conn, buffer, nbytes))   \
  F(int, PQputCopyEnd, (PGconn * conn, const char* errormsg), (conn, errormsg))                    \
  F(void, PQreset, (PGconn * conn), (conn))                                                        \
  F(char*, PQresultErrorField, (const PGresult* res, int fieldcode), (res, fieldcode))             \
  F(char*, PQresultErrorMessage, (const PGresult* res), (res))                                     \
  F(ExecStatusType, PQresultStatus, (const PGresult* res), (res))                                  \
  F(int, PQsendQuery, (PGconn * conn, const char* query), (conn, query))                           \
  F(int, PQserverVersion, (const PGconn* conn), (conn))                                            \
  F(int, PQsetClientEncoding, (PGconn * conn, const char* encoding), (conn, encoding))             \
  F(PGVerbosity, PQsetErrorVerbosity, (PGconn * conn, PGVerbosity verbosity), (conn, verbosity))   \
  F(PQnoticeProcessor, PQsetNoticeProcessor, (PGconn * conn, PQnoticeProcessor proc, void* arg),   \
    (conn, proc, arg))                                                                             \
  F(int, PQsocket, (const PGconn* conn), (conn))                                                   \
  F(ConnStatusType, PQstatus, (const PGconn* conn), (conn))                                        \
  F(void, PQtrace, (PGconn * conn, FILE * debug_port), (conn, debug_port))                         \
  F(unsigned char*, PQunescapeBytea, (const unsigned char* strtext, size_t* retbuflen),            \
    (strtext, retbuflen))                                                                          \
  F(void, PQuntrace, (PGconn * conn), (conn))                                                      \
  F(char*, PQuser, (const PGconn* conn), (conn))

namespace slipway::controller {
namespace {

struct LibPq {
#define SLIPWAY_DECLARE(result, name, parameters, arguments) decltype(&::name) name = nullptr;
  SLIPWAY_LIB_PQ(SLIPWAY_DECLARE)
#undef SLIPWAY_DECLARE
};

LibPq g_lib;  // of zeros until it is loaded

absl::Status Load() {
  void* library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "a store in PostgreSQL needs the library libpq5 on this machine: ", dlerror()));
  }
  LibPq lib;
  for (const auto& [name, function] : {
#define SLIPWAY_LOOK_UP(result, name, parameters, arguments) \
  std::pair{#name, reinterpret_cast<void**>(&lib.name)},
           SLIPWAY_LIB_PQ(SLIPWAY_LOOK_UP)
#undef SLIPWAY_LOOK_UP
       }) {
    *function = dlsym(library, name);
    if (*function == nullptr) {
      return absl::FailedPreconditionError(absl::StrCat("libpq5 of this machine has no ", name));
    }
  }
  g_lib = lib;
  return absl::OkStatus();
}

}  // namespace

absl::Status LoadLibPq() {
  static const auto* const kLoaded = new absl::Status(Load());
  return *kLoaded;
}

// What the linker finds instead of libpq itself.
extern "C" {
#define SLIPWAY_DEFINE(result, name, parameters, arguments) \
  result name parameters {                                  \
    return g_lib.name arguments;                            \
  }
SLIPWAY_LIB_PQ(SLIPWAY_DEFINE)
#undef SLIPWAY_DEFINE
}

}  // namespace slipway::controller
