#ifndef BTFD_ENVIRONMENT_H_
#define BTFD_ENVIRONMENT_H_

#include <napi.h>

#include <memory>

#include "btf-fd.h"
#include "loader.h"
#include "open-fd.h"

namespace btfd {

// The state of one JavaScript environment: that of the main thread or of a worker. Nothing is global.
struct Environment {
  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  Napi::FunctionReference btf_fd_constructor;
  // Shared, because objects may outlive this structure when the environment ends.
  std::shared_ptr<FdStats> fd_stats = std::make_shared<FdStats>();
  Loader loader;
};

}  // namespace btfd

#endif  // BTFD_ENVIRONMENT_H_
