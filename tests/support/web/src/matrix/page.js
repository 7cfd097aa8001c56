// SPDX-License-Identifier: Apache-2.0
//
// The Matrix phone: an ordinary Matrix client on matrix-js-sdk, the library of Element Web, with as little as possible of our
// own around its calls. It knows nothing of the bridge. `window.phone` is this object, for people through the page and for
// drivers directly. The log holds every m.call.* event that the homeserver delivered, with the time the homeserver took it.

import * as sdk from 'matrix-js-sdk';
import { CallEvent, CallState } from 'matrix-js-sdk/lib/webrtc/call.js';
import { CallEventHandlerEvent } from 'matrix-js-sdk/lib/webrtc/callEventHandler.js';
import { logger } from 'matrix-js-sdk/lib/logger.js';
import { openStream, PitchMeter, rtpSummary } from '../common/media.js';
import { outline, WireLog } from '../common/wirelog.js';
import { mountUi } from '../common/ui.js';

// #tone=... in the address gives two Matrix pages different pitches.
const hertz = Number(new URLSearchParams(location.hash.slice(1)).get('tone')) || 523;
const stages = {
  [CallState.Fledgling]: 'placing', [CallState.WaitLocalMedia]: 'placing', [CallState.CreateOffer]: 'placing',
  [CallState.InviteSent]: 'ringing-out', [CallState.Ringing]: 'ringing-in', [CallState.CreateAnswer]: 'connecting',
  [CallState.Connecting]: 'connecting', [CallState.Connected]: 'connected',
};

class MatrixPhone extends EventTarget {
  log = new WireLog();
  microphone = false;
  autoJoin = true;
  call = null;
  ended = [];
  seen = new Set();

  changed() {
    this.dispatchEvent(new Event('change'));
  }

  async login({ homeserver, user, password }) {
    this.connecting = true;
    this.changed();
    try {
      const answer = await sdk.createClient({ baseUrl: homeserver }).loginRequest({
        type: 'm.login.password', identifier: { type: 'm.id.user', user }, password, initial_device_display_name: 'Matrix phone',
      });
      this.client = sdk.createClient({
        baseUrl: homeserver, accessToken: answer.access_token, userId: answer.user_id, deviceId: answer.device_id, fallbackICEServerAllowed: false,
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
    client.on(CallEventHandlerEvent.Incoming, (call) => this.track(call));
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

  // ---- calls

  track(call) {
    if (this.call && this.call !== call && this.call.state !== CallState.Ended) {
      call.hangup('user_busy', false);
      return;
    }
    this.call = call;
    this.peerMuted = false;
    call.on(CallEvent.State, () => this.changed());
    call.on(CallEvent.FeedsChanged, () => this.onFeeds(call));
    call.on(CallEvent.Error, (error) => console.warn('call', error.code, error.message));
    call.on(CallEvent.Hangup, () => this.finish(call));
    call.on(CallEvent.Replaced, (successor) => {
      this.finish(call);
      this.track(successor);
    });
    this.changed();
  }

  onFeeds(call) {
    const feed = call.remoteUsermediaFeed;
    if (feed && feed !== this.feed) {
      this.feed = feed;
      feed.on('mute_state_changed', (audioMuted) => {
        this.peerMuted = audioMuted;
        this.changed();
      });
      this.meter?.close();
      this.meter = feed.stream.getAudioTracks().length ? new PitchMeter(feed.stream) : null;
    }
    this.changed();
  }

  finish(call) {
    if (this.call !== call) return;
    this.ended.push({
      callId: call.callId, roomId: call.roomId, peer: this.callPeer(call), direction: call.direction,
      reason: call.hangupReason ?? 'user_hangup', by: call.hangupParty, t: Date.now(),
    });
    this.call = null;
    this.feed = null;
    this.meter?.close();
    this.meter = null;
    this.changed();
  }

  callPeer(call) {
    const room = this.client.getRoom(call.roomId);
    return call.getOpponentMember()?.userId ?? (room ? this.peerOf(room) : call.roomId);
  }

  async place(roomId, { video = false, invitee } = {}) {
    if (this.call) throw new Error('there is a call already');
    const call = sdk.createNewMatrixCall(this.client, roomId, invitee ? { invitee } : undefined);
    if (!call) throw new Error('this browser cannot make calls');
    this.track(call);
    await (video ? call.placeVideoCall() : call.placeVoiceCall());
    return call.callId;
  }

  async answer() {
    if (this.call?.state !== CallState.Ringing) throw new Error('nothing rings');
    await this.call.answer(true, this.call.type === 'video');
  }

  async reject() {
    if (this.call?.state !== CallState.Ringing) throw new Error('nothing rings');
    this.call.reject();
  }

  async hangup() {
    if (!this.call) throw new Error('there is no call');
    this.call.hangup('user_hangup', false);
  }

  async setMuted(muted) {
    await this.call?.setMicrophoneMuted(muted);
    this.changed();
  }

  // ---- what drivers and the page read

  view() {
    const call = this.call;
    const rooms = this.userId ? this.client.getRooms().filter((room) => ['join', 'invite'].includes(room.getMyMembership())) : [];
    return {
      user: this.userId ?? null, online: this.online, connecting: this.connecting,
      contacts: rooms.map((room) => {
        const invitation = room.getMyMembership() === 'invite';
        const waits = !invitation && room.getMembersWithMembership('invite').length > 0;
        return { id: room.roomId, peer: this.peerOf(room), invitation, note: invitation ? 'invited' : waits ? 'waitsForPeer' : null, callable: !invitation };
      }),
      call: call && {
        peer: this.callPeer(call), stage: stages[call.state] ?? 'placing', video: call.type === 'video', muted: call.isMicrophoneMuted(), peerMuted: this.peerMuted,
        stream: call.remoteUsermediaStream ?? null,
      },
      last: this.ended.length ? { ...this.ended.at(-1) } : null,
    };
  }

  state() {
    const call = this.call;
    return {
      loggedIn: Boolean(this.userId), userId: this.userId ?? null, online: Boolean(this.online),
      rooms: this.userId ? this.client.getRooms().map((room) => ({
        roomId: room.roomId, peer: this.peerOf(room), membership: room.getMyMembership(), joined: room.getMembersWithMembership('join').map((m) => m.userId),
      })) : [],
      call: call && { callId: call.callId, roomId: call.roomId, peer: this.callPeer(call), direction: call.direction, stage: stages[call.state] ?? 'placing', sdkState: call.state, video: call.type === 'video', peerMuted: Boolean(this.peerMuted) },
      ended: this.ended,
    };
  }

  async stats() {
    return { ...(await rtpSummary(this.call?.peerConn)), heardHertz: this.meter?.read() ?? null, sentHertz: hertz };
  }

  entries() {
    return this.log.entries;
  }
}

const phone = new MatrixPhone();
// The SDK asks the browser for media; give it the tone unless the user wants the microphone.
const devices = navigator.mediaDevices;
devices.getUserMedia = (constraints) => openStream({ hertz, label: 'matrix', video: Boolean(constraints.video), microphone: phone.microphone });
logger.setLevel('warn', false);
window.phone = phone;
mountUi(phone);
