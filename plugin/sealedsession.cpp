// SPDX-License-Identifier: Apache-2.0
#include "sealedsession.h"

#include <QCoreApplication>

namespace voip
{

using namespace voiphost;

namespace
{

class Text
{
    Q_DECLARE_TR_FUNCTIONS(voip::SealedSession)
};

const QString key = QStringLiteral("sealed:session");
const QByteArray place = "settings\nsealed:session";

} // namespace

SealedSession::SealedSession(store::Store &store, const QByteArray &rootKey, QObject *context)
    : m_store(store), m_seal(crypto::Seal::with(crypto::Secret(rootKey))), m_context(context)
{
}

Expected<std::optional<homeserver::SessionRecord>> SealedSession::read(const QHash<QString, QByteArray> &settings) const
{
    using Record = std::optional<homeserver::SessionRecord>;
    const QByteArray sealed = settings.value(key);
    if (sealed.isEmpty())
        return Record();
    const auto cannot = [] {
        return Error{ErrorKind::Unavailable,
                     QStringLiteral("SESSION_UNREADABLE"),
                     Text::tr("The session that was kept cannot be opened: it was damaged, or sealed with another root "
                              "key. Log in again with bridge-host --login."),
                     {}};
    };
    if (!m_seal.ok())
        return cannot();
    const auto plain = m_seal->open(sealed, place);
    if (!plain.ok())
        return cannot();
    QByteArray bytes = plain->view().toByteArray();
    Record record = homeserver::sessionRecordOf(bytes);
    crypto::wipe(bytes);
    if (!record)
        return cannot();
    return record;
}

void SealedSession::save(const QByteArray &record, const std::function<void(bool)> &saved)
{
    QByteArray sealed;
    if (!record.isEmpty()) {
        const auto closed = m_seal.ok() ? m_seal->close(crypto::Secret(record), place, crypto::systemRandom)
                                        : crypto::Outcome<QByteArray>(m_seal.error());
        if (!closed.ok())
            return saved(false);
        sealed = *closed;
    }
    m_store.putSetting(key, sealed, m_context, [saved](const auto &result) { saved(result.ok()); });
}

} // namespace voip
