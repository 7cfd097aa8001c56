// SPDX-License-Identifier: Apache-2.0
// One source, many modules: each is built beside a bad.json of its own, some with a further defect, to test that a host
// names the defect. Where the metadata is good enough to be loaded, the plugin refuses everything.
#include <voiphost/plugin.h>

#include <QObject>

#ifndef BAD_IID
#define BAD_IID VOIPHOST_PLUGIN_IID
#endif

#ifdef BAD_NO_INTERFACE
class BadPlugin : public QObject
{
    Q_OBJECT
    Q_PLUGIN_METADATA(IID BAD_IID FILE "bad.json")
};
#else
class BadPlugin : public QObject, public voiphost::Plugin
{
    Q_OBJECT
    Q_PLUGIN_METADATA(IID BAD_IID FILE "bad.json")
    Q_INTERFACES(voiphost::Plugin)

public:
    voiphost::Expected<voiphost::Done> initialise(voiphost::Host *, const QJsonObject &) override
    {
        return voiphost::Error{voiphost::ErrorKind::Invalid, QStringLiteral("BAD"), QStringLiteral("always"), {}};
    }
    QFuture<voiphost::Expected<voiphost::Done>> start() override { return {}; }
    QFuture<voiphost::Done> drain(int) override { return {}; }
    void stop() override {}
    voiphost::CallService *calls() override { return nullptr; }
};
#endif

#include "bad_plugin.moc"
