// SPDX-License-Identifier: Apache-2.0
#include "store/sqlscript.h"

namespace voip::store
{

namespace
{

// Each takes the position of the opening mark and gives the one behind the closing mark, or the end of the text.

qsizetype afterQuoted(const QString &text, qsizetype at)
{
    const QChar quote = text.at(at);
    for (++at; at < text.size(); ++at) {
        if (text.at(at) != quote)
            continue;
        if (at + 1 < text.size() && text.at(at + 1) == quote)
            ++at; // doubled: stands for itself
        else
            return at + 1;
    }
    return at;
}

qsizetype afterBlockComment(const QString &text, qsizetype at)
{
    int depth = 1; // PostgreSQL nests them
    for (at += 2; at + 1 < text.size(); ++at) {
        const QStringView two = QStringView(text).mid(at, 2);
        if (two == u"/*") {
            ++depth;
            ++at;
        } else if (two == u"*/") {
            ++at;
            if (--depth == 0)
                return at + 1;
        }
    }
    return text.size();
}

// "$$" or "$name$" at this position, or nothing ("$1" is a parameter).
QString dollarTag(const QString &text, qsizetype at)
{
    qsizetype end = at + 1;
    while (end < text.size() && (text.at(end).isLetterOrNumber() || text.at(end) == u'_'))
        ++end;
    if (end >= text.size() || text.at(end) != u'$' || text.at(at + 1).isDigit())
        return {};
    return text.mid(at, end - at + 1);
}

} // namespace

QStringList splitStatements(const QString &script)
{
    QStringList statements;
    QString current;
    const auto finish = [&] {
        const QString statement = current.trimmed();
        if (!statement.isEmpty())
            statements += statement;
        current.clear();
    };
    const auto keepUpTo = [&](qsizetype &at, qsizetype end) {
        current += QStringView(script).mid(at, end - at);
        at = end;
    };

    qsizetype at = 0;
    while (at < script.size()) {
        const QChar c = script.at(at);
        const QStringView two = QStringView(script).mid(at, 2);
        if (c == u'\'' || c == u'"') {
            keepUpTo(at, afterQuoted(script, at));
        } else if (two == u"--") {
            const qsizetype end = script.indexOf(u'\n', at);
            at = end < 0 ? script.size() : end; // the line break stays: it parts words
        } else if (two == u"/*") {
            at = afterBlockComment(script, at);
            current += u' ';
        } else if (c == u'$') {
            const QString tag = dollarTag(script, at);
            const qsizetype end = tag.isEmpty() ? -1 : script.indexOf(tag, at + tag.size());
            keepUpTo(at, tag.isEmpty() ? at + 1 : end < 0 ? script.size() : end + tag.size());
        } else if (c == u';') {
            finish();
            ++at;
        } else {
            current += c;
            ++at;
        }
    }
    finish();
    return statements;
}

} // namespace voip::store
