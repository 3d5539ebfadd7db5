#ifndef BTFD_ENVIRONMENT_H_
#define BTFD_ENVIRONMENT_H_

#include <napi.h>

#include "btf-fds.h"
#include "loader.h"

namespace btfd {

// The state of one JavaScript environment: that of the main thread or of a worker. Nothing is global.
struct Environment {
  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  BtfFds btf_fds;
  Loader loader;
};

}  // namespace btfd

#endif  // BTFD_ENVIRONMENT_H_
