// SPDX-License-Identifier: Apache-2.0
#include "store/dberror.h"

namespace voip::store
{

using Kind = StoreError::Kind;

// The first line only: what follows (DETAIL, LINE 1: EXECUTE ...) may quote values.
QString firstLine(const QString &text)
{
    QString line = text.section(u'\n', 0, 0).trimmed();
    if (line.startsWith(u"ERROR:") || line.startsWith(u"FATAL:"))
        line = line.mid(6).trimmed();
    return line;
}

StoreError fromPostgresql(const QSqlError &error)
{
    const QString state = error.nativeErrorCode();
    const QString group = state.left(2);
    Kind kind = Kind::Unavailable; // connection, resources, time-outs, serialisation: later may work
    bool quotesValues = false;
    if (group == u"23") {
        kind = Kind::Conflict;
    } else if (group == u"22") {
        kind = Kind::Conflict;
        quotesValues = true;
    } else if (group == u"42" || group == u"28" || group == u"3D" || group == u"3F") {
        kind = Kind::Misconfigured;
        quotesValues = group == u"42";
    } else if (state == u"XX001" || state == u"XX002") {
        kind = Kind::Corrupt;
    }
    const QString text = quotesValues ? QStringLiteral("statement refused") : firstLine(error.databaseText());
    return {kind, QStringLiteral("PostgreSQL %1: %2").arg(state.isEmpty() ? QStringLiteral("(no code)") : state, text)};
}

StoreError fromSqlite(const QSqlError &error)
{
    const int code = error.nativeErrorCode().toInt();
    Kind kind = Kind::Unavailable;
    switch (code & 0xff) { // the primary code of SQLite's result codes
    case 19:               // CONSTRAINT
    case 18:               // TOOBIG
    case 20:               // MISMATCH
        kind = Kind::Conflict;
        break;
    case 11: // CORRUPT
    case 26: // NOTADB
        kind = Kind::Corrupt;
        break;
    case 1: // ERROR: a statement that does not fit the schema
        kind = Kind::Misconfigured;
        break;
    }
    return {kind, QStringLiteral("SQLite %1: %2").arg(QString::number(code), firstLine(error.databaseText()))};
}

} // namespace voip::store
