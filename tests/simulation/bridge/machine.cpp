// SPDX-License-Identifier: Apache-2.0
#include "machine.h"

#include "chance.h"
#include "crypto/secret.h"

#include <QHashSeed>
#include <QRandomGenerator>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

namespace
{

constexpr qint64 birth = 1'800'000'000'000; // UTC ms when every world begins
constexpr qint64 upSince = 1'000'000;       // the monotonic clock's start

struct Machine {
    bool simulated = false;
    qint64 now = 0;
    qint64 wallAhead = 0;
    bridgesim::Chance entropy{0};
};
Machine here;

qint64 millis(clockid_t clock)
{
    const bool wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    return wall ? birth + here.now + here.wallAhead : upSince + here.now;
}

} // namespace

// They take the place of the C library's for every library of this process.
extern "C" {

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *time) noexcept
{
    if (!here.simulated)
        return static_cast<int>(syscall(SYS_clock_gettime, clock, time));
    const qint64 ms = millis(clock);
    time->tv_sec = ms / 1000;
    time->tv_nsec = ms % 1000 * 1'000'000;
    return 0;
}

__attribute__((visibility("default"))) int gettimeofday(struct timeval *time, void *zone) noexcept
{
    struct timespec precise {
    };
    const int result = clock_gettime(CLOCK_REALTIME, &precise);
    time->tv_sec = precise.tv_sec;
    time->tv_usec = precise.tv_nsec / 1000;
    if (zone)
        std::memset(zone, 0, sizeof(struct timezone));
    return result;
}

__attribute__((visibility("default"))) int getentropy(void *buffer, size_t length)
{
    if (!here.simulated)
        return syscall(SYS_getrandom, buffer, length, 0) == static_cast<long>(length) ? 0 : -1;
    auto *bytes = static_cast<unsigned char *>(buffer);
    for (size_t done = 0; done < length;) {
        const quint64 word = here.entropy.next();
        const size_t part = std::min(sizeof(word), length - done);
        std::memcpy(bytes + done, &word, part);
        done += part;
    }
    return 0;
}

__attribute__((visibility("default"))) ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    if (!here.simulated)
        return syscall(SYS_getrandom, buffer, length, flags);
    (void)getentropy(buffer, length);
    return static_cast<ssize_t>(length);
}

} // extern "C"

namespace bridgesim::machine
{

void prepare()
{
    // What the processor could do beyond the least: also its random numbers, and hashes that others compute otherwise.
    if (auto *features = static_cast<quint64 *>(dlsym(RTLD_DEFAULT, "qt_cpu_features")))
        *features = 1;
    QHashSeed::setDeterministicGlobalSeed();
    begin(1);
    const quint64 drawn = QRandomGenerator::system()->generate64();
    begin(1);
    if (QRandomGenerator::system()->generate64() != drawn)
        qFatal("this Qt takes its randomness from elsewhere: no seed could be trusted");
    std::array<char, 8> key{};
    std::array<char, 8> again{};
    begin(1);
    const bool given = voip::crypto::systemRandom(key);
    begin(1);
    if (!given || !voip::crypto::systemRandom(again) || key != again)
        qFatal("keys are drawn from elsewhere: no seed could be trusted");
    end();
}

void begin(quint64 seed)
{
    here = {true, 0, 0, Chance(mixed(seed, 0xe47))};
}

void end()
{
    here.simulated = false;
}

void setNow(qint64 ms)
{
    here.now = ms;
}

void setWallAhead(qint64 ms)
{
    here.wallAhead = ms;
}

qint64 wallAhead()
{
    return here.wallAhead;
}

qint64 wallNow(qint64 ahead)
{
    return birth + here.now + ahead;
}

qint64 realNow()
{
    struct timespec time {
    };
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time);
    return static_cast<qint64>(time.tv_sec) * 1000 + time.tv_nsec / 1'000'000;
}

} // namespace bridgesim::machine
