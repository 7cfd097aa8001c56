// SPDX-License-Identifier: Apache-2.0
// How workers write down for each other what a host asks and what it is answered (effects/errands.h). Total functions:
// what another version wrote and this one cannot read becomes an error or an empty value, never a crash.
#pragma once

#include <voiphost/midcall.h>

#include <QJsonObject>

#include <optional>

namespace voip
{

[[nodiscard]] QJsonObject answerOf(const QJsonObject &value);
[[nodiscard]] QJsonObject answerOf(const voiphost::Error &error);
[[nodiscard]] voiphost::Error errorFrom(const QJsonObject &object);

[[nodiscard]] QJsonObject requestJson(const voiphost::FullPlaceRequest &request);
[[nodiscard]] voiphost::FullPlaceRequest requestFrom(const QJsonObject &object);

[[nodiscard]] QJsonObject openErrand(const voiphost::ConversationTarget &target);
[[nodiscard]] QJsonObject conversationJson(const voiphost::Conversation &conversation);
// Of an answer; nothing: nobody answered.
[[nodiscard]] voiphost::Expected<voiphost::Conversation> openedOf(const std::optional<QJsonObject> &answer);
[[nodiscard]] voiphost::Expected<QByteArray> timelineOf(const std::optional<QJsonObject> &answer);

} // namespace voip
