// SPDX-License-Identifier: Apache-2.0
// One side of a short authentication string over libolm. Private to the backend. Keys with which everybody agrees on
// the same secret are refused here: libolm takes them.
#pragma once

#include "crypto/backend.h"

#include <olm/sas.h>

namespace voip::crypto::olm
{

class SasOfOlm final : public SasKeys
{
public:
    SasOfOlm();
    SasOfOlm(const SasOfOlm &) = delete;
    SasOfOlm &operator=(const SasOfOlm &) = delete;
    ~SasOfOlm() override;
    [[nodiscard]] Outcome<Done> create(const Random &random);

    [[nodiscard]] QString publicKey() const override { return m_public; }
    [[nodiscard]] Outcome<Done> agree(const QString &theirKey) override;
    [[nodiscard]] Outcome<QByteArray> bytes(QByteArrayView info, std::size_t size) override;
    [[nodiscard]] Outcome<QString> mac(QByteArrayView message, QByteArrayView info) override;

private:
    std::unique_ptr<std::byte[]> m_memory;
    ::OlmSAS *m_sas;
    QString m_public;
};

} // namespace voip::crypto::olm
