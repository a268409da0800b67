#include "deploy/media-repository/loadgen/user.h"

#include <httplib.h>
#include <openssl/evp.h>

#include <array>
#include <nlohmann/json.hpp>
#include <random>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace media::load {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kUploadBytesMin = 1'000;
constexpr std::size_t kUploadBytesMax = 32'000;

std::string Sha256(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha256(), nullptr);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), length));
}

// Content that differs for each number and is the same for each call.
std::string MakeContent(std::uint64_t number) {
  std::mt19937_64 random(number);
  const std::size_t size = kUploadBytesMin + random() % (kUploadBytesMax - kUploadBytesMin);
  std::string content(size, '\0');
  for (char& byte : content) byte = static_cast<char>(random());
  return content;
}

const char* Explain(httplib::Error error) {
  switch (error) {
    case httplib::Error::Connection:
    case httplib::Error::ConnectionTimeout:
      return "cannot connect";
    case httplib::Error::Read:
      return "no answer: the connection ended or the time limit was reached";
    case httplib::Error::Write:
      return "the request could not be sent";
    default:
      return "the request failed in the client";
  }
}

// The part that all answers share. `failure` is set unless the status is `expected`.
Outcome Judge(std::string request, const httplib::Result& result, int expected) {
  if (!result) {
    return {.request = std::move(request), .status = "none", .failure = Explain(result.error())};
  }
  Outcome outcome = {.request = std::move(request), .status = absl::StrCat(result->status)};
  if (result->status != expected) {
    outcome.failure =
        absl::StrCat("status ", result->status, " from ", result->get_header_value("X-Served-By"),
                     ": ", result->body.substr(0, 200));
  }
  return outcome;
}

// The JSON object in `text`; a discarded value otherwise.
Json ParseObject(const std::string& text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json(Json::value_t::discarded);
}

std::string TextOf(const Json& json, const char* name) {
  const auto member = json.find(name);
  return member != json.end() && member->is_string() ? member->get<std::string>() : "";
}

}  // namespace

void Uploads::Add(Upload upload) {
  const std::scoped_lock lock(mutex_);
  if (uploads_.size() < kKept) {
    uploads_.push_back(std::move(upload));
    return;
  }
  uploads_[next_] = std::move(upload);
  next_ = (next_ + 1) % kKept;
}

std::optional<Uploads::Upload> Uploads::Pick(std::uint64_t number) const {
  const std::scoped_lock lock(mutex_);
  if (uploads_.empty()) return std::nullopt;
  return uploads_[number % uploads_.size()];
}

User::User(const std::string& base_url, std::string run, std::chrono::milliseconds timeout,
           Uploads& uploads)
    : run_(std::move(run)),
      uploads_(uploads),
      client_(std::make_unique<httplib::Client>(base_url)) {
  client_->set_keep_alive(true);
  client_->set_tcp_nodelay(true);
  client_->set_connection_timeout(timeout);
  client_->set_read_timeout(timeout);
  client_->set_write_timeout(timeout);
}

User::~User() = default;

Outcome User::Send(std::uint64_t number) {
  const std::uint64_t kind = number % 10;
  if (kind < 2) return Upload(number);
  if (kind < 6) return List(number);
  const std::optional<Uploads::Upload> upload = uploads_.Pick(number * 0x9E3779B97F4A7C15u >> 32);
  return upload.has_value() ? Fetch(*upload) : List(number);
}

Outcome User::List(std::uint64_t number) {
  const std::string path = number % 2 == 0 ? "/api/images?limit=20" : "/api/videos?limit=20";
  const httplib::Result result = client_->Get(path);
  Outcome outcome = Judge("GET " + path, result, 200);
  if (!outcome.failure.empty()) return outcome;
  const Json json = ParseObject(result->body);
  if (json.is_discarded() || !json.contains("items")) outcome.failure = "the answer is not a list";
  return outcome;
}

Outcome User::Fetch(const Uploads::Upload& upload) {
  const httplib::Result result = client_->Get(upload.content_path);
  Outcome outcome = Judge("GET " + upload.content_path, result, 200);
  if (outcome.failure.empty() && Sha256(result->body) != upload.sha256) {
    outcome.failure =
        absl::StrCat("other content than was uploaded, ", result->body.size(), " bytes");
  }
  return outcome;
}

Outcome User::Upload(std::uint64_t number) {
  const bool image = number % 2 == 0;
  const std::string path =
      absl::StrCat(image ? "/api/images" : "/api/videos", "?title=load%20", number);
  const std::string content = MakeContent(number);
  const httplib::Headers headers = {{"Idempotency-Key", absl::StrCat("load-", run_, "-", number)}};
  const httplib::Result result =
      client_->Post(path, headers, content, image ? "image/png" : "video/mp4");
  Outcome outcome = Judge("POST " + path, result, 201);
  if (!outcome.failure.empty()) return outcome;
  const Json json = ParseObject(result->body);
  const std::string sha256 = Sha256(content);
  const std::string content_path = json.is_discarded() ? "" : TextOf(json, "content");
  if (content_path.empty() || TextOf(json, "sha256") != sha256) {
    outcome.failure = "the answer does not describe the upload";
    return outcome;
  }
  uploads_.Add({.content_path = content_path, .sha256 = sha256});
  return outcome;
}

}  // namespace media::load
