// SPDX-License-Identifier: Apache-2.0
//
// A homeserver's part in encryption, in memory: devices, identities, one-time keys that are handed out once, and
// to-device messages in the order in which they came.

const into = (object, key) => (object[key] ??= {});

export class Homeserver {
  devices = {}; // user -> device -> { keys, oneTime, fallback, fallbackUsed }
  identities = {};
  queues = {}; // user -> device -> messages
  changes = []; // users whose lists changed, in order
  told = {}; // "user device" -> how many of them it knows of
  transactions = new Set();
  handedOut = new Map(); // "user device id" -> how often
  values = new Map(); // one-time key -> "user device id" that it was uploaded as
  backup = null; // the one account's: { version, publicKey, rooms: room -> session -> as it was uploaded, uploads }

  device(user, device) {
    return (into(this.devices, user)[device] ??= { keys: null, oneTime: {}, fallback: {}, fallbackUsed: false });
  }

  #changes(user) {
    this.changes.push(user);
  }

  upload(user, id, body) {
    const device = this.device(user, id);
    if (body.device_keys && Object.keys(body.device_keys).length) {
      device.keys = body.device_keys;
      this.#changes(user);
    }
    for (const [keyId, key] of Object.entries(body.one_time_keys ?? {})) {
      const name = `${user} ${id} ${keyId}`;
      if (device.oneTime[keyId] && JSON.stringify(device.oneTime[keyId]) !== JSON.stringify(key)) throw new Error(`other key under ${name}`);
      if (this.handedOut.has(name)) throw new Error(`uploaded again: ${name}`);
      const as = this.values.get(key.key);
      if (as !== undefined && as !== name) throw new Error(`the same one-time key as ${name} and ${as}`);
      this.values.set(key.key, name);
      device.oneTime[keyId] = key;
    }
    if (Object.keys(body.fallback_keys ?? {}).length) {
      device.fallback = body.fallback_keys;
      device.fallbackUsed = false;
    }
    return { one_time_key_counts: { signed_curve25519: Object.keys(device.oneTime).length } };
  }

  identity(user, body) {
    this.identities[user] = body;
    this.#changes(user);
    return {};
  }

  signatures(body) {
    for (const [user, objects] of Object.entries(body)) {
      for (const [id, object] of Object.entries(objects)) {
        const keys = this.devices[user]?.[id]?.keys;
        if (keys) for (const [who, some] of Object.entries(object.signatures ?? {})) Object.assign(into(keys.signatures, who), some);
      }
      this.#changes(user);
    }
    return { failures: {} };
  }

  query(asker, body) {
    const answer = { device_keys: {}, master_keys: {}, self_signing_keys: {}, user_signing_keys: {}, failures: {} };
    for (const user of Object.keys(body.device_keys)) {
      answer.device_keys[user] = {};
      for (const [id, device] of Object.entries(this.devices[user] ?? {})) if (device.keys) answer.device_keys[user][id] = device.keys;
      const identity = this.identities[user];
      if (!identity) continue;
      answer.master_keys[user] = identity.master_key;
      answer.self_signing_keys[user] = identity.self_signing_key;
      if (user === asker) answer.user_signing_keys[user] = identity.user_signing_key;
    }
    return answer;
  }

  claim(body) {
    const answer = { one_time_keys: {}, failures: {} };
    for (const [user, devices] of Object.entries(body.one_time_keys)) {
      for (const id of Object.keys(devices)) {
        const device = this.devices[user]?.[id];
        if (!device) continue;
        const [keyId] = Object.keys(device.oneTime);
        if (keyId) {
          into(answer.one_time_keys, user)[id] = { [keyId]: device.oneTime[keyId] };
          delete device.oneTime[keyId];
          const name = `${user} ${id} ${keyId}`;
          this.handedOut.set(name, (this.handedOut.get(name) ?? 0) + 1);
        } else if (Object.keys(device.fallback).length) {
          into(answer.one_time_keys, user)[id] = device.fallback;
          device.fallbackUsed = true;
        }
      }
    }
    return answer;
  }

  send(sender, type, txn, messages) {
    if (this.transactions.has(`${sender} ${txn}`)) return {};
    this.transactions.add(`${sender} ${txn}`);
    for (const [user, devices] of Object.entries(messages)) {
      for (const [id, content] of Object.entries(devices)) (into(this.queues, user)[id] ??= []).push({ type, sender, content });
    }
    return {};
  }

  backUp(version, body) {
    if (version !== this.backup.version) throw new Error(`keys for the backup ${version}`);
    this.backup.uploads.push(Object.values(body.rooms).reduce((sum, room) => sum + Object.keys(room.sessions).length, 0));
    for (const [room, { sessions }] of Object.entries(body.rooms)) Object.assign(into(this.backup.rooms, room), sessions);
    return {};
  }

  take(user, id) {
    const queue = this.queues[user]?.[id] ?? [];
    if (queue.length) this.queues[user][id] = [];
    return queue;
  }

  takeChanged(user, device) {
    const reader = `${user} ${device}`;
    const changed = new Set(this.changes.slice(this.told[reader] ?? 0));
    this.told[reader] = this.changes.length;
    return [...changed];
  }
}
