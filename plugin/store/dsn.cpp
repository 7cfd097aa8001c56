// SPDX-License-Identifier: Apache-2.0
#include "store/dsn.h"

#include <QStringList>

#include <algorithm>

namespace voip::store
{

namespace
{

StoreError misconfigured(const QString &message)
{
    return {StoreError::Kind::Misconfigured, message};
}

// One value; `at` stands on its first character and is left behind it. Nothing if a quote is left open.
std::optional<QString> readValue(const QString &dsn, qsizetype &at)
{
    QString value;
    const bool quoted = at < dsn.size() && dsn.at(at) == u'\'';
    if (quoted)
        ++at;
    while (at < dsn.size()) {
        QChar c = dsn.at(at);
        if (quoted ? c == u'\'' : c.isSpace())
            break;
        if (c == u'\\' && at + 1 < dsn.size())
            c = dsn.at(++at);
        value += c;
        ++at;
    }
    if (quoted) {
        if (at >= dsn.size())
            return std::nullopt;
        ++at;
    }
    return value;
}

// What stands before "=" is part of a password when blanks were not quoted, or when it is a whole address: only what
// looks like a key is repeated.
QString shown(const QString &key)
{
    const bool looksLikeOne = key.size() <= 20 && std::all_of(key.cbegin(), key.cend(), [](QChar c) {
                                  return (c >= u'a' && c <= u'z') || c == u'_';
                              });
    return looksLikeOne ? key : QStringLiteral("...");
}

QString quoted(QString value)
{
    value.replace(u'\\', QStringLiteral("\\\\"));
    value.replace(u'\'', QStringLiteral("\\'"));
    return u'\'' + value + u'\'';
}

} // namespace

Result<PostgresDsn> parsePostgresDsn(const QString &dsn)
{
    static const QStringList passedOn = {QStringLiteral("sslmode"),         QStringLiteral("sslrootcert"),
                                         QStringLiteral("sslcert"),         QStringLiteral("sslkey"),
                                         QStringLiteral("connect_timeout"), QStringLiteral("application_name")};
    PostgresDsn result;
    QStringList seen;
    qsizetype at = 0;
    for (;;) {
        while (at < dsn.size() && dsn.at(at).isSpace())
            ++at;
        if (at == dsn.size())
            break;
        const qsizetype equals = dsn.indexOf(u'=', at);
        if (equals < 0)
            return misconfigured(QStringLiteral("database.dsn: a word without \"=\""));
        const QString key = dsn.mid(at, equals - at).trimmed();
        at = equals + 1;
        while (at < dsn.size() && dsn.at(at).isSpace()) // libpq allows blanks around "="
            ++at;
        const std::optional<QString> value = readValue(dsn, at);
        if (!value)
            return misconfigured(QStringLiteral("database.dsn: the quote of \"%1\" is not closed").arg(shown(key)));
        if (seen.contains(key))
            return misconfigured(QStringLiteral("database.dsn: \"%1\" stands there twice").arg(key));
        seen += key;

        bool number = true;
        if (key == u"host") {
            result.host = *value;
        } else if (key == u"port") {
            result.port = value->toInt(&number);
            number = number && result.port >= 1 && result.port <= 65535;
        } else if (key == u"dbname") {
            result.dbname = *value;
        } else if (key == u"user") {
            result.user = *value;
        } else if (key == u"password") {
            result.password = *value;
        } else if (key == u"pooler") {
            if (*value != u"transaction" && *value != u"none")
                return misconfigured(QStringLiteral("database.dsn: \"pooler\" must be transaction or none"));
            result.pooled = *value == u"transaction";
        } else if (key == u"listen_host") {
            result.listenHost = *value;
        } else if (key == u"listen_port") {
            result.listenPort = value->toInt(&number);
            number = number && result.listenPort >= 1 && result.listenPort <= 65535;
        } else if (key == u"statement_timeout") { // ms, as in PostgreSQL
            result.statementTimeoutMs = value->toInt(&number);
            number = number && result.statementTimeoutMs >= 100 && result.statementTimeoutMs <= 600 * 1000;
        } else if (passedOn.contains(key)) {
            if (value->contains(u';')) // Qt's separator of options; there is no way to escape it
                return misconfigured(QStringLiteral("database.dsn: \"%1\" must not hold \";\"").arg(key));
            if (key == u"connect_timeout") {
                const int seconds = value->toInt(&number);
                number = number && seconds >= 1 && seconds <= 60;
            }
            result.options.insert(key, *value);
        } else {
            return misconfigured(QStringLiteral("database.dsn: unknown key \"%1\"").arg(shown(key)));
        }
        if (!number)
            return misconfigured(QStringLiteral("database.dsn: \"%1\" is not a number in its range").arg(key));
    }
    if (result.dbname.isEmpty())
        return misconfigured(QStringLiteral("database.dsn: \"dbname\" is missing"));
    return result;
}

QString connectOptions(const PostgresDsn &dsn, PostgresDsn::Session session)
{
    QMap<QString, QString> options = dsn.options;
    const auto byDefault = [&options](const QString &key, const QString &value) {
        if (!options.contains(key))
            options.insert(key, value);
    };
    byDefault(QStringLiteral("connect_timeout"), QStringLiteral("5"));
    byDefault(QStringLiteral("application_name"), QStringLiteral("matrix-voip"));
    // A network that swallows packets is noticed by these, not by the statement timeout.
    byDefault(QStringLiteral("tcp_user_timeout"), QStringLiteral("10000"));
    byDefault(QStringLiteral("keepalives_idle"), QStringLiteral("5"));
    byDefault(QStringLiteral("keepalives_interval"), QStringLiteral("2"));
    byDefault(QStringLiteral("keepalives_count"), QStringLiteral("3"));
    if (!dsn.pooled) { // a pooler refuses them, and shares its sessions
        // What we hold others wait for: the server ends a session of ours that stops in the middle of a transaction, or
        // whose machine is gone without a word.
        QString words =
            QStringLiteral("-c statement_timeout=%1 -c client_min_messages=warning "
                           "-c idle_in_transaction_session_timeout=%2 -c tcp_keepalives_idle=5 "
                           "-c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=10000")
                .arg(dsn.statementTimeoutMs)
                .arg(PostgresDsn::longestPauseMs);
        if (session == PostgresDsn::Session::Reads)
            words += QStringLiteral(" -c default_transaction_read_only=on");
        if (session == PostgresDsn::Session::Writes) // not one that is not the leader any more
            options.insert(QStringLiteral("target_session_attrs"), QStringLiteral("read-write"));
        options.insert(QStringLiteral("options"), words);
    }

    QStringList words;
    for (auto it = options.cbegin(); it != options.cend(); ++it)
        words += it.key() + u'=' + quoted(it.value());
    return words.join(u';');
}

} // namespace voip::store
