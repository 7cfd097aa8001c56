// SPDX-License-Identifier: Apache-2.0
#include "app/rotate.h"

#include <voiphost/maintenance.h>

#include <QCoreApplication>
#include <QTextStream>

namespace bridgehost
{

namespace
{

struct RotateText {
    Q_DECLARE_TR_FUNCTIONS(Rotate)
};

} // namespace

int runRotation(const Config &config, QTextStream &out, QTextStream &err)
{
    const auto complain = [&err](const QString &line) {
        err << "bridge-host: " << line << '\n';
        return 1;
    };
    BridgeHost host(config);
    if (const QStringList problems = host.prepare(); !problems.isEmpty()) {
        for (const QString &problem : host.pluginDefects() + problems)
            complain(problem);
        return 1;
    }
    QList<voiphost::KeyRotation *> able;
    const auto plugins = host.plugins();
    for (const LoadedPlugin *plugin : plugins) {
        if (auto *rotation = plugin->interface<voiphost::KeyRotation>())
            able.append(rotation);
    }
    // They would share one key, and the first would leave the others with the old one.
    if (able.size() != 1)
        return complain(RotateText::tr("%n plugin(s) can change the root key, and it takes exactly one", nullptr,
                                       static_cast<int>(able.size())));
    const auto report = able.constFirst()->rotateRootKey();
    if (!report)
        return complain(QStringLiteral("%1: %2").arg(report.error().code, report.error().message));
    if (report->resumed)
        out << RotateText::tr("an earlier run was interrupted, this one went on from there") << '\n';
    out << report->message << '\n';
    if (!report->advice.isEmpty())
        out << RotateText::tr("now: %1").arg(report->advice) << '\n';
    return 0;
}

} // namespace bridgehost
