// SPDX-License-Identifier: Apache-2.0
// rotation_victim BRIDGE keychain|FOLDER DRIVER DSN STEP COUNT ACT: changes the root key; when STEP (a number) is
// reached for the COUNTth time, it kills itself (ACT "self") or the keyring's daemon ("keyring"). STEP -1: never.
// Prints "ok" or the code of the error.
#include "keyring.h"
#include "rotationtest.h"

#include <QCoreApplication>

#include <csignal>
#include <cstdio>

int main(int argc, char **argv)
{
    const QCoreApplication app(argc, argv);
    const QStringList words = QCoreApplication::arguments();
    rotationtest::Host host;
    host.server.appserviceId = words.value(1);
    const bool keychain = words.value(2) == u"keychain";
    host.provider.provider = keychain ? voiphost::SecretSettings::Provider::Keychain
                                      : voiphost::SecretSettings::Provider::CredentialsDirectory;
    host.provider.path = keychain ? QString() : words.value(2);
    host.store = {words.value(3), words.value(4)};
    int left = words.value(6).toInt();
    const auto report = voip::rotateRootKey(host, [&](voip::RotationStep step) {
        if (static_cast<int>(step) != words.value(5).toInt() || --left > 0)
            return;
        if (words.value(7) == u"keyring")
            keyring::kill();
        else
            ::raise(SIGKILL);
    });
    std::puts(report ? "ok" : qPrintable(report.error().code));
    return 0;
}
