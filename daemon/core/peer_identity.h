// PeerIdentity: who is at the other end of a session, as the kernel says (SO_PEERCRED, unix(7)). Plain data.
#pragma once

#include <sys/types.h>

#include <string>

namespace skua {

struct PeerIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  std::string command;  // the program's name at the time it connected, for people
};

}  // namespace skua
