// SPDX-License-Identifier: Apache-2.0
//
// A Matrix user who calls, without a browser: requests by fetch, encryption by the OlmMachine of matrix-sdk-crypto-wasm, its device
// signed by an identity of its own. A call takes three steps, so that many callers can take each at once: `prepare` (a fresh room
// key, Olm sessions for who gets it), `sendKeys`, `sendInvite`. What others send in its rooms is decrypted, from signed devices only.

import { randomBytes, randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { eventually } from './bed.mjs';

const crypto = createRequire(new URL('../web/package.json', import.meta.url))('@matrix-org/matrix-sdk-crypto-wasm');
const { DecryptionSettings, DeviceId, DeviceLists, EncryptionSettings, OlmMachine, RequestType, RoomId, TrustRequirement, UserId } = crypto;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const nothing = { types: [] };
const filter = JSON.stringify({ presence: nothing, account_data: nothing, room: { timeline: { limit: 100 }, account_data: nothing, ephemeral: nothing } });

export class Caller {
  received = []; // {at, type, sender, content} of what others sent, decrypted
  sealed = new Map(); // event id -> {room, event} of what cannot be read yet
  #queue = Promise.resolve();

  constructor({ homeserver, user, password, ghost }) {
    Object.assign(this, { homeserver, user, password, ghost, closing: new AbortController() });
  }

  // ---- requests

  async api(method, path, body, { signal } = {}) {
    const headers = { 'Content-Type': 'application/json', ...(this.token ? { Authorization: `Bearer ${this.token}` } : {}) };
    const text = typeof body === 'string' ? body : body && JSON.stringify(body);
    const answer = await fetch(`${this.homeserver}/_matrix/client/v3${path}`, { method, headers, body: text, signal });
    const json = await answer.json();
    if (answer.ok) return json;
    throw Object.assign(new Error(`${method} ${path} of ${this.user}: HTTP ${answer.status} ${json.errcode} ${json.error}`), { status: answer.status, json });
  }

  // One after the other: the machine must not be asked for the same requests twice.
  #serial(task) {
    const done = this.#queue.then(task);
    this.#queue = done.catch(() => {});
    return done;
  }

  async #perform(request) {
    const post = (path) => this.api('POST', path, request.body);
    const toDevice = () => this.api('PUT', `/sendToDevice/${encodeURIComponent(request.event_type)}/${encodeURIComponent(request.txn_id)}`, request.body);
    const answer = await {
      [RequestType.KeysUpload]: () => post('/keys/upload'),
      [RequestType.KeysQuery]: () => post('/keys/query'),
      [RequestType.KeysClaim]: () => post('/keys/claim'),
      [RequestType.SignatureUpload]: () => post('/keys/signatures/upload'),
      [RequestType.ToDevice]: toDevice,
    }[request.type]();
    if (request.id) await this.machine.markRequestAsSent(request.id, request.type, JSON.stringify(answer));
  }

  #flush() {
    return this.#serial(async () => {
      for (const request of await this.machine.outgoingRequests()) await this.#perform(request);
    });
  }

  // ---- the account

  async signIn() {
    const answer = await this.api('POST', '/login', { type: 'm.login.password', identifier: { type: 'm.id.user', user: this.user }, password: this.password });
    Object.assign(this, { token: answer.access_token, userId: answer.user_id, deviceId: answer.device_id });
    this.machine = await OlmMachine.initialize(new UserId(this.userId), new DeviceId(this.deviceId));
    await this.#flush();
    const { uploadKeysRequest, uploadSigningKeysRequest, uploadSignaturesRequest } = await this.machine.bootstrapCrossSigning(true);
    if (uploadKeysRequest) await this.#perform(uploadKeysRequest);
    await this.#uploadIdentity(uploadSigningKeysRequest.body);
    await this.#perform(uploadSignaturesRequest);
    this.syncing = this.#sync();
  }

  async #uploadIdentity(body) {
    const keys = JSON.parse(body);
    await this.api('POST', '/keys/device_signing/upload', keys).catch(async (error) => {
      if (error.status !== 401) throw error;
      const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: this.user }, password: this.password, session: error.json.session };
      await this.api('POST', '/keys/device_signing/upload', { ...keys, auth });
    });
  }

  async close() {
    this.closing.abort();
    await this.syncing;
    this.machine?.close();
  }

  // ---- what comes in

  async #sync() {
    let since = null;
    while (!this.closing.signal.aborted) {
      try {
        const query = new URLSearchParams({ filter, timeout: '20000', ...(since ? { since } : {}) });
        const answer = await this.api('GET', `/sync?${query}`, undefined, { signal: this.closing.signal });
        await this.#take(answer);
        since = answer.next_batch;
      } catch (error) {
        this.lastSyncError = error;
        await pause(300);
      }
    }
  }

  async #take(answer) {
    const users = (list) => (list ?? []).map((user) => new UserId(user));
    await this.#serial(() => this.machine.receiveSyncChanges(
      JSON.stringify(answer.to_device?.events ?? []), new DeviceLists(users(answer.device_lists?.changed), users(answer.device_lists?.left)),
      new Map(Object.entries(answer.device_one_time_keys_count ?? {})), new Set(answer.device_unused_fallback_key_types ?? []),
    ));
    await this.#flush();
    for (const [room, { timeline }] of Object.entries(answer.rooms?.join ?? {})) {
      for (const event of timeline?.events ?? []) {
        if (event.type === 'm.room.encrypted' && event.sender !== this.userId) this.sealed.set(event.event_id, { room, event });
      }
    }
    for (const [id, { room, event }] of [...this.sealed]) {
      try {
        const settings = new DecryptionSettings(TrustRequirement.CrossSigned);
        const opened = JSON.parse((await this.machine.decryptRoomEvent(JSON.stringify(event), new RoomId(room), settings)).event);
        this.received.push({ at: Date.now(), type: opened.type, sender: event.sender, content: opened.content });
        this.sealed.delete(id);
      } catch (error) {
        this.lastSealed = `${id}: ${error.description ?? error.message ?? error}`; // its key may still come
      }
    }
  }

  // ---- rooms

  async makeRoom() {
    const encryption = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2' } };
    const made = await this.api('POST', '/createRoom', { preset: 'trusted_private_chat', is_direct: true, invite: [this.ghost], initial_state: [encryption] });
    this.room = made.room_id;
  }

  async untilJoined() {
    await eventually(`${this.ghost} to join the room of ${this.user}`, async () => {
      const { joined } = await this.api('GET', `/rooms/${encodeURIComponent(this.room)}/joined_members`);
      return this.ghost in joined;
    }, 60000);
    await this.machine.updateTrackedUsers([new UserId(this.ghost), new UserId(this.userId)]);
    await eventually(`${this.user} to know a device of ${this.ghost}`, async () => {
      await this.#flush();
      return (await this.machine.getUserDevices(new UserId(this.ghost))).keys().length > 0;
    });
  }

  // ---- calls

  // A call with a room key that nobody has yet. keyId: of the message with the key, as it passes the homeserver.
  async prepare({ lifetime = 60000 } = {}) {
    return this.#serial(async () => {
      await this.machine.invalidateGroupSession(new RoomId(this.room));
      const claim = await this.machine.getMissingSessions([new UserId(this.ghost)]);
      if (claim) await this.#perform(claim);
      const keys = await this.machine.shareRoomKey(new RoomId(this.room), [new UserId(this.ghost)], new EncryptionSettings());
      const sealed = keys.filter((request) => request.event_type === 'm.room.encrypted').map((request) => JSON.parse(request.body).messages[this.ghost]);
      const messages = sealed.flatMap((devices) => Object.values(devices ?? {}));
      if (messages.length !== 1) throw new Error(`${this.user} has ${messages.length} messages with a key for ${this.ghost}`);
      const [message] = messages;
      return { caller: this, id: randomUUID(), party: this.deviceId, sdp: offer(), lifetime, keys, keyId: message['org.matrix.msgid'] };
    });
  }

  async sendKeys(call) {
    for (const request of call.keys) await this.#serial(() => this.#perform(request));
    call.keySentAt = Date.now();
  }

  async send(call, type, content) {
    const body = { call_id: call.id, party_id: call.party, version: '1', ...content };
    const sealed = await this.#serial(() => this.machine.encryptRoomEvent(new RoomId(this.room), type, JSON.stringify(body)));
    call.sentAt ??= Date.now();
    return this.api('PUT', `/rooms/${encodeURIComponent(this.room)}/send/m.room.encrypted/${randomUUID()}`, sealed);
  }

  async sendInvite(call) {
    const { event_id: id } = await this.send(call, 'm.call.invite', { lifetime: call.lifetime, invitee: this.ghost, offer: { type: 'offer', sdp: call.sdp } });
    call.eventId = id;
  }

  hangUp(call) {
    return this.send(call, 'm.call.hangup', { reason: 'user_hangup' });
  }

  of(call, type) {
    return this.received.find((event) => event.type === type && event.content.call_id === call.id);
  }
}

// An audio offer that no other call has.
function offer() {
  const fingerprint = randomBytes(32).toString('hex').toUpperCase().match(/../g).join(':');
  return [
    'v=0', `o=- ${randomBytes(6).readUIntBE(0, 6)} 2 IN IP4 127.0.0.1`, 's=-', 't=0 0', 'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 0.0.0.0', 'a=rtcp:9 IN IP4 0.0.0.0',
    `a=ice-ufrag:${randomBytes(3).toString('hex')}`, `a=ice-pwd:${randomBytes(12).toString('hex')}`, 'a=ice-options:trickle',
    `a=fingerprint:sha-256 ${fingerprint}`, 'a=setup:actpass', 'a=mid:0', 'a=sendrecv', 'a=msid:stream track', 'a=rtcp-mux', 'a=rtpmap:111 opus/48000/2', '',
  ].join('\r\n');
}
