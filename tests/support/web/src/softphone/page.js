// SPDX-License-Identifier: Apache-2.0
//
// The softphone: a user of the host. WebRTC in the browser, signalling only by the bridge's call service (REST and event
// stream). One call is at the front, others are on hold behind it. `window.phone` is this object: people use it through the
// page, drivers directly. A call itself is in call.js, transfers are in transfers.js.
//
// Stages of a call: placing -> ringing-out -> connecting -> connected <-> interrupted; ringing-in -> connecting -> ...

import { secretsSeen, watchConnections } from '../common/secrets.js';
import { WireLog } from '../common/wirelog.js';
import { mountUi } from '../common/ui.js';
import { PhoneCall, repeatFor } from './call.js';
import { CallService, ServiceError } from './callservice.js';
import { Transfers } from './transfers.js';

class Softphone extends EventTarget {
  log = new WireLog();
  userId = 'softphone';
  microphone = false;
  autoTransfer = false; // a driver may set it: what the peer asks for is done without asking the user
  conversations = [];
  calls = [];
  call = null; // the one at the front
  ended = [];
  unread = []; // encrypted events of peers that the bridge could not read: perhaps a call that never rang
  waiting = new Map(); // calls announced while another one occupies the phone: host call id -> announcement
  wanted = null; // a call of theirs that this user is to be put through to when it is announced
  early = []; // events that overtook the answer to the request that made their call
  transfers = new Transfers(this);

  changed() {
    this.dispatchEvent(new Event('change'));
  }

  async login({ api, token }) {
    this.connecting = true;
    this.changed();
    try {
      this.service = new CallService({
        api, token, log: this.log,
        onEvent: (name, data, before) => this.onEvent(name, data, before),
        onOnline: (online) => this.onOnline(online),
      });
      await this.refresh();
      this.loggedIn = true;
    } finally {
      this.connecting = false;
      this.changed();
    }
    // A reloaded page resumes where the last call it had not finished began, so that a ringing call rings again.
    this.checkpointKey = `matrix-voip-events ${api}`;
    this.service.openStream(sessionStorage.getItem(this.checkpointKey));
    addEventListener('pagehide', () => {
      for (const call of this.calls) {
        if (call.id && call.stage !== 'ringing-in') this.service.request('POST', `/calls/${call.id}/end`, { reason: 'user_hangup' }, { keepalive: true });
      }
    });
  }

  // A bridge that was started again does not know whether media still flows.
  onOnline(online) {
    if (online && !this.online) for (const call of this.calls) call.sayMediaState();
    this.online = online;
    this.changed();
  }

  async refresh() {
    this.conversations = (await this.service.request('GET', '/conversations', undefined)).conversations;
    this.changed();
    return this.conversations;
  }

  async newContact(matrixUser) {
    const conversation = await this.service.request('POST', '/conversations', { matrix_user: matrixUser }, { repeatFor });
    await this.refresh();
    return conversation;
  }

  // ---- calls

  find(id) {
    return this.calls.find((call) => call.id === id);
  }

  add(fields) {
    const call = new PhoneCall(this, fields);
    this.calls.push(call);
    this.call = call;
    this.changed();
    return call;
  }

  // With a call already: that one is put on hold and stays behind the new one.
  async place(conversationId, { video = false } = {}) {
    if (this.call?.stage === 'ringing-in' && this.call.conversationId === conversationId) return this.answer();
    if (this.calls.length > 1 || (this.call && this.call.stage !== 'connected')) throw new Error('there is a call already');
    await this.call?.setHold(true);
    const peer = this.conversations.find((c) => c.id === conversationId)?.peer ?? conversationId;
    const call = this.add({ conversationId, peer, video, direction: 'outgoing', stage: 'placing' });
    return this.start(call, (offer) => this.service.request(
      'POST', `/conversations/${encodeURIComponent(conversationId)}/calls`, { ...offer, call_type: 'direct', idempotency_key: crypto.randomUUID() }, { repeatFor },
    ));
  }

  // request: takes our first offer to the bridge and gives the call object.
  async start(call, request) {
    try {
      await call.open();
      const made = await request(await call.firstOffer());
      call.id = made.id;
      call.conversationId = made.conversation_id ?? call.conversationId;
      call.matrix = made.matrix;
    } catch (error) {
      if (error.code === 'CALL_RINGING' && !call.over) return this.answerInstead(call, error.body.call_id);
      this.finish(call, error instanceof ServiceError ? `unavailable: ${error.code}` : `failed: ${error.message}`, 'local');
      return null;
    }
    if (call.over) { // hung up while the request was on its way
      await this.end(call.id, 'end', { reason: 'user_hangup' });
      return call.id;
    }
    if (call.stage === 'placing') call.stage = 'ringing-out';
    this.changed();
    call.flush();
    for (const { name, data } of this.early.splice(0)) await this.onEvent(name, data);
    return call.id;
  }

  async answer() {
    const call = this.call;
    if (call?.stage !== 'ringing-in') throw new Error('nothing rings');
    call.stage = 'connecting';
    this.changed();
    try {
      await call.open(call.offer);
      await call.sendAnswer();
    } catch (error) {
      this.finish(call, error.code === undefined ? `failed: ${error.message}` : error.body.reason ?? `failed: ${error.code}`, 'local');
      if (error.code === undefined) await this.end(call.id, 'end', { reason: 'user_media_failed' });
    }
    return call.id;
  }

  // reason: user_busy, or ignore, which stops the ringing here and says nothing to the caller.
  async reject(reason) {
    const call = this.call;
    if (call?.stage !== 'ringing-in') throw new Error('nothing rings');
    this.finish(call, reason === 'ignore' ? 'ignored' : reason ?? 'rejected', 'local');
    await this.end(call.id, 'reject', reason ? { reason } : {});
  }

  async hangup() {
    const call = this.call;
    if (!call) throw new Error('there is no call');
    this.finish(call, 'user_hangup', 'local');
    if (call.id) await this.end(call.id, 'end', { reason: 'user_hangup' });
  }

  async end(id, how, body) {
    await this.service.request('POST', `/calls/${id}/${how}`, body, { repeatFor });
  }

  talking() {
    if (!this.call?.stream) throw new Error('there is no call');
    return this.call;
  }

  async during(work) {
    try {
      return await work(this.talking());
    } finally {
      this.changed();
    }
  }

  setHold(on) { return this.during((call) => call.setHold(on)); }
  setMuted(muted) { return this.during((call) => call.setMuted({ audio: muted })); }
  setVideoMuted(muted) { return this.during((call) => call.setMuted({ video: muted })); }
  setVideo(on) { return this.during((call) => call.setVideo(on)); }
  setScreen(on) { return this.during((call) => call.setScreen(on)); }
  restartIce() { return this.during((call) => call.restartIce()); }
  setIdentity(identity) { return this.during((call) => call.post('identity', { identity })); }
  transfer(user) { return this.transfers.toUser(this.talking(), user); }
  transferToOther() { return this.transfers.toCall(this.other(), this.talking()); }
  acceptTransfer() { return this.transfers.accept(); }
  refuseTransfer() { return this.transfers.refuse(); }

  // The call behind the one at the front.
  other() {
    return this.calls.find((call) => call !== this.call && !call.leaving);
  }

  async swap() {
    const [front, behind] = [this.call, this.other()];
    if (!behind) throw new Error('there is no other call');
    await front.setHold(true);
    this.call = behind;
    await behind.setHold(false);
    this.changed();
  }

  // ---- what the bridge says

  async onEvent(name, data, before) {
    this.saveCheckpoint(before);
    const id = data.call_id;
    if (name === 'call.initiated') return this.onInitiated(data);
    if (name === 'call.undecryptable') return this.onUndecryptable(data);
    if (name === 'call.transfer_requested') return this.transfers.onRequested(this.find(id), data);
    const call = this.find(id);
    if (!call) {
      if (this.waiting.has(id) && ['call.rejected', 'call.ended', 'call.unavailable'].includes(name)) this.waiting.delete(id);
      else if (this.waiting.has(id) && name === 'call.ice_candidate') this.waiting.get(id).candidates.push(...data.candidates);
      else if (this.calls.some((c) => c.id === null)) this.early.push({ name, data });
      return;
    }
    if (data.capabilities) call.peerCapabilities = data.capabilities;
    switch (name) {
      case 'call.answered':
        await call.onAnswered(data);
        break;
      case 'call.ice_candidate':
        await call.takeCandidates(data.candidates);
        break;
      case 'call.negotiate':
        await call.onNegotiate(data);
        break;
      case 'call.negotiation_failed':
        call.note = { key: 'negotiationFailed', detail: data.reason };
        await call.onNegotiationFailed();
        break;
      case 'call.media_changed':
        call.onMediaChanged(data);
        break;
      case 'call.identity_changed':
        call.identity = data.identity;
        break;
      case 'call.rejected_locally':
        call.note = { key: 'rejectedLocally', detail: data.reason };
        break;
      case 'call.transfer_failed':
        this.transfers.onFailed(call, data);
        break;
      case 'call.glare':
        await this.onGlare(call, data);
        break;
      case 'call.rejected':
        this.finish(call, data.reason ?? 'rejected', 'remote');
        break;
      case 'call.ended':
        this.finish(call, data.reason ?? 'user_hangup', 'remote');
        break;
      case 'call.unavailable':
        // Matrix does not take the call now. One that is still being set up is given up, and the bridge is told so, or it
        // would ring bob's phone when Matrix is back; one that people are in goes on.
        if (call.stage === 'placing' || call.stage === 'ringing-out') {
          this.finish(call, `unavailable: ${data.reason}`, 'remote');
          await this.end(id, 'end', { reason: 'user_hangup' });
        }
        break;
    }
    this.changed();
  }

  async onInitiated(data) {
    if (this.find(data.call_id) || this.waiting.has(data.call_id)) return; // announced again after a restart
    if (this.ended.some((e) => e.id === data.call_id)) return;
    if (!this.conversations.some((c) => c.id === data.conversation_id)) this.refresh().catch(() => {});
    if (data.replaces && this.transfers.awaits(data.replaces)) {
      this.ring(data);
      await this.answer();
    } else if (!this.call) {
      this.ring(data);
      if (this.wanted === data.call_id) await this.answer();
    } else if (this.call.id === null && this.call.conversationId === data.conversation_id) {
      this.waiting.set(data.call_id, { data, candidates: [] }); // the bridge is about to say who wins
    } else {
      await this.end(data.call_id, 'reject', { reason: 'user_busy' });
    }
  }

  onUndecryptable(data) {
    const peer = data.peer ?? this.conversations.find((c) => c.id === data.conversation_id)?.peer ?? data.conversation_id;
    this.unread.push({ peer, conversationId: data.conversation_id, reason: data.reason, t: Date.now() });
    this.changed();
  }

  ring(data, candidates = []) {
    const call = this.add({
      id: data.call_id, conversationId: data.conversation_id, peer: data.peer, matrix: data.matrix, direction: 'incoming', stage: 'ringing-in',
      video: Boolean(data.media?.video), offer: data.sdp, incoming: [...candidates], peerCapabilities: data.capabilities, replaces: data.replaces ?? null,
    });
    call.learn(data.streams);
    this.changed();
  }

  // The service refused our call because theirs rings already. The user wants to talk to them: that is an answer.
  async answerInstead(call, id) {
    const announced = this.waiting.get(id);
    this.waiting.delete(id);
    this.finish(call, 'replaced', 'local');
    this.wanted = id;
    if (!announced) return id; // answered when it is announced
    this.ring(announced.data, announced.candidates);
    return this.answer();
  }

  // Both called at once and theirs won: same host call, their offer instead of ours, answered for the user at once.
  async onGlare(call, data) {
    call.takeDown();
    Object.assign(call, { direction: 'incoming', stage: 'connecting', offer: data.sdp, video: Boolean(data.media?.video), matrix: data.matrix, glare: true });
    call.learn(data.streams);
    this.changed();
    await call.open(data.sdp);
    await call.sendAnswer();
  }

  finish(call, reason, by) {
    if (call.over) return;
    call.close();
    this.calls = this.calls.filter((c) => c !== call);
    if (this.call === call) this.call = this.calls.at(-1) ?? null;
    if (!this.calls.some((c) => c.id === null)) this.early = [];
    this.ended.push({ id: call.id, peer: call.peer, direction: call.direction, reason, by, t: Date.now() });
    this.saveCheckpoint(this.service.lastEventId);
    this.changed();
  }

  // While a call lives: the event before its first one. Otherwise: the last one seen.
  saveCheckpoint(before) {
    if (this.calls.length === 0) sessionStorage.setItem(this.checkpointKey, before ?? '0');
  }

  // ---- what drivers and the page read

  view() {
    const call = this.call;
    const other = this.other();
    const free = !call || (call.stage === 'connected' && this.calls.length === 1);
    return {
      user: this.loggedIn ? this.service.base : null, service: true, online: this.online, connecting: this.connecting,
      contacts: this.conversations.map((c) => ({ id: c.id, peer: c.peer, callable: free, encrypted: Boolean(c.encrypted) })),
      call: call && {
        peer: call.peer, name: call.identity?.display_name ?? call.identity?.id ?? null, stage: call.stage, video: Boolean(call.video), note: call.note ?? null,
        muted: call.muted, videoMuted: call.videoMuted, held: call.held, sharing: Boolean(call.screen),
        peerMuted: call.peerMuted, peerHeld: call.peerHeld, stream: call.mainStream, screen: call.screenStream,
        picture: !call.peerVideoMuted && Boolean(call.mainStream?.getVideoTracks().length), transferable: Boolean(call.peerCapabilities?.transferee),
      },
      other: other ? { peer: other.peer, transferable: Boolean(other.peerCapabilities?.transferee) } : null,
      transfer: this.transfers.view(),
      last: this.ended.at(-1) ?? null, missed: this.unread.findLast((e) => e.t > (this.ended.at(-1)?.t ?? 0)) ?? null,
    };
  }

  describe(call) {
    return {
      id: call.id, conversationId: call.conversationId, matrixId: call.matrix?.call_id ?? null, peer: call.peer, direction: call.direction, stage: call.stage,
      video: Boolean(call.video), glare: Boolean(call.glare), replaces: call.replaces ?? null, muted: call.muted, held: call.held, peerHeld: call.peerHeld,
      peerMuted: call.peerMuted, peerVideoMuted: call.peerVideoMuted, sharing: Boolean(call.screen), peerScreen: Boolean(call.screenStream),
      signalling: call.connection?.signalingState ?? null, identity: call.identity ?? null, capabilities: call.peerCapabilities ?? null, note: call.note ?? null,
      streams: [...call.remotes.values()].map((stream) => ({
        id: stream.id, purpose: call.purposes?.get(stream.id)?.purpose ?? null, audio: stream.getAudioTracks().length, video: stream.getVideoTracks().length,
      })),
    };
  }

  state() {
    return {
      loggedIn: Boolean(this.loggedIn), online: Boolean(this.online), conversations: this.conversations,
      call: this.call && this.describe(this.call), others: this.calls.filter((call) => call !== this.call).map((call) => this.describe(call)),
      transfer: this.transfers.view(), ended: this.ended, unread: this.unread,
    };
  }

  async stats() {
    return this.call ? this.call.stats() : new PhoneCall(this, {}).stats();
  }

  entries() {
    return this.log.entries;
  }

  secrets() {
    return secretsSeen(); // the user's token is the driver's own
  }
}

watchConnections();
window.phone = new Softphone();
mountUi(window.phone);
