// SPDX-License-Identifier: Apache-2.0
// The JSON of the call API: values to objects, objects to values. Reading never throws and names the field that is
// wrong; limits on every text stand here.
#pragma once

#include "http/message.h"

#include <voiphost/types.h>

#include <QByteArray>

namespace bridgehost
{

constexpr qsizetype kMaxSdp = qsizetype(64) * 1024; // bytes in UTF-8
constexpr qsizetype kMaxCandidates = 64;
constexpr qsizetype kMaxCandidate = 2048;
constexpr qsizetype kMaxShortText = 255;

[[nodiscard]] int statusOf(voiphost::ErrorKind kind);
[[nodiscard]] Reply toReply(const voiphost::Error &error);

[[nodiscard]] QJsonObject toJson(const voiphost::Media &media);
[[nodiscard]] QJsonObject toJson(const voiphost::Call &call);
[[nodiscard]] QJsonObject toJson(const voiphost::Conversation &conversation);
[[nodiscard]] QJsonObject toJson(const voiphost::IceServers &servers);

// An empty body is an empty object: several requests need nothing.
[[nodiscard]] voiphost::Expected<QJsonObject> readBody(const QByteArray &body);
[[nodiscard]] voiphost::Expected<QString> readSdp(const QJsonObject &body, const QString &field);
// Text of 1 to `max` characters; empty when absent and not required.
[[nodiscard]] voiphost::Expected<QString> readText(const QJsonObject &body, const QString &field, bool required,
                                                   qsizetype max = kMaxShortText);
[[nodiscard]] voiphost::Expected<voiphost::Media> readMedia(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<QList<voiphost::IceCandidate>> readCandidates(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<voiphost::MediaState> readMediaState(const QJsonObject &body);
[[nodiscard]] voiphost::Expected<voiphost::PlaceRequest> readPlace(const QJsonObject &body);
[[nodiscard]] voiphost::Error invalid(const QString &message);

} // namespace bridgehost
