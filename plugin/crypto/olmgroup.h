// SPDX-License-Identifier: Apache-2.0
// Megolm over libolm. Private to the backend.
#pragma once

#include "crypto/backend.h"
#include "crypto/olmhandle.h"

namespace voip::crypto::olm
{

class OutboundOfOlm final : public OutboundGroup
{
public:
    OutboundOfOlm() = default;
    explicit OutboundOfOlm(Handle<::OlmOutboundGroupSession> handle) : m_handle(std::move(handle)) {}
    [[nodiscard]] Outcome<Done> create(const Random &random);

    [[nodiscard]] QString id() const override;
    [[nodiscard]] quint32 index() const override;
    [[nodiscard]] Secret key() override;
    [[nodiscard]] Outcome<QString> encrypt(QByteArrayView plaintext) override;
    [[nodiscard]] Outcome<Secret> pickle() override { return m_handle.pickle(); }

private:
    Handle<::OlmOutboundGroupSession> m_handle;
};

class InboundOfOlm final : public InboundGroup
{
public:
    InboundOfOlm() = default;
    explicit InboundOfOlm(Handle<::OlmInboundGroupSession> handle) : m_handle(std::move(handle)) {}
    [[nodiscard]] Outcome<Done> create(const Secret &key);
    [[nodiscard]] Outcome<Done> import(const Secret &exported);

    [[nodiscard]] QString id() const override;
    [[nodiscard]] quint32 firstIndex() const override;
    [[nodiscard]] Outcome<MegolmPlain> decrypt(const QString &ciphertext) override;
    [[nodiscard]] Outcome<Secret> exportAt(quint32 index) override;
    [[nodiscard]] Outcome<Secret> pickle() override { return m_handle.pickle(); }

private:
    Handle<::OlmInboundGroupSession> m_handle;
};

} // namespace voip::crypto::olm
