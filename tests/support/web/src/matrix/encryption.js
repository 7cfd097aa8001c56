// SPDX-License-Identifier: Apache-2.0
//
// The Matrix phone's encryption: always on, with the SDK's own crypto. `prepare` gives this device its user's signature: the
// first device makes the user's identity, later ones take its keys from the homeserver's secret storage. `read` says of an event
// how it was encrypted and which warning ("shield") an ordinary client would show for it. Keeps everything in memory only.
//
// The key of the secret storage is made from the account's password, so that every device that signs in can be signed without
// asking anybody. That is for test accounts: a real client shows its user a recovery key instead.

import {
  AllDevicesIsolationMode, CryptoEvent, EventShieldColour, EventShieldReason, OnlySignedDevicesIsolationMode,
} from 'matrix-js-sdk/lib/crypto-api/index.js';

async function storageKey(user, password) {
  const text = new TextEncoder().encode(`matrix phone, secret storage of ${user}: ${password}`);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', text));
}

export class Encryption {
  devices = new Map(); // user -> Map of identity key -> device id

  constructor({ sign, onlySigned, trustChanged }) {
    Object.assign(this, { sign, onlySigned, trustChanged });
  }

  // What the client has to be made with.
  callbacks(user, password) {
    this.user = user;
    this.password = password;
    return { getSecretStorageKey: async ({ keys }) => [Object.keys(keys)[0], await storageKey(user, password)] };
  }

  async init(client) {
    this.client = client;
    await client.initRustCrypto({ useIndexedDB: false });
    this.crypto = client.getCrypto();
    this.isolate(this.onlySigned);
    for (const name of [CryptoEvent.DevicesUpdated, CryptoEvent.UserTrustStatusChanged]) {
      client.on(name, (users) => {
        for (const user of [users].flat()) this.devices.delete(user);
        this.trustChanged([users].flat());
      });
    }
  }

  // Needs the first sync: what secret storage holds comes with it.
  async prepare() {
    const { user, password } = this;
    if (!this.sign) return;
    const authUploadDeviceSigningKeys = (upload) => upload({ type: 'm.login.password', identifier: { type: 'm.id.user', user }, password });
    await this.crypto.bootstrapSecretStorage({ createSecretStorageKey: async () => ({ privateKey: await storageKey(user, password) }) });
    await this.crypto.userHasCrossSigningKeys(); // asks the homeserver: later devices take over only keys whose public half they know
    await this.crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys });
    // The signature counts once the homeserver has told of it: only then do others, too, see a signed device.
    for (const giveUpAt = Date.now() + 10000; !(await this.isSigned()); ) {
      if (Date.now() > giveUpAt) throw new Error('this device did not get its signature');
      await new Promise((again) => setTimeout(again, 50));
    }
  }

  // Only devices that their users have signed are listened to and get keys ("exclude insecure devices" of Element).
  isolate(onlySigned) {
    this.onlySigned = onlySigned;
    this.crypto?.setDeviceIsolationMode(onlySigned ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false));
  }

  async isSigned() {
    return Boolean((await this.crypto.getDeviceVerificationStatus(this.client.getUserId(), this.client.getDeviceId()))?.signedByOwner);
  }

  // The account's key backup, whose key is put into the secret storage. Gives that key.
  async makeKeyBackup() {
    await this.crypto.resetKeyBackup();
    return btoa(String.fromCharCode(...await this.crypto.getSessionBackupPrivateKey()));
  }

  // As a new device does with the recovery key: what the backup has is read from then on. Gives how many keys that are.
  async restoreKeyBackup() {
    await this.crypto.loadSessionBackupPrivateKeyFromSecretStorage();
    return (await this.crypto.restoreKeyBackup()).imported;
  }

  // shield: 'none', 'grey' or 'red', null where nothing was encrypted or nothing could be read. failure: why it could not.
  async read(event) {
    const wire = event.getWireContent();
    const encrypted = event.getWireType() === 'm.room.encrypted';
    const found = {
      wireType: event.getWireType(), encrypted, decrypted: encrypted ? !event.isDecryptionFailure() : null,
      failure: event.decryptionFailureReason, session: encrypted ? wire.session_id ?? null : null, device: null, shield: null, shieldReason: null,
    };
    if (encrypted) found.device = await this.deviceOf(event.getSender(), event.getSenderKey());
    if (found.decrypted) {
      const info = await this.crypto.getEncryptionInfoForEvent(event);
      found.shield = info ? EventShieldColour[info.shieldColour].toLowerCase() : null;
      found.shieldReason = info?.shieldReason == null ? null : EventShieldReason[info.shieldReason];
    }
    return found;
  }

  // By the key that the event was really encrypted with, not by what it says of itself.
  async deviceOf(user, key) {
    if (!key) return null;
    if (!this.devices.get(user)?.has(key)) {
      const devices = (await this.crypto.getUserDeviceInfo([user], true)).get(user) ?? new Map();
      this.devices.set(user, new Map([...devices.values()].map((device) => [device.getIdentityKey(), device.deviceId])));
    }
    return this.devices.get(user).get(key) ?? null;
  }
}

// Of a call's events, or of any others: what a person should know of them at a glance.
export function judge(entries) {
  const read = entries.filter((entry) => entry.decrypted !== false);
  const warned = read.find((entry) => entry.shield === 'red') ?? read.find((entry) => entry.shield === 'grey');
  return {
    encrypted: read.length > 0 && read.every((entry) => entry.encrypted), some: read.some((entry) => entry.encrypted), events: read.length,
    shield: warned?.shield ?? 'none', reason: warned?.shieldReason ?? null,
  };
}
