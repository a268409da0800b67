#include "deploy/media-repository/http_api.h"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "deploy/media-repository/byte_range.h"
#include "deploy/media-repository/drainable_server.h"
#include "deploy/media-repository/log.h"

namespace media {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kPathBytesMax = 256;
constexpr std::size_t kKeyBytesMax = 128;
constexpr int kListLimit = 100;
constexpr int kListLimitMax = 1000;

void AnswerJson(httplib::Response& response, int status, const Json& json) {
  response.status = status;
  response.set_content(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
                       "application/json");
}

void AnswerError(httplib::Response& response, int status, absl::string_view message) {
  AnswerJson(response, status,
             {{"error", {{"status", status}, {"message", std::string(message)}}}});
}

// What the codes that functions of this service return mean to its clients.
int HttpStatus(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kUnimplemented:
      return 415;
    case absl::StatusCode::kOutOfRange:
      return 413;
    case absl::StatusCode::kFailedPrecondition:
      return 411;
    case absl::StatusCode::kAlreadyExists:
      return 422;
    case absl::StatusCode::kUnavailable:
      return 503;
    case absl::StatusCode::kResourceExhausted:
      return 507;
    default:
      return 500;
  }
}

void AnswerFailure(httplib::Response& response, const absl::Status& status) {
  const int code = HttpStatus(status.code());
  if (code >= 500) Log(absl::StrCat("ERROR ", status.message()));
  if (code == 503) response.set_header("Retry-After", "1");
  AnswerError(response, code, status.message());
}

Json ToJson(const Asset& asset, bool with_kind, const std::string& collection) {
  Json json = {{"id", asset.id}};
  if (with_kind) json["kind"] = std::string(KindName(asset.kind));
  json["title"] = asset.title;
  json["content_type"] = asset.content_type;
  json["bytes"] = asset.bytes;
  json["sha256"] = asset.sha256;
  json["created"] = FormatTime(asset.created_ms);
  json["content"] = absl::StrCat(collection, "/", asset.id, "/content");
  return json;
}

// The list goes on behind this asset: `MILLIS-ID`.
std::string ToCursor(const Asset& asset) {
  return absl::StrCat(asset.created_ms, "-", asset.id);
}

std::optional<Catalog::Position> FromCursor(const std::string& cursor) {
  const std::vector<std::string> parts = absl::StrSplit(cursor, '-');
  Catalog::Position position;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &position.created_ms)) return std::nullopt;
  position.id = parts[1];
  return position;
}

// `video/mp4; codecs=avc1` -> `video/mp4`
std::string MediaType(const httplib::Request& request) {
  const std::string header = request.get_header_value("Content-Type");
  const absl::string_view type = absl::string_view(header).substr(0, header.find(';'));
  return absl::AsciiStrToLower(absl::StripAsciiWhitespace(type));
}

bool IsKey(const std::string& key) {
  return key.size() <= kKeyBytesMax &&
         std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

}  // namespace

HttpApi::HttpApi(const Config& config, const Release& release, Catalog& catalog, BlobStore& blobs,
                 Health health)
    : config_(config),
      release_(release),
      catalog_(catalog),
      blobs_(blobs),
      health_(std::move(health)) {
  if (!release.unified_api || config.legacy) {
    collections_.push_back({.path = "/api/images", .kinds = {Kind::image}});
    collections_.push_back({.path = "/api/videos", .kinds = {Kind::video}});
  }
  if (release.unified_api) {
    collections_.push_back(
        {.path = "/api/media", .kinds = {Kind::image, Kind::video}, .shows_kind = true});
  }
}

void HttpApi::Serve(httplib::Server& server) {
  // Paths are taken apart by Resolve: one rule for all methods, and no backtracking over hostile
  // ones. The patterns of httplib only see paths of bounded length.
  using httplib::Request;
  using httplib::Response;
  server.set_pre_routing_handler([](const Request& request, Response& response) {
    if (request.path.size() <= kPathBytesMax) return httplib::Server::HandlerResponse::Unhandled;
    AnswerError(response, 414, "the path is too long");
    return httplib::Server::HandlerResponse::Handled;
  });
  server.Get(".*", [this](const Request& request, Response& response) { Read(request, response); });
  const auto write = [this](const Request& request, Response& response,
                            const httplib::ContentReader& body) { Write(request, response, body); };
  server.Post(".*", write).Put(".*", write).Patch(".*", write).Delete(".*", write);
  server.set_error_handler([](const Request&, Response& response) {
    if (response.body.empty()) AnswerError(response, response.status, "the request was refused");
  });
  server.set_default_headers({{"X-Content-Type-Options", "nosniff"},
                              {"X-Served-By", absl::StrCat(config_.name, " ", release_.version)}});
}

absl::StatusOr<HttpApi::Target> HttpApi::Resolve(const std::string& path) const {
  for (const Collection& collection : collections_) {
    absl::string_view rest = path;
    if (!absl::ConsumePrefix(&rest, collection.path)) continue;
    if (rest.empty()) return Target{.collection = &collection};
    if (!absl::ConsumePrefix(&rest, "/")) continue;
    const bool content = absl::ConsumeSuffix(&rest, "/content");
    // What is not an id never reaches the catalogue or a file name.
    if (!IsId(rest)) return absl::InvalidArgumentError("an id has 32 hexadecimal digits");
    return Target{.collection = &collection, .id = std::string(rest), .content = content};
  }
  return absl::NotFoundError("there is nothing here");
}

void HttpApi::Read(const httplib::Request& request, httplib::Response& response) {
  if (request.path == "/health") return ShowHealth(response);
  const absl::StatusOr<Target> target = Resolve(request.path);
  if (!target.ok()) return AnswerFailure(response, target.status());
  if (target->id.empty()) return List(*target->collection, request, response);
  if (target->content) return SendContent(*target, request, response);
  ShowAsset(*target, response);
}

void HttpApi::Write(const httplib::Request& request, httplib::Response& response,
                    const httplib::ContentReader& body) {
  const absl::StatusOr<Target> target = Resolve(request.path);
  if (!target.ok()) return AnswerFailure(response, target.status());
  if (target->id.empty() && request.method == "POST") {
    return Upload(*target->collection, request, response, body);
  }
  if (!target->id.empty() && !target->content && request.method == "DELETE") {
    return Delete(*target, response);
  }
  response.set_header("Allow", target->id.empty() ? "GET, HEAD, POST"
                               : target->content  ? "GET, HEAD"
                                                  : "GET, HEAD, DELETE");
  AnswerError(response, 405, absl::StrCat(request.method, " is not possible here"));
}

void HttpApi::ShowHealth(httplib::Response& response) {
  Json json = {{"status", "ok"},
               {"version", std::string(release_.version)},
               {"release", config_.release},
               {"instance", config_.name}};
  absl::Status healthy = health_();
  const absl::StatusOr<int> schema = catalog_.SchemaVersion();
  if (schema.ok()) json["schema"] = *schema;
  healthy.Update(schema.status());
  if (!healthy.ok()) {
    json["status"] = "unavailable";
    json["reason"] = std::string(healthy.message());
  }
  response.set_header("Cache-Control", "no-store");
  AnswerJson(response, healthy.ok() ? 200 : 503, json);
}

void HttpApi::List(const Collection& collection, const httplib::Request& request,
                   httplib::Response& response) {
  int limit = kListLimit;
  if (request.has_param("limit") && (!absl::SimpleAtoi(request.get_param_value("limit"), &limit) ||
                                     limit < 1 || limit > kListLimitMax)) {
    return AnswerError(response, 400, absl::StrCat("limit is a number from 1 to ", kListLimitMax));
  }
  std::optional<Catalog::Position> after;
  if (request.has_param("after")) {
    after = FromCursor(request.get_param_value("after"));
    if (!after.has_value()) return AnswerError(response, 400, "after is the `next` of a list");
  }
  Kinds kinds = collection.kinds;
  if (request.has_param("kind") && collection.shows_kind) {
    const std::optional<Kind> kind = KindFromName(request.get_param_value("kind"));
    if (!kind.has_value()) return AnswerError(response, 400, "kind is image or video");
    kinds = {*kind};
  }
  const absl::StatusOr<std::vector<Asset>> assets = catalog_.List(kinds, after, limit);
  if (!assets.ok()) return AnswerFailure(response, assets.status());
  Json items = Json::array();
  for (const Asset& asset : *assets) {
    items.push_back(ToJson(asset, collection.shows_kind, collection.path));
  }
  const bool more = assets->size() == static_cast<std::size_t>(limit);
  AnswerJson(response, 200,
             {{"items", std::move(items)},
              {"next", more ? Json(ToCursor(assets->back())) : Json(nullptr)}});
}

void HttpApi::ShowAsset(const Target& target, httplib::Response& response) {
  const auto asset = catalog_.Find(target.collection->kinds, target.id);
  if (!asset.ok()) return AnswerFailure(response, asset.status());
  if (!asset->has_value()) return AnswerError(response, 404, "no asset has this id");
  AnswerJson(response, 200,
             ToJson(**asset, target.collection->shows_kind, target.collection->path));
}

void HttpApi::SendContent(const Target& target, const httplib::Request& request,
                          httplib::Response& response) {
  const auto asset = catalog_.Find(target.collection->kinds, target.id);
  if (!asset.ok()) return AnswerFailure(response, asset.status());
  if (!asset->has_value()) return AnswerError(response, 404, "no asset has this id");
  const std::string etag = absl::StrCat("\"", (*asset)->sha256, "\"");
  response.set_header("ETag", etag);
  if (request.get_header_value("If-None-Match") == etag) {
    response.status = 304;
    return;
  }
  const absl::StatusOr<std::shared_ptr<BlobReader>> blob = blobs_.Read(target.id);
  if (!blob.ok()) return AnswerFailure(response, blob.status());
  const std::int64_t size = (*asset)->bytes;
  if ((*blob)->bytes() != size) {
    return AnswerFailure(response, absl::DataLossError(absl::StrCat(
                                       "content of ", target.id, " has ", (*blob)->bytes(),
                                       " bytes on disk instead of ", size)));
  }
  RangeAnswer answer = {.kind = RangeAnswer::whole, .range = {}};
  const bool same = !request.has_header("If-Range") || request.get_header_value("If-Range") == etag;
  if (same) answer = AnswerToRange(request.get_header_value("Range"), size);
  response.set_header("Accept-Ranges", "bytes");
  if (answer.kind == RangeAnswer::unsatisfiable) {
    response.set_header("Content-Range", absl::StrCat("bytes */", size));
    return AnswerError(response, 416, absl::StrCat("the content has ", size, " bytes"));
  }
  const bool part = answer.kind == RangeAnswer::part;
  const ByteRange range = part ? answer.range : ByteRange{.offset = 0, .length = size};
  response.status = part ? 206 : 200;
  if (part) {
    response.set_header("Content-Range", absl::StrCat("bytes ", range.offset, "-",
                                                      range.offset + range.length - 1, "/", size));
  }
  response.set_content_provider(
      range.length, (*asset)->content_type,
      [blob = *blob, start = range.offset](size_t offset, size_t length, httplib::DataSink& sink) {
        std::array<char, 64 * 1024> buffer;
        const std::size_t count =
            blob->Read(start + offset, buffer.data(), std::min(length, buffer.size()));
        return count > 0 && sink.write(buffer.data(), count);
      });
}

absl::StatusOr<Asset> HttpApi::DescribeUpload(const Collection& collection,
                                              const httplib::Request& request) const {
  Asset asset = {.title = request.get_param_value("title"), .content_type = MediaType(request)};
  const std::optional<Kind> kind = KindOfContentType(asset.content_type);
  if (!kind.has_value() || std::find(collection.kinds.begin(), collection.kinds.end(), *kind) ==
                               collection.kinds.end()) {
    return absl::UnimplementedError(
        absl::StrCat("content type \"", asset.content_type, "\" is not taken here"));
  }
  asset.kind = *kind;
  if (!IsTitle(asset.title)) {
    return absl::InvalidArgumentError(
        absl::StrCat("?title= is needed: 1 to ", kTitleBytesMax, " bytes of printable UTF-8"));
  }
  if (!IsKey(request.get_header_value("Idempotency-Key"))) {
    return absl::InvalidArgumentError(
        absl::StrCat("Idempotency-Key has at most ", kKeyBytesMax, " printable ASCII characters"));
  }
  if (request.has_header("Transfer-Encoding")) return asset;
  std::int64_t length = 0;
  if (!absl::SimpleAtoi(request.get_header_value("Content-Length"), &length) || length < 0) {
    return absl::FailedPreconditionError("an upload needs its Content-Length");
  }
  if (length == 0) return absl::InvalidArgumentError("the upload is empty");
  if (length > config_.max_upload_bytes) {
    return absl::OutOfRangeError(
        absl::StrCat("an upload may have at most ", config_.max_upload_bytes, " bytes"));
  }
  return asset;
}

void HttpApi::Upload(const Collection& collection, const httplib::Request& request,
                     httplib::Response& response, const httplib::ContentReader& body) {
  const absl::StatusOr<Asset> described = DescribeUpload(collection, request);
  if (!described.ok()) return AnswerFailure(response, described.status());
  const absl::StatusOr<std::unique_ptr<BlobWriter>> blob = blobs_.Begin();
  if (!blob.ok()) return AnswerFailure(response, blob.status());

  absl::Status received;
  const bool whole = body([&](const char* data, size_t size) {
    // Counted here too: a chunked upload does not say its size before.
    if ((*blob)->bytes() + static_cast<std::int64_t>(size) > config_.max_upload_bytes) {
      received = absl::OutOfRangeError(
          absl::StrCat("an upload may have at most ", config_.max_upload_bytes, " bytes"));
    } else {
      received = (*blob)->Append({data, size});
    }
    return received.ok();
  });
  if (!received.ok()) return AnswerFailure(response, received);
  if (!whole) {
    Log(absl::StrCat("upload broke off after ", (*blob)->bytes(), " bytes"));
    return AnswerError(response, 400, "the upload broke off");
  }
  DrainableServer::KeepConnection(true);
  if ((*blob)->bytes() == 0) return AnswerError(response, 400, "the upload is empty");

  const absl::StatusOr<Catalog::Added> added =
      Store(*described, request.get_header_value("Idempotency-Key"), **blob);
  if (!added.ok()) return AnswerFailure(response, added.status());
  const Asset& asset = added->asset;
  Log(absl::StrCat(added->repeated ? "repeated upload of " : "uploaded ", KindName(asset.kind), " ",
                   asset.id, " ", asset.bytes, " bytes"));
  if (added->repeated) response.set_header("Idempotent-Replay", "true");
  response.set_header("Location", absl::StrCat(collection.path, "/", asset.id));
  AnswerJson(response, 201, ToJson(asset, collection.shows_kind, collection.path));
}

absl::StatusOr<Catalog::Added> HttpApi::Store(Asset asset, const std::string& key,
                                              BlobWriter& blob) {
  asset.id = NewId();
  asset.bytes = blob.bytes();
  asset.sha256 = blob.Sha256();
  asset.created_ms = NowMillis();
  // The file comes first, so that every row has its content.
  if (absl::Status published = blob.Publish(asset.id); !published.ok()) return published;
  absl::StatusOr<Catalog::Added> added = catalog_.Add(asset, key);
  // After any other error the row may be there or not, and the file stays. One that has no row is
  // swept at a later start.
  const bool not_needed = added.ok() ? added->repeated : absl::IsAlreadyExists(added.status());
  if (not_needed) blobs_.Remove(asset.id).IgnoreError();
  return added;
}

void HttpApi::Delete(const Target& target, httplib::Response& response) {
  const absl::StatusOr<bool> removed = catalog_.Remove(target.collection->kinds, target.id);
  if (!removed.ok()) return AnswerFailure(response, removed.status());
  if (!*removed) return AnswerError(response, 404, "no asset has this id");
  // The row decides; a file that stays is swept at the next start.
  const absl::Status erased = blobs_.Remove(target.id);
  if (!erased.ok()) Log(absl::StrCat("ERROR ", erased.message()));
  Log(absl::StrCat("deleted ", target.id));
  response.status = 204;
}

}  // namespace media
