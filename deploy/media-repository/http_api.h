// The HTTP interface: which requests there are and what they answer. README.md lists them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "deploy/media-repository/blob_store.h"
#include "deploy/media-repository/catalog.h"
#include "deploy/media-repository/config.h"
#include "deploy/media-repository/release.h"

namespace httplib {
class ContentReader;
class Server;
struct Request;
struct Response;
}  // namespace httplib

namespace media {

// Thread-safe. All it is given must outlive it and the server that it serves.
class HttpApi {
 public:
  // OK, or why this instance should get no requests now; asked by GET /health.
  using Health = std::function<absl::Status()>;

  HttpApi(const Config& config, const Release& release, Catalog& catalog, BlobStore& blobs,
          Health health);

  // Makes `server` answer through this object.
  void Serve(httplib::Server& server);

 private:
  // One family of URLs and the kinds of media that it shows.
  struct Collection {
    std::string path;
    Kinds kinds;
    bool shows_kind = false;
  };

  // A path, taken apart: COLLECTION, COLLECTION/ID or COLLECTION/ID/content.
  struct Target {
    const Collection* collection = nullptr;
    std::string id = {};
    bool content = false;
  };

  absl::StatusOr<Target> Resolve(const std::string& path) const;

  void Read(const httplib::Request& request, httplib::Response& response);
  void Write(const httplib::Request& request, httplib::Response& response,
             const httplib::ContentReader& body);

  void ShowHealth(httplib::Response& response);
  void List(const Collection& collection, const httplib::Request& request,
            httplib::Response& response);
  void ShowAsset(const Target& target, httplib::Response& response);
  void SendContent(const Target& target, const httplib::Request& request,
                   httplib::Response& response);
  void Upload(const Collection& collection, const httplib::Request& request,
              httplib::Response& response, const httplib::ContentReader& body);
  void Delete(const Target& target, httplib::Response& response);

  // Reads the request's own account of what is uploaded.
  absl::StatusOr<Asset> DescribeUpload(const Collection& collection,
                                       const httplib::Request& request) const;
  // Stores what `blob` holds as `asset`, whose remaining fields it fills.
  absl::StatusOr<Catalog::Added> Store(Asset asset, const std::string& key, BlobWriter& blob);

  const Config& config_;
  const Release& release_;
  std::vector<Collection> collections_;
  Catalog& catalog_;
  BlobStore& blobs_;
  const Health health_;
};

}  // namespace media
