// SPDX-License-Identifier: Apache-2.0
//
// The softphone: a user of the host. WebRTC in the browser, signalling only by the bridge's call service (REST and event
// stream). One call at a time. `window.phone` is this object: people use it through the page, drivers directly.
//
// Stages of a call: placing -> ringing-out -> connecting -> connected <-> interrupted; ringing-in -> connecting -> ...

import { openStream, PitchMeter, rtpSummary, stopStream } from '../common/media.js';
import { WireLog } from '../common/wirelog.js';
import { mountUi } from '../common/ui.js';
import { CallService, ServiceError } from './callservice.js';

const hertz = 392;
const candidateBatchMs = 200;
const repeatFor = 15000; // how long a repeatable request waits for a bridge that is being restarted

class Softphone extends EventTarget {
  log = new WireLog();
  userId = 'softphone';
  microphone = false;
  conversations = [];
  call = null;
  ended = [];
  waiting = new Map(); // calls announced while another one occupies the phone: host call id -> announcement
  early = []; // events that overtook the answer to the request that made their call

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
        onOnline: (online) => { this.online = online; this.changed(); },
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
      if (this.call?.id && this.call.stage !== 'ringing-in') this.service.request('POST', `/calls/${this.call.id}/end`, { reason: 'user_hangup' }, { keepalive: true });
    });
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

  // ---- what the user does

  async place(conversationId, { video = false } = {}) {
    if (this.call) throw new Error('there is a call already');
    const peer = this.conversations.find((c) => c.id === conversationId)?.peer ?? conversationId;
    const call = (this.call = { id: null, conversationId, peer, video, direction: 'outgoing', stage: 'placing', outgoing: [], incoming: [] });
    this.changed();
    try {
      await this.openMedia(call);
      const offer = await call.connection.createOffer();
      await call.connection.setLocalDescription(offer);
      const body = {
        initiator_sdp: call.connection.localDescription.sdp,
        call_type: 'direct',
        media: { audio: true, video },
        idempotency_key: crypto.randomUUID(),
      };
      const made = await this.service.request('POST', `/conversations/${encodeURIComponent(conversationId)}/calls`, body, { repeatFor });
      call.id = made.id;
      call.matrix = made.matrix;
    } catch (error) {
      if (error.code === 'CALL_RINGING' && this.call === call) return this.ringInstead(call, error.body.call_id);
      this.finish(call, error instanceof ServiceError ? `unavailable: ${error.code}` : `failed: ${error.message}`, 'local');
      return null;
    }
    if (this.call !== call) { // hung up while the request was on its way
      await this.end(call.id, 'end', { reason: 'user_hangup' });
      return call.id;
    }
    if (call.stage === 'placing') call.stage = 'ringing-out';
    this.changed();
    this.flushCandidates(call);
    for (const { name, data } of this.early.splice(0)) await this.onEvent(name, data);
    return call.id;
  }

  async answer() {
    const call = this.call;
    if (call?.stage !== 'ringing-in') throw new Error('nothing rings');
    call.stage = 'connecting';
    this.changed();
    try {
      await this.openMedia(call, call.offer);
      await this.sendAnswer(call);
    } catch (error) {
      this.finish(call, error.code === undefined ? `failed: ${error.message}` : error.body.reason ?? `failed: ${error.code}`, 'local');
      if (error.code === undefined) await this.end(call.id, 'end', { reason: 'user_media_failed' });
    }
  }

  async reject() {
    const call = this.call;
    if (call?.stage !== 'ringing-in') throw new Error('nothing rings');
    this.finish(call, 'rejected', 'local');
    await this.end(call.id, 'reject', {});
  }

  async hangup() {
    const call = this.call;
    if (!call) throw new Error('there is no call');
    this.finish(call, 'user_hangup', 'local');
    if (call.id) await this.end(call.id, 'end', { reason: 'user_hangup' });
  }

  async setMuted(muted) {
    const call = this.call;
    if (!call?.stream) throw new Error('there is no call');
    for (const track of call.stream.getAudioTracks()) track.enabled = !muted;
    call.muted = muted;
    this.changed();
    // A bridge that cannot tell the other side yet does not keep anybody from muting.
    await this.service.request('POST', `/calls/${call.id}/media`, { audio_muted: muted, video_muted: !call.video }, { repeatFor })
      .catch((error) => { if (error.status !== 501) throw error; });
  }

  async end(id, how, body) {
    await this.service.request('POST', `/calls/${id}/${how}`, body, { repeatFor });
  }

  // ---- media

  async openMedia(call, offer) {
    const [stream, ice] = await Promise.all([
      openStream({ hertz, label: 'softphone', video: call.video, microphone: this.microphone }),
      // Without them a call still works inside one network.
      this.service.request('GET', '/calls/ice-servers', undefined).catch(() => ({ ice_servers: [] })),
    ]);
    if (this.call !== call) {
      stopStream(stream);
      throw new Error('the call has ended');
    }
    call.stream = stream;
    const connection = (call.connection = new RTCPeerConnection({ iceServers: ice.ice_servers }));
    connection.onicecandidate = ({ candidate }) => {
      // null and "" both say that there are no more.
      call.outgoing.push(candidate?.candidate ? { candidate: candidate.candidate, sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex } : { candidate: '' });
      if (!candidate?.candidate) this.flushCandidates(call);
      else call.batch ??= setTimeout(() => this.flushCandidates(call), candidateBatchMs);
    };
    connection.ontrack = ({ streams: [remote] }) => {
      if (!remote || call.remote === remote) return;
      call.remote = remote;
      if (remote.getAudioTracks().length) call.meter = new PitchMeter(remote);
      this.changed();
    };
    connection.onconnectionstatechange = () => this.onConnectionState(call, connection);
    if (offer) await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    // Tracks belong to a real stream: the SDP then has the msid that Matrix clients look up in sdp_stream_metadata.
    for (const track of stream.getTracks()) connection.addTrack(track, stream);
    if (offer) await this.takeCandidates(call, call.incoming.splice(0));
  }

  async sendAnswer(call) {
    const answer = await call.connection.createAnswer();
    await call.connection.setLocalDescription(answer);
    await this.service.request('POST', `/calls/${call.id}/answer`, { answer_sdp: call.connection.localDescription.sdp }, { repeatFor });
    call.answerSent = true;
    this.flushCandidates(call);
  }

  onConnectionState(call, connection) {
    if (this.call !== call || call.connection !== connection) return;
    const state = connection.connectionState;
    if (state === 'connected') call.stage = 'connected';
    if (state === 'disconnected' || state === 'failed') call.stage = 'interrupted';
    if (state === 'connected') call.since ??= Date.now();
    this.changed();
    if (['connected', 'disconnected', 'failed'].includes(state) && call.id) {
      this.service.request('POST', `/calls/${call.id}/media-state`, { state }, { repeatFor }).catch((error) => console.warn('media-state', error.code));
    }
  }

  flushCandidates(call) {
    clearTimeout(call.batch);
    call.batch = null;
    const mayGo = call.id && (call.direction === 'outgoing' || call.answerSent);
    if (!mayGo || this.call !== call || call.outgoing.length === 0) return;
    const batch = call.outgoing.splice(0);
    if (batch.some((c) => c.candidate === '')) {
      if (call.candidatesEnded) batch.splice(0, batch.length, ...batch.filter((c) => c.candidate));
      call.candidatesEnded = true;
    }
    if (batch.length === 0) return;
    this.service.request('POST', `/calls/${call.id}/ice-candidate`, { candidates: batch }, { repeatFor }).catch((error) => console.warn('ice-candidate', error.code));
  }

  async takeCandidates(call, candidates) {
    if (!call.connection?.remoteDescription) {
      call.incoming.push(...candidates);
      return;
    }
    for (const candidate of candidates) {
      if (!candidate.candidate) continue; // the end of candidates needs no action here
      await call.connection.addIceCandidate(candidate).catch((error) => console.warn('candidate', error.message));
    }
  }

  // ---- what the bridge says

  async onEvent(name, data, before) {
    this.saveCheckpoint(before);
    const id = data.call_id;
    if (name === 'call.initiated') return this.onInitiated(data);
    const call = this.call;
    if (call?.id !== id) {
      if (this.waiting.has(id) && ['call.rejected', 'call.ended', 'call.unavailable'].includes(name)) this.waiting.delete(id);
      else if (this.waiting.has(id) && name === 'call.ice_candidate') this.waiting.get(id).candidates.push(...data.candidates);
      else if (call && call.id === null) this.early.push({ name, data });
      return;
    }
    switch (name) {
      case 'call.answered':
        if (call.connection?.signalingState !== 'have-local-offer') return; // said again after a restart
        await call.connection.setRemoteDescription({ type: 'answer', sdp: data.answer_sdp });
        if (call.stage === 'ringing-out' || call.stage === 'placing') call.stage = 'connecting';
        await this.takeCandidates(call, call.incoming.splice(0));
        break;
      case 'call.ice_candidate':
        await this.takeCandidates(call, data.candidates);
        break;
      case 'call.negotiate':
        await this.onNegotiate(call, data);
        break;
      case 'call.media_changed':
        call.peerMuted = Boolean(data.audio_muted);
        break;
      case 'call.glare':
        await this.onGlare(call, data);
        break;
      case 'call.rejected':
        this.finish(call, 'rejected', 'remote');
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
    if (this.call?.id === data.call_id || this.waiting.has(data.call_id)) return; // announced again after a restart
    if (this.ended.some((e) => e.id === data.call_id)) return;
    if (!this.conversations.some((c) => c.id === data.conversation_id)) this.refresh().catch(() => {});
    if (!this.call) {
      this.ring(data);
    } else if (this.call.id === null && this.call.conversationId === data.conversation_id) {
      this.waiting.set(data.call_id, { data, candidates: [] }); // the bridge is about to say who wins
    } else {
      await this.end(data.call_id, 'reject', { reason: 'user_busy' });
    }
  }

  ring(data, candidates = []) {
    this.call = {
      id: data.call_id, conversationId: data.conversation_id, peer: data.peer, matrix: data.matrix, direction: 'incoming', stage: 'ringing-in',
      video: Boolean(data.media?.video), offer: data.sdp, outgoing: [], incoming: [...candidates],
    };
    this.changed();
  }

  // The service refused our call because theirs rings already: show that one.
  async ringInstead(call, id) {
    this.finish(call, 'replaced', 'local');
    const announced = this.waiting.get(id);
    this.waiting.delete(id);
    if (announced) this.ring(announced.data, announced.candidates);
    return id;
  }

  // Both called at once and theirs won: same host call, their offer instead of ours, answered for the user at once.
  async onGlare(call, data) {
    call.connection?.close();
    stopStream(call.stream);
    clearTimeout(call.batch);
    Object.assign(call, { connection: null, remote: null, outgoing: [], incoming: [], batch: null, candidatesEnded: false, answerSent: false,
      direction: 'incoming', stage: 'connecting', offer: data.sdp, video: Boolean(data.media?.video), matrix: data.matrix, glare: true });
    this.changed();
    await this.openMedia(call, data.sdp);
    await this.sendAnswer(call);
  }

  async onNegotiate(call, { type, sdp }) {
    const connection = call.connection;
    if (!connection) return;
    if (type === 'offer' && connection.signalingState !== 'stable') {
      if (call.direction === 'outgoing') return; // the caller is the impolite one
      await connection.setLocalDescription({ type: 'rollback' });
    }
    await connection.setRemoteDescription({ type, sdp });
    if (type !== 'offer') return;
    await connection.setLocalDescription(await connection.createAnswer());
    await this.service.request('POST', `/calls/${call.id}/negotiate`, { type: 'answer', sdp: connection.localDescription.sdp }, { repeatFor });
  }

  finish(call, reason, by) {
    if (this.call !== call) return;
    this.call = null;
    this.early = [];
    clearTimeout(call.batch);
    call.meter?.close();
    call.connection?.close();
    stopStream(call.stream);
    this.ended.push({ id: call.id, peer: call.peer, direction: call.direction, reason, by, t: Date.now() });
    this.saveCheckpoint(this.service.lastEventId);
    this.changed();
  }

  // While a call lives: the event before its first one. Otherwise: the last one seen.
  saveCheckpoint(before) {
    if (!this.call) sessionStorage.setItem(this.checkpointKey, before ?? '0');
  }

  // ---- what drivers and the page read

  view() {
    const call = this.call;
    return {
      user: this.loggedIn ? this.service.base : null, service: true, online: this.online, connecting: this.connecting,
      contacts: this.conversations.map((c) => ({ id: c.id, peer: c.peer, callable: true })),
      call: call && { peer: call.peer, stage: call.stage, video: call.video, muted: call.muted, peerMuted: call.peerMuted, stream: call.remote },
      last: this.ended.at(-1) ?? null,
    };
  }

  state() {
    const call = this.call;
    return {
      loggedIn: Boolean(this.loggedIn), online: Boolean(this.online), conversations: this.conversations,
      call: call && { id: call.id, conversationId: call.conversationId, peer: call.peer, direction: call.direction, stage: call.stage, video: call.video, glare: Boolean(call.glare), peerMuted: Boolean(call.peerMuted) },
      ended: this.ended,
    };
  }

  async stats() {
    return { ...(await rtpSummary(this.call?.connection)), heardHertz: this.call?.meter?.read() ?? null, sentHertz: hertz };
  }

  entries() {
    return this.log.entries;
  }
}

window.phone = new Softphone();
mountUi(window.phone);
