// SPDX-License-Identifier: Apache-2.0
#include "crypto/packing.h"

#include <QtEndian>

#include <algorithm>
#include <cstring>

namespace voip::crypto
{

namespace
{

constexpr qsizetype numberSize = 8;
constexpr qsizetype maxPart = 1024LL * 1024;

} // namespace

void Packer::append(const char *bytes, std::size_t size)
{
    if (m_used + size > m_bytes.size()) {
        Secret larger(std::max<std::size_t>({256, m_bytes.size() * 2, m_used + size}));
        if (m_used > 0)
            std::memcpy(larger.data(), m_bytes.data(), m_used);
        m_bytes = std::move(larger);
    }
    if (size > 0)
        std::memcpy(m_bytes.data() + m_used, bytes, size);
    m_used += size;
}

Packer &Packer::number(qint64 value)
{
    const qint64 big = qToBigEndian(value);
    append(reinterpret_cast<const char *>(&big), numberSize);
    return *this;
}

Packer &Packer::secret(QByteArrayView value)
{
    number(value.size());
    append(value.data(), static_cast<std::size_t>(value.size()));
    return *this;
}

Packer &Packer::text(const QString &value)
{
    return secret(value.toUtf8());
}

Secret Packer::take()
{
    m_bytes.shrink(m_used);
    m_used = 0;
    return std::move(m_bytes);
}

Unpacker::Unpacker(QByteArrayView bytes, int version) : m_left(bytes)
{
    if (number() != version)
        m_good = false;
}

QByteArrayView Unpacker::next(qsizetype size)
{
    if (!m_good || size < 0 || size > maxPart || size > m_left.size()) {
        m_good = false;
        return {};
    }
    const QByteArrayView part = m_left.first(size);
    m_left = m_left.sliced(size);
    return part;
}

qint64 Unpacker::number()
{
    const QByteArrayView part = next(numberSize);
    return part.isEmpty() ? 0 : qFromBigEndian<qint64>(part.data());
}

QString Unpacker::text()
{
    return QString::fromUtf8(next(number()));
}

Secret Unpacker::secret()
{
    return Secret(next(number()));
}

qsizetype Unpacker::count(qsizetype most)
{
    const qint64 value = number();
    if (value < 0 || value > most)
        m_good = false;
    return m_good ? value : 0;
}

} // namespace voip::crypto
