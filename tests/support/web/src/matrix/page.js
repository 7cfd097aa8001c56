// SPDX-License-Identifier: Apache-2.0
//
// The Matrix phone: an ordinary Matrix client on matrix-js-sdk, the library of Element Web, with as little as possible of our
// own around its calls (calls.js). It knows nothing of the bridge. `window.phone` is this object, for people through the page
// and for drivers directly. The log holds every m.call.* event that the homeserver delivered, with the time the homeserver took
// it and how it was encrypted, and every encrypted event that could not be read.
//
// In the address: #tone=... gives two pages different pitches, #transferee=no makes one that cannot be transferred, #sign=no a
// device that its user has not signed, #only-signed=yes one that deals with signed devices only, #encrypt=no one whose new rooms
// are not encrypted.

import * as sdk from 'matrix-js-sdk';
import { CallEventHandlerEvent } from 'matrix-js-sdk/lib/webrtc/callEventHandler.js';
import { logger } from 'matrix-js-sdk/lib/logger.js';
import { openScreen, openStream } from '../common/media.js';
import { secretsSeen, watchConnections } from '../common/secrets.js';
import { outline, WireLog } from '../common/wirelog.js';
import { mountUi } from '../common/ui.js';
import { MatrixCalls } from './calls.js';
import { Encryption, judge } from './encryption.js';
import { Transferee } from './transferee.js';
import { Verification } from './verification.js';

const given = new URLSearchParams(location.hash.slice(1));

class MatrixPhone extends MatrixCalls {
  log = new WireLog();
  hertz = Number(given.get('tone')) || 523;
  microphone = false;
  autoJoin = true;
  autoTransfer = true;
  encryptRooms = given.get('encrypt') !== 'no';
  transferee = new Transferee(this);
  verification = new Verification();
  seen = new Map(); // event id -> {entry, event}
  encryption = new Encryption({
    sign: given.get('sign') !== 'no', onlySigned: given.get('only-signed') === 'yes', trustChanged: (users) => this.readAgain(users),
  });

  async login({ homeserver, user, password }) {
    this.connecting = true;
    this.changed();
    try {
      const answer = await sdk.createClient({ baseUrl: homeserver }).loginRequest({
        type: 'm.login.password', identifier: { type: 'm.id.user', user }, password, initial_device_display_name: 'Matrix phone',
      });
      this.client = sdk.createClient({
        baseUrl: homeserver, accessToken: answer.access_token, userId: answer.user_id, deviceId: answer.device_id, fallbackICEServerAllowed: false,
        supportsCallTransfer: given.get('transferee') !== 'no', cryptoCallbacks: this.encryption.callbacks(answer.user_id, password),
      });
      await this.encryption.init(this.client);
      this.listen();
      const prepared = new Promise((done, failed) => {
        this.client.on(sdk.ClientEvent.Sync, (state, _previous, data) => {
          this.online = state === 'PREPARED' || state === 'SYNCING';
          if (state === 'PREPARED') done();
          if (state === 'ERROR' && !this.userId) failed(data?.error ?? new Error('sync failed'));
          this.changed();
        });
      });
      await this.client.startClient({ initialSyncLimit: 20 });
      await prepared;
      await this.encryption.prepare();
      this.since = Date.now();
      this.userId = answer.user_id;
      if (this.autoJoin) await this.joinInvites();
    } finally {
      this.connecting = false;
      this.changed();
    }
  }

  listen() {
    const { client } = this;
    client.on(CallEventHandlerEvent.Incoming, (call) => this.incoming(call));
    client.on(sdk.RoomEvent.MyMembership, (room, membership) => {
      if (membership === 'invite' && this.autoJoin && this.userId) this.join(room.roomId).catch((error) => console.warn('join', error.message));
      this.changed();
    });
    client.on(sdk.RoomMemberEvent.Membership, () => this.changed());
    client.on(sdk.ClientEvent.Room, () => this.changed());
    client.on(sdk.ClientEvent.Event, (event) => this.record(event));
    client.on(sdk.MatrixEventEvent.Decrypted, (event) => this.record(event));
  }

  // The same event comes several times: still encrypted, then read, or not, and read after all when its key comes late.
  record(event) {
    const id = event.getId();
    if (!id || id.startsWith('~')) return; // our own, on its way
    const known = this.seen.get(id);
    const unread = event.isDecryptionFailure(); // the SDK makes a message of it
    const type = unread ? 'm.room.encrypted' : event.getType();
    if (!unread && (type === 'm.room.encrypted' || (!known && !/^(m|org\.matrix)\.call\./.test(type)))) return;
    if (known?.entry.type === type) return;
    const content = event.getContent();
    const detail = content.reason ? ` ${content.reason}` : Array.isArray(content.candidates) ? ` (${content.candidates.length})` : '';
    const said = unread ? { content: {} } : { callId: content.call_id, partyId: content.party_id, content: outline(content) };
    const entry = known?.entry ?? this.log.add({
      kind: 'matrix', t: event.getTs(), received: Date.now(), from: event.getSender(), to: 'room', roomId: event.getRoomId(), eventId: id,
      encrypted: event.getWireType() === 'm.room.encrypted', type, label: type,
    });
    Object.assign(entry, said, { type, label: unread ? `m.room.encrypted ✗ ${event.decryptionFailureReason}` : type + detail, late: Boolean(known) });
    this.log.tell(entry);
    this.seen.set(id, { entry, event });
    this.examine(id).catch((error) => console.warn('encryption', error.message));
    this.transferee.onEvent(event).catch((error) => console.warn('transfer', error.message));
  }

  async examine(id) {
    const { entry, event } = this.seen.get(id);
    const found = await this.encryption.read(event);
    entry.firstShield ??= found.shield;
    Object.assign(entry, found);
    this.log.tell(entry);
    this.changed();
  }

  // What is known of somebody's devices has changed, and with it perhaps what their events are worth.
  readAgain(users) {
    for (const [id, { entry }] of this.seen) {
      if (entry.encrypted && users.includes(entry.from)) this.examine(id).catch((error) => console.warn('encryption', error.message));
    }
  }

  // ---- rooms

  peerOf(room) {
    const other = [...room.getMembersWithMembership('join'), ...room.getMembersWithMembership('invite')].find((m) => m.userId !== this.client.getUserId());
    return other?.userId ?? room.getDMInviter() ?? room.name;
  }

  // rotateAfter: a new room key after so many events.
  async createDirectRoom(userId, { encrypted = this.encryptRooms, rotateAfter } = {}) {
    const encryption = { type: 'm.room.encryption', state_key: '', content: { algorithm: 'm.megolm.v1.aes-sha2', ...(rotateAfter ? { rotation_period_msgs: rotateAfter } : {}) } };
    const { room_id: roomId } = await this.client.createRoom({
      preset: 'trusted_private_chat', visibility: 'private', is_direct: true, invite: [userId], initial_state: encrypted ? [encryption] : [],
    });
    const direct = { ...(this.client.getAccountData('m.direct')?.getContent() ?? {}) };
    direct[userId] = [...(direct[userId] ?? []), roomId];
    await this.client.setAccountData('m.direct', direct);
    await this.roomKnown(roomId);
    this.changed();
    return roomId;
  }

  // The direct room with this user, if both are in it and nobody else is.
  directRoom(userId) {
    const both = [this.client.getUserId(), userId].sort().join();
    const room = this.client.getRooms().find((r) => r.getMyMembership() === 'join' &&
      r.getMembersWithMembership('join').map((m) => m.userId).sort().join() === both);
    return room?.roomId ?? null;
  }

  newContact(userId) {
    return this.createDirectRoom(userId);
  }

  roomKnown(roomId) {
    if (this.client.getRoom(roomId)) return Promise.resolve();
    return new Promise((done) => {
      const look = (room) => {
        if (room.roomId !== roomId) return;
        this.client.off(sdk.ClientEvent.Room, look);
        done();
      };
      this.client.on(sdk.ClientEvent.Room, look);
    });
  }

  async join(roomId) {
    await this.client.joinRoom(roomId);
    this.changed();
  }

  async joinInvites() {
    const invited = this.client.getRooms().filter((room) => room.getMyMembership() === 'invite');
    for (const room of invited) await this.join(room.roomId);
    return invited.map((room) => room.roomId);
  }

  setAutoJoin(on) {
    this.autoJoin = on;
    if (on && this.userId) this.joinInvites();
  }

  setEncryptRooms(on) {
    this.encryptRooms = on;
  }

  setOnlySigned(on) {
    this.encryption.isolate(on);
    this.changed();
  }

  // Keys go only to devices that this user has verified, which here are none but the user's own.
  async trustVerifiedOnly(on) {
    this.client.getCrypto().globalBlacklistUnverifiedDevices = on;
    for (const room of this.client.getRooms()) await this.newRoomKey(room.roomId);
  }

  // The next event of the room gets a new key, which goes to everybody anew.
  async newRoomKey(roomId) {
    await this.client.getCrypto().forceDiscardSession(roomId);
  }

  // Of another session of this user. Then `verificationView` shows what to compare, and `judgeVerification` says so.
  async verifySession(deviceId) {
    await this.verification.ask(this.client.getCrypto(), this.client.getUserId(), deviceId);
  }

  judgeVerification(same) {
    return this.verification.judge(same);
  }

  verificationView() {
    return this.verification.view();
  }

  makeKeyBackup() {
    return this.encryption.makeKeyBackup();
  }

  restoreKeyBackup() {
    return this.encryption.restoreKeyBackup();
  }

  async logout() {
    await this.client.logout(true);
  }

  async sessionsOfUser() {
    const user = this.client.getUserId();
    return [...(await this.client.getCrypto().getUserDeviceInfo([user], true)).get(user).keys()];
  }

  // Whether this client shows another session of its user as verified.
  async trustOfSession(deviceId) {
    const crypto = this.client.getCrypto();
    await crypto.getUserDeviceInfo([this.client.getUserId()], true);
    const status = await crypto.getDeviceVerificationStatus(this.client.getUserId(), deviceId);
    return { verified: status?.isVerified() ?? false, signed: status?.signedByOwner ?? false };
  }

  async leave(roomId) {
    await this.client.leave(roomId);
  }

  // ---- what drivers and the page read

  view() {
    const { call } = this;
    const other = this.other();
    const free = !call || (call.state === 'connected' && this.calls.size === 1);
    const rooms = this.userId ? this.client.getRooms().filter((room) => ['join', 'invite'].includes(room.getMyMembership())) : [];
    return {
      user: this.userId ?? null, online: this.online, connecting: this.connecting,
      contacts: rooms.map((room) => {
        const invitation = room.getMyMembership() === 'invite';
        const waits = !invitation && room.getMembersWithMembership('invite').length > 0;
        return { id: room.roomId, peer: this.peerOf(room), invitation, note: invitation ? 'invited' : waits ? 'waitsForPeer' : null, callable: !invitation && free, encrypted: room.hasEncryptionStateEvent() };
      }),
      call: call && { ...this.viewCall(call), security: this.security(call.callId) },
      unread: this.unread(),
      other: other ? { peer: this.callPeer(other), transferable: other.opponentCanBeTransferred() } : null,
      transfer: null,
      last: this.ended.length ? { ...this.ended.at(-1), security: this.security(this.ended.at(-1).callId) } : null,
    };
  }

  security(callId) {
    return judge(this.log.entries.filter((entry) => entry.callId === callId && 'wireType' in entry));
  }

  // Encrypted events that came since this device is here, and since the last call has ended, and cannot be read.
  unread() {
    const from = Math.max(this.since ?? Infinity, this.ended.at(-1)?.t ?? 0);
    const entries = this.log.entries.filter((entry) => entry.decrypted === false && entry.received >= from);
    return entries.length ? { count: entries.length, peer: entries.at(-1).from, failure: entries.at(-1).failure } : null;
  }

  state() {
    return {
      loggedIn: Boolean(this.userId), userId: this.userId ?? null, online: Boolean(this.online),
      rooms: this.userId ? this.client.getRooms().map((room) => ({
        roomId: room.roomId, peer: this.peerOf(room), membership: room.getMyMembership(), joined: room.getMembersWithMembership('join').map((m) => m.userId),
        encrypted: room.hasEncryptionStateEvent(),
      })) : [],
      security: this.call ? this.security(this.call.callId) : null, unread: this.unread(),
      call: this.call && this.describe(this.call),
      others: [...this.calls.keys()].filter((call) => call !== this.call).map((call) => this.describe(call)),
      ended: this.ended,
    };
  }

  entries() {
    return this.log.entries;
  }

  // For drivers: what this device is, and what must not be found anywhere.
  async session() {
    const { client } = this;
    return {
      userId: client.getUserId(), deviceId: client.getDeviceId(), accessToken: client.getAccessToken(), signed: await this.encryption.isSigned(), onlySigned: this.encryption.onlySigned,
    };
  }

  secrets() {
    const token = this.client?.getAccessToken();
    return [...secretsSeen(), ...(token ? [{ kind: 'access token of a client', value: token }] : [])];
  }
}

watchConnections();
const phone = new MatrixPhone();
// The SDK asks the browser for media; give it the tone and generated pictures unless the user wants the microphone.
const devices = navigator.mediaDevices;
devices.getUserMedia = (constraints) => openStream({ hertz: phone.hertz, label: 'matrix', video: Boolean(constraints.video), microphone: phone.microphone });
devices.getDisplayMedia = () => openScreen({ label: 'screen of matrix', microphone: phone.microphone });
const realDevices = devices.enumerateDevices.bind(devices);
devices.enumerateDevices = () => (phone.microphone ? realDevices() : Promise.resolve([{ kind: 'audioinput' }, { kind: 'videoinput' }]));
logger.setLevel('warn', false);
window.phone = phone;
mountUi(phone);
