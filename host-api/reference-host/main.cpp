// SPDX-License-Identifier: Apache-2.0
// bridge-host: options, translations, signals, exit codes. 0: stopped as asked, or all is well; 1: an error, printed.
#include "app/account.h"
#include "app/bridge_host.h"
#include "app/check.h"
#include "app/rotate.h"
#include "config/registration.h"
#include "operations/signals.h"
#include "operations/systemd.h"

#include <QCommandLineParser>
#include <QCoreApplication>
#include <QLocale>
#include <QTextStream>
#include <QTranslator>

using namespace bridgehost;

namespace
{

int complain(const QStringList &lines)
{
    QTextStream err(stderr);
    for (const QString &line : lines)
        err << "bridge-host: " << line << '\n';
    return 1;
}

int generate(Config config, const QString &file)
{
    if (!config.appservice)
        return complain({QCoreApplication::translate("Main", "mode client runs on an account: it is not registered")});
    if (const QStringList problems = resolveTokens(&config); !problems.isEmpty())
        return complain(problems);
    const auto done = writeRegistration(config, file);
    return done ? 0 : complain({done.error().message});
}

int run(const Config &config)
{
    StopSignals signals_;
    const Watchdog watchdog;
    BridgeHost host(config);
    if (const QStringList problems = host.prepare(); !problems.isEmpty())
        return complain(host.pluginDefects() + problems);
    for (const QString &remark : host.remarks() + host.pluginDefects())
        qInfo("%s", qUtf8Printable(remark));
    QObject::connect(&signals_, &StopSignals::stopRequested, &host, &BridgeHost::stop);
    QObject::connect(
        &host, &BridgeHost::stopped, qApp, [] { QCoreApplication::exit(0); }, Qt::QueuedConnection);
    QObject::connect(
        &host, &BridgeHost::failed, qApp, [](const QString &message) { QCoreApplication::exit(complain({message})); },
        Qt::QueuedConnection);
    host.start();
    return QCoreApplication::exec();
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    QCoreApplication::setApplicationName(QStringLiteral("bridge-host"));
    QTranslator translator;
    if (translator.load(QLocale(), QStringLiteral("voip"), QStringLiteral("_"), QStringLiteral(":/i18n")))
        QCoreApplication::installTranslator(&translator);

    QCommandLineParser parser;
    parser.setApplicationDescription(
        QCoreApplication::translate("Main", "Connects a call service to Matrix through plugins."));
    parser.addHelpOption();
    const QCommandLineOption file(QStringLiteral("config"),
                                  QCoreApplication::translate("Main", "The configuration file (YAML)."),
                                  QStringLiteral("FILE"));
    const QCommandLineOption registration(
        QStringLiteral("generate-registration"),
        QCoreApplication::translate("Main", "Write the appservice registration for the homeserver, and exit."),
        QStringLiteral("FILE"));
    const QCommandLineOption check(
        QStringLiteral("check"),
        QCoreApplication::translate("Main", "Check configuration, plugins and database, print what was found, exit."));
    const QCommandLineOption rotation(
        QStringLiteral("rotate-root-key"),
        QCoreApplication::translate("Main", "Change the root key of what is sealed in the database, and exit. The "
                                            "bridge must not be running."));
    const QCommandLineOption login(
        QStringLiteral("login"),
        QCoreApplication::translate("Main", "Log in to the account that a plugin runs on (mode client), and exit."));
    const QCommandLineOption logout(QStringLiteral("logout"),
                                    QCoreApplication::translate("Main", "Log out of that account, and exit."));
    parser.addOptions({file, registration, check, rotation, login, logout});
    parser.process(app);
    if (!parser.isSet(file) || !parser.positionalArguments().isEmpty())
        return complain({QCoreApplication::translate("Main", "use it with --config FILE; --help tells more")});

    const Environment environment = processEnvironment();
    if (parser.isSet(check)) {
        QTextStream out(stdout);
        return runCheck(parser.value(file), environment, out);
    }
    const auto config = loadConfig(parser.value(file), environment);
    if (!config) {
        QStringList lines;
        for (const ConfigProblem &problem : config.error())
            lines.append(describe(problem, parser.value(file)));
        return complain(lines);
    }
    if (parser.isSet(rotation)) {
        QTextStream out(stdout);
        QTextStream err(stderr);
        return runRotation(*config, out, err);
    }
    if (parser.isSet(login) || parser.isSet(logout)) {
        QTextStream out(stdout);
        return runAccount(*config, parser.isSet(login), out, complain);
    }
    return parser.isSet(registration) ? generate(*config, parser.value(registration)) : run(*config);
}
