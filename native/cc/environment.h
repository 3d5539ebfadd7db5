#ifndef BTFD_ENVIRONMENT_H_
#define BTFD_ENVIRONMENT_H_

#include <napi.h>

#include <memory>

#include "btf-fd.h"
#include "loader.h"
#include "open-fd.h"

namespace btfd {

// What one JavaScript environment (the main thread's, a worker's) has of its own. Nothing is global.
struct Environment {
  static Environment& Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  Napi::FunctionReference btf_fd_constructor;
  // Shared: at the environment's end objects may outlive this structure.
  std::shared_ptr<FdStats> fd_stats = std::make_shared<FdStats>();
  Loader loader;
};

}  // namespace btfd

#endif  // BTFD_ENVIRONMENT_H_
