// SPDX-License-Identifier: Apache-2.0
// See sd_notify(3): a path, or a name in the abstract namespace that is written with a leading "@".
#include "operations/systemd.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace bridgehost
{

bool notifySystemd(const QByteArray &state)
{
    const QByteArray path = qgetenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (path.size() < 2 || size_t(path.size()) >= sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return false;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.constData(), size_t(path.size()));
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    const auto length = socklen_t(offsetof(sockaddr_un, sun_path) + size_t(path.size()));
    const ssize_t sent = ::sendto(fd, state.constData(), size_t(state.size()), MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr *>(&address), length);
    ::close(fd);
    return sent == state.size();
}

Watchdog::Watchdog()
{
    bool forUs = true;
    const QByteArray pid = qgetenv("WATCHDOG_PID");
    if (!pid.isEmpty())
        forUs = pid.toLongLong() == ::getpid();
    const qint64 ms = qgetenv("WATCHDOG_USEC").toLongLong() / 1000;
    if (!forUs || ms <= 0)
        return;
    QObject::connect(&m_timer, &QTimer::timeout, &m_timer, [] { notifySystemd("WATCHDOG=1"); });
    m_timer.start(int(std::clamp<qint64>(ms / 2, 1, 600'000)));
}

} // namespace bridgehost
