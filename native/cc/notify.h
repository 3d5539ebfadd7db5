#ifndef BTFD_NOTIFY_H_
#define BTFD_NOTIFY_H_

#include <string>

namespace btfd {

// Sends one datagram to a unix socket: a path, or a name in the abstract namespace after '@'. Does not wait.
// Gives 0, or an errno made negative.
int Notify(const std::string& address, const std::string& text);

}  // namespace btfd

#endif  // BTFD_NOTIFY_H_
