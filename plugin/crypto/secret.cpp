// SPDX-License-Identifier: Apache-2.0
#include "crypto/secret.h"

#include <cerrno>
#include <cstring>
#include <sys/random.h>

namespace voip::crypto
{

void Secret::wipe()
{
    if (!m_bytes.empty())
        explicit_bzero(m_bytes.data(), m_bytes.size());
}

Secret &Secret::operator=(Secret &&other) noexcept
{
    if (this != &other) {
        wipe();
        m_bytes = std::move(other.m_bytes);
        other.m_bytes.clear();
    }
    return *this;
}

void Secret::shrink(std::size_t size)
{
    if (size >= m_bytes.size())
        return;
    explicit_bzero(m_bytes.data() + size, m_bytes.size() - size);
    m_bytes.resize(size); // does not move what is left
}

void wipe(QByteArray &bytes)
{
    if (!bytes.isEmpty() && bytes.isDetached())
        explicit_bzero(bytes.data(), static_cast<std::size_t>(bytes.size()));
    bytes.clear();
}

bool systemRandom(std::span<char> bytes)
{
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = getrandom(bytes.data() + done, bytes.size() - done, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        done += static_cast<std::size_t>(got);
    }
    return true;
}

} // namespace voip::crypto
