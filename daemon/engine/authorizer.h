// Authorizer: what SQL may do at all on the daemon's connections, asked by SQLite while it prepares a statement.
// sqlite.org/c3ref/set_authorizer.html
//
// Refused: ATTACH, TEMP objects, transaction control as text (core/ takes it apart before), and every PRAGMA that is
// not on the list. Belongs to one connection and its thread.
#pragma once

#include <string>

namespace skua {

class Authorizer {
 public:
  // sqlite3_set_authorizer()'s callback; `self` is the Authorizer.
  static int callback(void* self, int action, const char* first, const char* second, const char* database,
                      const char* trigger);

  // The reason of the last refusal, for the error message; empty if there was none since it was taken.
  std::string take_refusal();

  // Whether a function was named, since forget_functions(), that may take long for what it is given: all but those known
  // to be quick.
  bool saw_function() const { return saw_function_; }
  void forget_functions() { saw_function_ = false; }

  // From now on TEMP tables, views and indexes are allowed: the connection belongs to one session.
  void allow_temporary() { temporary_ = true; }
  bool allows_temporary() const { return temporary_; }

  // While alive, the daemon's own statements are prepared: transaction control is allowed.
  class Internal {
   public:
    explicit Internal(Authorizer& authorizer) : authorizer_(authorizer) { authorizer_.internal_ = true; }
    ~Internal() { authorizer_.internal_ = false; }
    Internal(const Internal&) = delete;
    Internal& operator=(const Internal&) = delete;

   private:
    Authorizer& authorizer_;
  };

 private:
  int refuse(std::string reason);
  int check_pragma(const char* name, const char* argument);

  bool internal_ = false;
  bool temporary_ = false;
  bool saw_function_ = false;
  std::string refusal_;
};

}  // namespace skua
