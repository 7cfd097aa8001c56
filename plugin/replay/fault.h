// SPDX-License-Identifier: Apache-2.0
// Why a line of a timeline cannot be read, and the typed access to JSON fields that finds it out. The first defect
// stays; reads after it give empty values, so that a reader needs to look once, at the end.
#pragma once

#include "call/types.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QString>

#include <optional>

namespace voip::replay
{

struct Fault {
    qint64 line = 0;
    QString field; // empty: the line as a whole
    QString what;

    [[nodiscard]] QString text() const;
    bool operator==(const Fault &) const = default;
};

class Fields
{
public:
    explicit Fields(QJsonObject object) : m_object(std::move(object)) {}

    [[nodiscard]] bool has(const char *key) const { return m_object.contains(QLatin1String(key)); }
    [[nodiscard]] const QJsonObject &all() const { return m_object; }
    QString text(const char *key); // mandatory, 1 to 255 characters
    QString text(const char *key, const QString &otherwise);
    QString longText(const char *key); // mandatory, may be empty
    qint64 integer(const char *key);   // mandatory, 0 to 2^53
    qint64 integer(const char *key, qint64 otherwise);
    bool flag(const char *key, bool otherwise);
    QJsonObject object(const char *key); // mandatory
    QJsonArray list(const char *key);    // mandatory

    void fail(const QString &field, const QString &what);
    void fail(const char *field, const char *what) { fail(QString::fromLatin1(field), QString::fromLatin1(what)); }
    [[nodiscard]] const std::optional<Fault> &fault() const { return m_fault; }

private:
    QJsonObject m_object;
    std::optional<Fault> m_fault;
};

} // namespace voip::replay
