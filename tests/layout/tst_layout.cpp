// SPDX-License-Identifier: Apache-2.0
// Promises of the design that a reader of the tree can check and no compiler does: what call/ includes, who names
// libolm and QtSql, licence lines, length of files, nothing left to be done. Each rule is a function of a path and a
// text, tried on bad examples first, then on the whole tree.
#include <QDirIterator>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

namespace
{

constexpr int maxLines = 400;

QStringList includesOf(const QString &text)
{
    static const QRegularExpression pattern(QStringLiteral(R"(^\s*#\s*include\s*([<"][^>"]+[>"]))"),
                                            QRegularExpression::MultilineOption);
    QStringList found;
    for (auto it = pattern.globalMatch(text); it.hasNext();)
        found += it.next().captured(1);
    return found;
}

bool isCode(const QString &path)
{
    return path.endsWith(QLatin1String(".cpp")) || path.endsWith(QLatin1String(".h"));
}

// --- the rules: each gives a complaint, or nothing ----------------------------------------------------------------

QString pureCore(const QString &path, const QString &text)
{
    if (!path.startsWith(QLatin1String("plugin/call/")) || !isCode(path))
        return {};
    static const QSet<QString> qtValues{QStringLiteral("<QString>"),   QStringLiteral("<QStringView>"),
                                        QStringLiteral("<QVector>"),   QStringLiteral("<QList>"),
                                        QStringLiteral("<QMap>"),      QStringLiteral("<QHash>"),
                                        QStringLiteral("<QByteArray>")};
    // Of the standard library, what waits, reads a clock, draws random numbers or does I/O.
    static const QSet<QString> impure{QStringLiteral("<thread>"),
                                      QStringLiteral("<mutex>"),
                                      QStringLiteral("<atomic>"),
                                      QStringLiteral("<future>"),
                                      QStringLiteral("<chrono>"),
                                      QStringLiteral("<ctime>"),
                                      QStringLiteral("<random>"),
                                      QStringLiteral("<iostream>"),
                                      QStringLiteral("<fstream>"),
                                      QStringLiteral("<cstdio>"),
                                      QStringLiteral("<cstdlib>"),
                                      QStringLiteral("<filesystem>"),
                                      QStringLiteral("<condition_variable>")};
    static const QRegularExpression standard(QStringLiteral("^<[a-z_]+>$"));
    for (const QString &name : includesOf(text)) {
        const bool own = name.startsWith(QLatin1String("\"call/"));
        const bool pureStandard = standard.match(name).hasMatch() && !impure.contains(name);
        if (!own && !pureStandard && !qtValues.contains(name))
            return QStringLiteral("includes ") + name;
    }
    return {};
}

QString licensed(const QString &path, const QString &text)
{
    static const QStringList kinds{
        QStringLiteral(".cpp"), QStringLiteral(".h"),   QStringLiteral(".cmake"), QStringLiteral(".js"),
        QStringLiteral(".mjs"), QStringLiteral(".sql"), QStringLiteral(".sh"),    QStringLiteral("CMakeLists.txt")};
    const bool source = std::any_of(kinds.begin(), kinds.end(), [&path](const QString &k) { return path.endsWith(k); });
    const QString top = text.left(400);
    return source && !top.contains(QLatin1String("SPDX-License-Identifier: Apache-2.0"))
               ? QStringLiteral("has no SPDX line at its top")
               : QString();
}

QString shortEnough(const QString &path, const QString &text)
{
    const bool ours = path.startsWith(QLatin1String("plugin/")) || path.startsWith(QLatin1String("host-api/"));
    const auto lines = text.count(u'\n');
    return ours && isCode(path) && lines > maxLines ? QStringLiteral("has %1 lines").arg(lines) : QString();
}

QString olmInCryptoOnly(const QString &path, const QString &text)
{
    const bool ours = path.startsWith(QLatin1String("plugin/")) || path.startsWith(QLatin1String("host-api/"));
    if (!ours || !isCode(path) || path.startsWith(QLatin1String("plugin/crypto/")))
        return {};
    static const QRegularExpression name(QStringLiteral(R"(libolm|<olm/|\bolm_[a-z])"));
    return name.match(text).hasMatch() ? QStringLiteral("names libolm") : QString();
}

QString sqlInStoreOnly(const QString &path, const QString &text)
{
    if (!path.startsWith(QLatin1String("plugin/")) || !isCode(path) || path.startsWith(QLatin1String("plugin/store/")))
        return {};
    for (const QString &name : includesOf(text)) {
        if (name.startsWith(QLatin1String("<QSql")) || name.startsWith(QLatin1String("<QtSql")))
            return QStringLiteral("includes ") + name;
    }
    return {};
}

// What came over a socket is compared with a secret in http/tokens.cpp only, in a time that says nothing (R108).
// Reading the configuration compares secrets with each other, and nobody waits for that.
QString tokensInOnePlace(const QString &path, const QString &text)
{
    const QString host = QStringLiteral("host-api/reference-host/");
    if (!path.startsWith(host) || !isCode(path) || path.startsWith(host + QLatin1String("config/")) ||
        path.startsWith(host + QLatin1String("http/tokens.")))
        return {};
    static const QRegularExpression comparison(QStringLiteral(
        R"(\b\w*([tT]oken|[sS]ecret|[dD]igest|m_state)(\(\))?\s*[!=]=\s*+(?!nullptr|\w+::)|[!=]=\s*\w*([tT]oken|[sS]ecret|[dD]igest|m_state)\b|([tT]oken|[sS]ecret|m_state)\.(compare|startsWith|endsWith)\(|\bmemcmp\()"));
    const auto match = comparison.match(text);
    return match.hasMatch() ? QStringLiteral("compares a secret: ") + match.captured() : QString();
}

QString nothingLeftToDo(const QString &path, const QString &text)
{
    static const QRegularExpression mark(QStringLiteral(R"(\b(TO)(DO)\b|\b(FIX)(ME)\b)"));
    return isCode(path) && mark.match(text).hasMatch() ? QStringLiteral("says that something is left to do")
                                                       : QString();
}

using Rule = QString (*)(const QString &path, const QString &text);
struct NamedRule {
    const char *name;
    Rule rule;
    QString badPath; // an example that breaks it
    QString badText;
};

QVector<NamedRule> rules()
{
    const QString call = QStringLiteral("plugin/call/x.cpp");
    return {
        {"call/ is pure", pureCore, call, QStringLiteral("#include <QJsonObject>\n")},
        {"call/ has no clock", pureCore, call, QStringLiteral("  # include <chrono>\n")},
        {"call/ knows no other folder", pureCore, call, QStringLiteral("#include \"protocol/read.h\"\n")},
        {"SPDX line", licensed, QStringLiteral("tests/CMakeLists.txt"), QStringLiteral("project(x)\n")},
        {"at most 400 lines", shortEnough, QStringLiteral("plugin/store/x.h"), QString(401, u'\n')},
        {"libolm only in crypto/", olmInCryptoOnly, QStringLiteral("plugin/store/x.cpp"),
         QStringLiteral("olm_account();\n")},
        {"QtSql only in store/", sqlInStoreOnly, QStringLiteral("plugin/intake/x.cpp"),
         QStringLiteral("#include <QSqlQuery>\n")},
        {"tokens compared in one place", tokensInOnePlace, QStringLiteral("host-api/reference-host/rest/x.cpp"),
         QStringLiteral("if (bearerToken == m_token)\n")},
        {"tokens compared in one place, the other way", tokensInOnePlace,
         QStringLiteral("host-api/reference-host/app/x.cpp"), QStringLiteral("if (state != m_state)\n")},
        {"nothing left to do", nothingLeftToDo, call,
         QStringLiteral("// TO"
                        "DO later\n")},
    };
}

} // namespace

class Layout : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void ruleFindsItsExample_data();
    void ruleFindsItsExample();
    void tree_data();
    void tree();
};

void Layout::ruleFindsItsExample_data()
{
    QTest::addColumn<int>("index");
    for (int i = 0; i < rules().size(); ++i)
        QTest::newRow(rules()[i].name) << i;
}

void Layout::ruleFindsItsExample()
{
    QFETCH(int, index);
    const NamedRule rule = rules()[index];
    QVERIFY(!rule.rule(rule.badPath, rule.badText).isEmpty());
}

void Layout::tree_data()
{
    ruleFindsItsExample_data();
}

void Layout::tree()
{
    QFETCH(int, index);
    const NamedRule rule = rules()[index];
    const QDir source(QStringLiteral(SOURCE_DIR));
    int seen = 0;
    QStringList complaints;
    for (const char *top : {"plugin", "host-api", "tests"}) {
        QDirIterator files(source.filePath(QLatin1String(top)), QDir::Files, QDirIterator::Subdirectories);
        while (files.hasNext()) {
            const QString path = source.relativeFilePath(files.next());
            if (path.contains(QLatin1String("node_modules/")) || path.contains(QLatin1String("/out/")))
                continue;
            QFile file(source.filePath(path));
            if (file.size() > 1024 * 1024 || !file.open(QIODevice::ReadOnly))
                continue; // no source file is as large
            ++seen;
            const QString wrong = rule.rule(path, QString::fromUtf8(file.readAll()));
            if (!wrong.isEmpty())
                complaints += path + u' ' + wrong;
        }
    }
    QVERIFY(seen > 40);
    QVERIFY2(complaints.isEmpty(), qPrintable(u'\n' + complaints.join(u'\n')));
}

QTEST_APPLESS_MAIN(Layout)
#include "tst_layout.moc"
