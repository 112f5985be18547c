// AccessRules: who may open a session at all. Loop thread; reads the system's user database.
//
// The daemon's own user and root always may; others by name in the configuration. What a session may do then is the
// same for all.
#pragma once

#include <string>
#include <vector>

#include "daemon/core/peer_identity.h"
#include "protocol/result.h"

namespace skua {

class AccessRules {
 public:
  AccessRules() = default;
  // Names, or numbers as text. kNotFound for a name the system does not know.
  static Result<AccessRules> of(const std::vector<std::string>& users, const std::vector<std::string>& groups);

  bool allows(const PeerIdentity& peer) const;
  // True if anyone but the daemon's own user and root may connect.
  bool allows_others() const { return !users_.empty() || !groups_.empty(); }

 private:
  std::vector<uid_t> users_;
  std::vector<gid_t> groups_;
};

}  // namespace skua
