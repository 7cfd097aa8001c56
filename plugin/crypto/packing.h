// SPDX-License-Identifier: Apache-2.0
// A record of the machine's state as bytes, without a copy that is not wiped: numbers of eight bytes, texts and secrets
// with their length before them. What is read is believed in nothing: a short or overlong record fails as a whole
// (BadPickle), and what was read of it until then is empty or zero.
#pragma once

#include "crypto/outcome.h"
#include "crypto/secret.h"

#include <QString>

namespace voip::crypto
{

class Packer
{
public:
    explicit Packer(int version) { number(version); }
    Packer &number(qint64 value);
    Packer &text(const QString &value);
    Packer &secret(QByteArrayView value);
    [[nodiscard]] Secret take();

private:
    void append(const char *bytes, std::size_t size);

    Secret m_bytes;
    std::size_t m_used = 0;
};

class Unpacker
{
public:
    // `bytes` must outlive it. Another version fails.
    Unpacker(QByteArrayView bytes, int version);
    [[nodiscard]] qint64 number();
    [[nodiscard]] bool flag() { return number() == 1; }
    [[nodiscard]] QString text();
    [[nodiscard]] Secret secret();
    // How many of something follow; more than `most` fails.
    [[nodiscard]] qsizetype count(qsizetype most);
    // All was there, and nothing is left.
    [[nodiscard]] bool good() const { return m_good && m_left.isEmpty(); }

private:
    [[nodiscard]] QByteArrayView next(qsizetype size);

    QByteArrayView m_left;
    bool m_good = true;
};

} // namespace voip::crypto
