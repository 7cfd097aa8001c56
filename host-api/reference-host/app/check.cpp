// SPDX-License-Identifier: Apache-2.0
// The self-check's findings, a line each: "ok", "note" or "ERROR" and what to do.
#include "app/check.h"

#include <QCoreApplication>
#include <QProcessEnvironment>
#include <QTextStream>

namespace bridgehost
{

namespace
{

struct CheckText {
    Q_DECLARE_TR_FUNCTIONS(Check)
};

} // namespace

Environment processEnvironment()
{
    Environment environment;
    const QProcessEnvironment all = QProcessEnvironment::systemEnvironment();
    const QStringList names = all.keys();
    for (const QString &name : names) {
        if (name.startsWith(QLatin1String("BRIDGE_")))
            environment.insert(name, all.value(name));
    }
    return environment;
}

int runCheck(const QString &file, const Environment &environment, QTextStream &out)
{
    int errors = 0;
    const auto error = [&](const QString &text) {
        ++errors;
        out << CheckText::tr("ERROR %1").arg(text) << '\n';
    };
    const auto summary = [&] {
        out << (errors ? CheckText::tr("%n error(s)", nullptr, errors) : CheckText::tr("all is well")) << '\n';
        return errors ? 1 : 0;
    };
    auto config = loadConfig(file, environment);
    if (!config) {
        for (const ConfigProblem &problem : config.error())
            error(describe(problem, file));
        for (auto it = environment.begin(); it != environment.end(); ++it)
            out << CheckText::tr("note  environment variable %1 is set").arg(it.key()) << '\n';
        return summary();
    }
    out << CheckText::tr("ok    configuration %1").arg(file) << '\n';

    BridgeHost host(config.value());
    const QStringList problems = host.prepare();
    for (const QString &remark : host.remarks())
        out << CheckText::tr("note  %1").arg(remark) << '\n';
    for (const QString &defect : host.pluginDefects())
        error(defect);
    for (const QString &problem : problems)
        error(problem);
    if (!problems.isEmpty())
        return summary();
    const auto plugins = host.plugins();
    for (const LoadedPlugin *plugin : plugins) {
        auto *selfCheck = plugin->interface<voiphost::SelfCheck>();
        if (!selfCheck)
            continue;
        const Checks checks = selfCheck->selfCheck();
        for (const auto &check : checks) {
            const QString text = QStringLiteral("%1: %2").arg(check.name, check.message);
            if (check.ok)
                out << CheckText::tr("ok    %1").arg(text) << '\n';
            else if (!check.required)
                out << CheckText::tr("note  %1; %2").arg(text, check.advice) << '\n';
            else
                error(QStringLiteral("%1; %2").arg(text, check.advice));
        }
    }
    return summary();
}

} // namespace bridgehost
