// SPDX-License-Identifier: Apache-2.0
#include "crypto/olmgroup.h"

namespace voip::crypto::olm
{

namespace
{

unsigned char *bytesOf(char *data)
{
    return reinterpret_cast<unsigned char *>(data);
}

} // namespace

// --- outbound ------------------------------------------------------------------------------------------------------

Outcome<Done> OutboundOfOlm::create(const Random &random)
{
    auto entropy = draw(olm_init_outbound_group_session_random_length(m_handle.get()), random);
    if (!entropy)
        return entropy.error();
    if (olm_init_outbound_group_session(m_handle.get(), bytesOf(entropy.value().data()), entropy.value().size()) ==
        olm_error())
        return m_handle.fault();
    return Done{};
}

QString OutboundOfOlm::id() const
{
    QByteArray out(static_cast<qsizetype>(olm_outbound_group_session_id_length(m_handle.get())), '\0');
    olm_outbound_group_session_id(m_handle.get(), bytesOf(out.data()), static_cast<std::size_t>(out.size()));
    return QString::fromLatin1(out);
}

quint32 OutboundOfOlm::index() const
{
    return olm_outbound_group_session_message_index(m_handle.get());
}

Secret OutboundOfOlm::key()
{
    Secret out(olm_outbound_group_session_key_length(m_handle.get()));
    olm_outbound_group_session_key(m_handle.get(), bytesOf(out.data()), out.size());
    return out;
}

Outcome<QString> OutboundOfOlm::encrypt(QByteArrayView plaintext)
{
    if (plaintext.size() > maxPlaintext)
        return Fault::TooLarge;
    const auto size = static_cast<std::size_t>(plaintext.size());
    QByteArray out(static_cast<qsizetype>(olm_group_encrypt_message_length(m_handle.get(), size)), '\0');
    const std::size_t written =
        olm_group_encrypt(m_handle.get(), reinterpret_cast<const unsigned char *>(plaintext.data()), size,
                          bytesOf(out.data()), static_cast<std::size_t>(out.size()));
    if (written == olm_error())
        return m_handle.fault();
    return QString::fromLatin1(out.first(static_cast<qsizetype>(written)));
}

// --- inbound -------------------------------------------------------------------------------------------------------

Outcome<Done> InboundOfOlm::create(const Secret &key)
{
    if (auto bytes = fromBase64(key.view()); !bytes)
        return bytes.error();
    else
        wipe(bytes.value());
    if (olm_init_inbound_group_session(m_handle.get(), reinterpret_cast<const unsigned char *>(key.data()),
                                       key.size()) == olm_error())
        return m_handle.fault();
    return Done{};
}

Outcome<Done> InboundOfOlm::import(const Secret &exported)
{
    if (auto bytes = fromBase64(exported.view()); !bytes)
        return bytes.error();
    else
        wipe(bytes.value());
    if (olm_import_inbound_group_session(m_handle.get(), reinterpret_cast<const unsigned char *>(exported.data()),
                                         exported.size()) == olm_error())
        return m_handle.fault();
    return Done{};
}

QString InboundOfOlm::id() const
{
    QByteArray out(static_cast<qsizetype>(olm_inbound_group_session_id_length(m_handle.get())), '\0');
    olm_inbound_group_session_id(m_handle.get(), bytesOf(out.data()), static_cast<std::size_t>(out.size()));
    return QString::fromLatin1(out);
}

quint32 InboundOfOlm::firstIndex() const
{
    return olm_inbound_group_session_first_known_index(m_handle.get());
}

Outcome<MegolmPlain> InboundOfOlm::decrypt(const QString &ciphertext)
{
    const QByteArray body = ciphertext.toUtf8();
    if (const auto bytes = fromBase64(body); !bytes)
        return bytes.error();
    if (body.isEmpty())
        return Fault::BadMessage;
    const auto size = static_cast<std::size_t>(body.size());
    QByteArray scratch(body.constData(), body.size());
    const std::size_t most = olm_group_decrypt_max_plaintext_length(m_handle.get(), bytesOf(scratch.data()), size);
    if (most == olm_error())
        return m_handle.fault();
    scratch = QByteArray(body.constData(), body.size()); // it was decoded in place
    MegolmPlain plain{Secret(most), 0};
    const std::size_t written = olm_group_decrypt(m_handle.get(), bytesOf(scratch.data()), size,
                                                  bytesOf(plain.plaintext.data()), most, &plain.index);
    if (written == olm_error())
        return m_handle.fault();
    plain.plaintext.shrink(written);
    return plain;
}

Outcome<Secret> InboundOfOlm::exportAt(quint32 index)
{
    Secret out(olm_export_inbound_group_session_length(m_handle.get()));
    if (olm_export_inbound_group_session(m_handle.get(), bytesOf(out.data()), out.size(), index) == olm_error())
        return m_handle.fault();
    return out;
}

} // namespace voip::crypto::olm
