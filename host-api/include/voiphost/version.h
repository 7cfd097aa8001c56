// SPDX-License-Identifier: Apache-2.0
// Versions of the contract between a bridge host and a VoIP plugin.
// API_VERSION is the number a plugin states as "apiVersion" in its metadata: a host loads a plugin only when the
// numbers are equal. It changes when a released interface would change; additions come as further interfaces that
// are found by qobject_cast, so they never change it. The package version may move freely.
#pragma once

#define VOIPHOST_API_VERSION 1
#define VOIPHOST_PLUGIN_IID "org.novabridge.voiphost.Plugin/1"
