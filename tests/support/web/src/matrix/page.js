// SPDX-License-Identifier: Apache-2.0
//
// The Matrix phone: an ordinary Matrix client on matrix-js-sdk, the library of Element Web, with as little as possible of our
// own around its calls (calls.js). It knows nothing of the bridge. `window.phone` is this object, for people through the page
// and for drivers directly. The log holds every m.call.* event that the homeserver delivered, with the time the homeserver took
// it. In the address: #tone=... gives two pages different pitches, #transferee=no makes one that cannot be transferred.

import * as sdk from 'matrix-js-sdk';
import { CallEventHandlerEvent } from 'matrix-js-sdk/lib/webrtc/callEventHandler.js';
import { logger } from 'matrix-js-sdk/lib/logger.js';
import { openScreen, openStream } from '../common/media.js';
import { outline, WireLog } from '../common/wirelog.js';
import { mountUi } from '../common/ui.js';
import { MatrixCalls } from './calls.js';
import { Transferee } from './transferee.js';

const given = new URLSearchParams(location.hash.slice(1));

class MatrixPhone extends MatrixCalls {
  log = new WireLog();
  hertz = Number(given.get('tone')) || 523;
  microphone = false;
  autoJoin = true;
  autoTransfer = true;
  transferee = new Transferee(this);
  seen = new Set();

  async login({ homeserver, user, password }) {
    this.connecting = true;
    this.changed();
    try {
      const answer = await sdk.createClient({ baseUrl: homeserver }).loginRequest({
        type: 'm.login.password', identifier: { type: 'm.id.user', user }, password, initial_device_display_name: 'Matrix phone',
      });
      this.client = sdk.createClient({
        baseUrl: homeserver, accessToken: answer.access_token, userId: answer.user_id, deviceId: answer.device_id, fallbackICEServerAllowed: false,
        supportsCallTransfer: given.get('transferee') !== 'no',
      });
      await this.client.initRustCrypto({ useIndexedDB: false });
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

  record(event) {
    const type = event.getType();
    if (!/^(m|org\.matrix)\.call\./.test(type) || !event.getId() || this.seen.has(event.getId())) return;
    this.seen.add(event.getId());
    const content = event.getContent();
    const detail = content.reason ? ` ${content.reason}` : Array.isArray(content.candidates) ? ` (${content.candidates.length})` : '';
    this.log.add({
      kind: 'matrix', t: event.getTs(), received: Date.now(), from: event.getSender(), to: 'room', roomId: event.getRoomId(), eventId: event.getId(),
      type, callId: content.call_id, partyId: content.party_id, content: outline(content), encrypted: event.isEncrypted(), label: type + detail,
    });
    this.transferee.onEvent(event).catch((error) => console.warn('transfer', error.message));
  }

  // ---- rooms

  peerOf(room) {
    const other = [...room.getMembersWithMembership('join'), ...room.getMembersWithMembership('invite')].find((m) => m.userId !== this.client.getUserId());
    return other?.userId ?? room.getDMInviter() ?? room.name;
  }

  async createDirectRoom(userId) {
    const { room_id: roomId } = await this.client.createRoom({ preset: 'trusted_private_chat', visibility: 'private', is_direct: true, invite: [userId] });
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
        return { id: room.roomId, peer: this.peerOf(room), invitation, note: invitation ? 'invited' : waits ? 'waitsForPeer' : null, callable: !invitation && free };
      }),
      call: call && this.viewCall(call),
      other: other ? { peer: this.callPeer(other), transferable: other.opponentCanBeTransferred() } : null,
      transfer: null,
      last: this.ended.length ? { ...this.ended.at(-1) } : null,
    };
  }

  state() {
    return {
      loggedIn: Boolean(this.userId), userId: this.userId ?? null, online: Boolean(this.online),
      rooms: this.userId ? this.client.getRooms().map((room) => ({
        roomId: room.roomId, peer: this.peerOf(room), membership: room.getMyMembership(), joined: room.getMembersWithMembership('join').map((m) => m.userId),
      })) : [],
      call: this.call && this.describe(this.call),
      others: [...this.calls.keys()].filter((call) => call !== this.call).map((call) => this.describe(call)),
      ended: this.ended,
    };
  }

  entries() {
    return this.log.entries;
  }
}

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
