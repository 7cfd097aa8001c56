// SPDX-License-Identifier: Apache-2.0
// The plugin's own settings: the configuration's plugins.matrixvoip section, checked field by field. The same fields
// stand in resources/settings.schema.json.
#pragma once

#include "accountsettings.h"
#include "call/line.h"
#include "crypto/devices.h"
#include "rollout/cohort.h"

#include <voiphost/types.h>

#include <QJsonObject>

namespace voip
{

struct EncryptionSettings {
    bool encryptRooms = true; // rooms that the bridge makes
    bool earlyDevices = true; // every bridged user has a device before anybody calls; else when first needed
    crypto::Policy recipients = crypto::Policy::CrossSigned;
    QHash<QString, QString> verifiedIdentities; // user -> master key, for Policy::Verified
};

struct RetentionSettings { // of calls that are over
    int detailHours = 24;
    int historyDays = 90;
};

struct PluginSettings {
    rollout::Cohort cohort; // as configured; what an administrator set later comes from the store
    call::Settings call;
    EncryptionSettings encryption;
    bool workers = false; // other processes may serve from the same PostgreSQL
    RetentionSettings retention = {};
    int timelineMegabytes = 32;
    std::optional<AccountSettings> account = {}; // mode client; what the host and the secrets provider add is missing
};

// An error names the field: "plugins.matrixvoip.rollout_percent must be a whole number from 0 to 100".
[[nodiscard]] voiphost::Expected<PluginSettings> readSettings(const QJsonObject &section);

} // namespace voip
