// SPDX-License-Identifier: Apache-2.0
#include "crypto/records.h"

#include "crypto/place.h"

#include <array>

namespace voip::crypto
{

namespace
{

constexpr std::array kinds{Kind::Device,   Kind::User,     Kind::Olm,      Kind::Inbound, Kind::Withheld,
                           Kind::Outbound, Kind::ToDevice, Kind::Verified, Kind::Backup,  Kind::ToBackUp};

} // namespace

QString toString(Kind kind)
{
    switch (kind) {
    case Kind::Device:
        return QStringLiteral("device");
    case Kind::User:
        return QStringLiteral("user");
    case Kind::Olm:
        return QStringLiteral("olm");
    case Kind::Inbound:
        return QStringLiteral("inbound");
    case Kind::Withheld:
        return QStringLiteral("withheld");
    case Kind::Outbound:
        return QStringLiteral("outbound");
    case Kind::ToDevice:
        return QStringLiteral("to_device");
    case Kind::Verified:
        return QStringLiteral("verified");
    case Kind::Backup:
        return QStringLiteral("backup");
    case Kind::ToBackUp:
        return QStringLiteral("to_back_up");
    }
    return {};
}

std::optional<Kind> kindFrom(const QString &word)
{
    for (const Kind kind : kinds) {
        if (toString(kind) == word)
            return kind;
    }
    return {};
}

Records::Records(const Seal &seal, QString owner, const QVector<SealedRecord> &committed)
    : m_seal(seal), m_owner(std::move(owner))
{
    for (const SealedRecord &record : committed)
        m_committed.insert(record.where, record.sealed);
}

QByteArray Records::placeOf(const RecordKey &where) const
{
    return crypto::placeOf(m_owner, toString(where.kind), where.key);
}

QStringList Records::keys(Kind kind) const
{
    QStringList found;
    for (auto it = m_committed.lowerBound({kind, {}}); it != m_committed.constEnd() && it.key().kind == kind; ++it) {
        if (!m_changes.contains(it.key()))
            found.push_back(it.key().key);
    }
    for (auto it = m_changes.lower_bound({kind, {}}); it != m_changes.end() && it->first.kind == kind; ++it) {
        if (!it->second.removed)
            found.push_back(it->first.key);
    }
    return found;
}

bool Records::has(const RecordKey &where) const
{
    const auto change = m_changes.find(where);
    return change != m_changes.end() ? !change->second.removed : m_committed.contains(where);
}

Outcome<Secret> Records::read(const RecordKey &where) const
{
    if (const auto change = m_changes.find(where); change != m_changes.end()) {
        if (change->second.removed)
            return Fault::BadPickle;
        return change->second.plain.clone();
    }
    const auto found = m_committed.constFind(where);
    if (found == m_committed.constEnd())
        return Fault::BadPickle;
    return m_seal.open(*found, placeOf(where));
}

void Records::write(const RecordKey &where, Secret plain)
{
    m_changes[where] = Change{std::move(plain), {}, false};
}

void Records::remove(const RecordKey &where)
{
    if (m_committed.contains(where))
        m_changes[where] = Change{{}, {}, true};
    else
        m_changes.erase(where);
}

void Records::removeAll()
{
    m_changes.clear();
    for (auto it = m_committed.constBegin(); it != m_committed.constEnd(); ++it)
        m_changes[it.key()] = Change{{}, {}, true};
}

Outcome<QVector<SealedRecord>> Records::changes(const Random &random)
{
    QVector<SealedRecord> list;
    for (auto &[where, change] : m_changes) {
        if (!change.removed && change.sealed.isEmpty()) {
            const auto sealed = m_seal.close(change.plain, placeOf(where), random);
            if (!sealed)
                return sealed.error();
            change.sealed = *sealed;
        }
        list.push_back({where, change.sealed});
    }
    return list;
}

void Records::committed()
{
    for (auto &[where, change] : m_changes) {
        if (change.removed)
            m_committed.remove(where);
        else
            m_committed.insert(where, change.sealed);
    }
    m_changes.clear();
}

} // namespace voip::crypto
