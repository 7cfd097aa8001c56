// SPDX-License-Identifier: Apache-2.0
// The self-pipe. Only async-signal-safe calls stand in the handler.
#include "operations/signals.h"

#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace bridgehost
{

namespace
{

int g_pipe[2] = {-1, -1};
volatile std::sig_atomic_t g_last = 0;

extern "C" void onStopSignal(int)
{
    if (g_last)
        ::_exit(1);
    const char byte = 1;
    [[maybe_unused]] const ssize_t written = ::write(g_pipe[1], &byte, 1);
}

} // namespace

StopSignals::StopSignals(QObject *parent) : QObject(parent)
{
    std::signal(SIGPIPE, SIG_IGN);
    if (::pipe2(g_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    m_notifier = std::make_unique<QSocketNotifier>(g_pipe[0], QSocketNotifier::Read);
    connect(m_notifier.get(), &QSocketNotifier::activated, this, [this] {
        char byte = 0;
        while (::read(g_pipe[0], &byte, 1) == 1)
            Q_EMIT stopRequested();
    });
    struct sigaction action = {};
    action.sa_handler = onStopSignal;
    action.sa_flags = SA_RESTART;
    ::sigaction(SIGTERM, &action, nullptr);
    ::sigaction(SIGINT, &action, nullptr);
}

StopSignals::~StopSignals()
{
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    m_notifier.reset();
    ::close(g_pipe[0]);
    ::close(g_pipe[1]);
}

void StopSignals::lastStep()
{
    g_last = 1;
}

} // namespace bridgehost
