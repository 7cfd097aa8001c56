// SPDX-License-Identifier: Apache-2.0
//
// One call of the softphone: the peer connection, its streams, and negotiation after the call has been answered. Everything
// that changes the connection's descriptions runs in `serial`, one at a time. Knows of other calls nothing.
//
// Negotiation is the "perfect" one, with the bridge as the arbiter: an offer of theirs rolls ours back and is answered, then ours
// is made anew; 409 NEGOTIATION_COLLISION says that theirs is on its way, so ours is taken back and waits for it.

import { openScreen, openStream, openVideo, PitchMeter, rtpSummary, stopStream } from '../common/media.js';

export const hertz = 392;
export const repeatFor = 15000; // how long a repeatable request waits for a bridge that is being restarted
const candidateBatchMs = 200;
const reconnectAfterMs = 2000; // a connection that is only "disconnected" may come back by itself

export const capabilities = { transferee: true, dtmf: true };

export class PhoneCall {
  id = null;
  settled = false; // the first offer has been answered
  outgoing = []; // our candidates that have not been sent yet
  incoming = []; // theirs that came before the connection could take them
  remotes = new Map(); // stream id -> stream
  purposes = null; // stream id -> {purpose, audio_muted, video_muted}, once they have said so
  muted = false;
  videoMuted = false;
  held = false;
  peerHeld = false;
  peerMuted = false;
  peerVideoMuted = false;
  #queue = Promise.resolve();

  constructor(phone, fields) {
    Object.assign(this, { phone }, fields);
  }

  get service() {
    return this.phone.service;
  }

  serial(task) {
    const done = this.#queue.then(task);
    this.#queue = done.catch(() => {});
    return done;
  }

  post(how, body) {
    return this.service.request('POST', `/calls/${this.id}/${how}`, body, { repeatFor });
  }

  // ---- setting up

  async open(offer) {
    const [stream, ice] = await Promise.all([
      openStream({ hertz, label: 'softphone', video: this.video, microphone: this.phone.microphone }),
      // Without them a call still works inside one network.
      this.service.request('GET', '/calls/ice-servers', undefined).catch(() => ({ ice_servers: [] })),
    ]);
    if (this.over) {
      stopStream(stream);
      throw new Error('the call has ended');
    }
    this.stream = stream;
    const connection = (this.connection = new RTCPeerConnection({ iceServers: ice.ice_servers }));
    connection.onicecandidate = ({ candidate }) => {
      // null and "" both say that there are no more.
      this.outgoing.push(candidate?.candidate ? { candidate: candidate.candidate, sdpMid: candidate.sdpMid, sdpMLineIndex: candidate.sdpMLineIndex } : { candidate: '' });
      if (!candidate?.candidate) this.flush();
      else this.batch ??= setTimeout(() => this.flush(), candidateBatchMs);
    };
    connection.onicegatheringstatechange = () => {
      if (connection.iceGatheringState === 'gathering') this.candidatesEnded = false; // anew after an ICE restart
    };
    connection.ontrack = ({ streams: [remote] }) => {
      if (!remote) return;
      this.remotes.set(remote.id, remote);
      remote.onaddtrack = remote.onremovetrack = () => this.onStreams();
      this.onStreams();
    };
    connection.onconnectionstatechange = () => this.onConnectionState(connection);
    if (offer) await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    // Tracks belong to a real stream: the SDP then has the msid that Matrix clients look up in sdp_stream_metadata.
    for (const track of stream.getTracks()) {
      const sender = connection.addTrack(track, stream);
      if (track.kind === 'video') this.videoSender = sender;
    }
    if (offer) await this.takeCandidates(this.incoming.splice(0));
  }

  async firstOffer() {
    await this.connection.setLocalDescription(await this.connection.createOffer());
    return { initiator_sdp: this.connection.localDescription.sdp, media: { audio: true, video: Boolean(this.video) }, capabilities };
  }

  async sendAnswer() {
    await this.connection.setLocalDescription(await this.connection.createAnswer());
    await this.post('answer', { answer_sdp: this.connection.localDescription.sdp, capabilities });
    this.answerSent = this.settled = true;
    this.flush();
    if (this.wantsOffer) await this.requestOffer();
  }

  async onAnswered(data) {
    await this.serial(async () => {
      if (this.connection?.signalingState !== 'have-local-offer' || this.settled) return; // said again after a restart
      this.learn(data.streams);
      await this.connection.setRemoteDescription({ type: 'answer', sdp: data.answer_sdp });
      this.settled = true;
      if (this.stage === 'ringing-out' || this.stage === 'placing') this.stage = 'connecting';
    });
    await this.takeCandidates(this.incoming.splice(0));
    await this.serial(() => this.offerIfWanted());
  }

  // ---- candidates

  flush() {
    clearTimeout(this.batch);
    this.batch = null;
    const mayGo = this.id && !this.posting && (this.direction === 'outgoing' || this.answerSent);
    if (!mayGo || this.over || this.outgoing.length === 0) return;
    let batch = this.outgoing.splice(0);
    if (batch.some((c) => c.candidate === '')) {
      if (this.candidatesEnded) batch = batch.filter((c) => c.candidate);
      this.candidatesEnded = true;
    }
    if (batch.length === 0) return;
    this.post('ice-candidate', { candidates: batch }).catch((error) => console.warn('ice-candidate', error.code));
  }

  async takeCandidates(candidates) {
    if (!this.connection?.remoteDescription) {
      this.incoming.push(...candidates);
      return;
    }
    await this.serial(async () => {
      for (const candidate of candidates) {
        if (!candidate.candidate) continue; // the end of candidates needs no action here
        await this.connection.addIceCandidate(candidate).catch((error) => console.warn('candidate', error.message));
      }
    });
  }

  // ---- negotiation

  requestOffer() {
    this.wantsOffer = true;
    return this.serial(() => this.offerIfWanted());
  }

  async offerIfWanted() {
    const { connection } = this;
    if (!this.wantsOffer || !this.settled || this.over || connection.signalingState !== 'stable') return;
    this.wantsOffer = false;
    this.posting = true; // the offer's candidates come after it
    try {
      this.applyDirections();
      await connection.setLocalDescription(await connection.createOffer());
      await this.post('negotiate', { type: 'offer', sdp: connection.localDescription.sdp, ...this.streams() });
    } catch (error) {
      if (connection.signalingState === 'have-local-offer') await connection.setLocalDescription({ type: 'rollback' });
      if (error.code !== 'NEGOTIATION_COLLISION') throw error;
      this.wantsOffer = true; // when theirs has come and is answered
    } finally {
      this.posting = false;
      this.flush();
    }
  }

  onNegotiate(data) {
    return this.serial(async () => {
      const { connection } = this;
      if (!connection || this.over) return;
      if (data.type === 'answer') {
        if (connection.signalingState !== 'have-local-offer') return;
        this.learn(data.streams);
        await connection.setRemoteDescription({ type: 'answer', sdp: data.sdp });
      } else {
        if (connection.signalingState === 'have-local-offer') this.wantsOffer = true; // ours is rolled back by theirs
        this.learn(data.streams);
        await connection.setRemoteDescription({ type: 'offer', sdp: data.sdp });
        this.applyDirections();
        await connection.setLocalDescription(await connection.createAnswer());
        await this.post('negotiate', { type: 'answer', sdp: connection.localDescription.sdp, ...this.streams() })
          .catch((error) => console.warn('negotiate answer', error.code)); // it timed out meanwhile, or the call is over
      }
      this.peerHeld = Boolean(data.held);
      this.onStreams();
      await this.offerIfWanted();
    });
  }

  // An offer was not answered in time: the call goes on as it was agreed before.
  onNegotiationFailed() {
    return this.serial(async () => {
      const open = this.connection?.signalingState;
      if (open === 'have-local-offer') await this.connection.setLocalDescription({ type: 'rollback' });
      if (open === 'have-remote-offer') await this.connection.setRemoteDescription({ type: 'rollback' });
    });
  }

  // What each stream is for, said only when there is more than one.
  streams() {
    if (!this.screen && !this.hadScreen) return {};
    const streams = { [this.stream.id]: { purpose: 'm.usermedia', audio_muted: this.muted, video_muted: this.videoMuted || !this.video } };
    if (this.screen) streams[this.screen.id] = { purpose: 'm.screenshare' };
    return { streams };
  }

  // What the user wants of each section: to send when there is something to send, to receive unless the peer is on hold.
  applyDirections() {
    for (const transceiver of this.connection.getTransceivers()) {
      if (transceiver.stopped || transceiver.currentDirection === 'stopped') continue;
      const wanted = transceiver.sender.track ? (this.held ? 'sendonly' : 'sendrecv') : (this.held ? 'inactive' : 'recvonly');
      if (transceiver.direction !== wanted) transceiver.direction = wanted;
    }
  }

  applyTracks() {
    const silent = this.held || this.leaving;
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !this.muted && !silent;
    for (const track of this.stream?.getVideoTracks() ?? []) track.enabled = !this.videoMuted && !silent;
    for (const track of this.screen?.getTracks() ?? []) track.enabled = !silent;
  }

  // ---- what the user does in mid-call

  async setHold(on) {
    if (this.held === on) return;
    this.held = on;
    this.applyTracks();
    await this.requestOffer().catch((error) => {
      this.held = !on;
      this.applyTracks();
      throw error;
    });
  }

  async setMuted({ audio = this.muted, video = this.videoMuted }) {
    const changed = {};
    if (audio !== this.muted) changed.audio_muted = this.muted = audio;
    if (video !== this.videoMuted) changed.video_muted = this.videoMuted = video;
    this.applyTracks();
    if (Object.keys(changed).length) await this.post('media', changed);
  }

  async setVideo(on) {
    if (Boolean(this.video) === on) return;
    this.video = on;
    this.videoMuted = false;
    if (on) {
      const track = await openVideo({ label: 'softphone', microphone: this.phone.microphone });
      this.stream.addTrack(track);
      if (this.videoSender) await this.videoSender.replaceTrack(track);
      else this.videoSender = this.connection.addTrack(track, this.stream);
    } else {
      for (const track of this.stream.getVideoTracks()) {
        track.stop();
        this.stream.removeTrack(track);
      }
      await this.videoSender?.replaceTrack(null);
    }
    this.applyTracks();
    await this.requestOffer();
  }

  async setScreen(on) {
    if (Boolean(this.screen) === on) return;
    if (on) {
      const screen = await openScreen({ label: 'screen of the softphone', microphone: this.phone.microphone });
      const [track] = screen.getVideoTracks();
      track.onended = () => this.setScreen(false).then(() => this.phone.changed()); // stopped by the browser's own button
      this.screen = screen;
      if (this.screenSender) {
        this.screenSender.setStreams(screen);
        await this.screenSender.replaceTrack(track);
      } else {
        this.screenSender = this.connection.addTrack(track, screen);
      }
    } else {
      stopStream(this.screen);
      this.screen = null;
      this.hadScreen = true;
      await this.screenSender.replaceTrack(null);
    }
    this.applyTracks();
    await this.requestOffer();
  }

  async restartIce() {
    this.connection.restartIce();
    await this.requestOffer();
  }

  onConnectionState(connection) {
    if (this.over || this.connection !== connection) return;
    const state = connection.connectionState;
    if (state === 'connected') {
      this.stage = 'connected';
      this.restarted = false;
    }
    if (state === 'disconnected' || state === 'failed') {
      this.stage = 'interrupted';
      clearTimeout(this.reconnect);
      this.reconnect = setTimeout(() => this.tryAgain(), state === 'failed' ? 0 : reconnectAfterMs);
    }
    this.phone.changed();
    this.sayMediaState();
  }

  // Once for each interruption; whether it helped, the connection's state says.
  tryAgain() {
    if (this.over || this.leaving || this.restarted || !this.settled || this.stage !== 'interrupted') return;
    this.restarted = true;
    this.restartIce().catch((error) => console.warn('ICE restart', error.code ?? error.message));
  }

  sayMediaState() {
    const state = this.connection?.connectionState;
    if (!this.id || this.over || !['connected', 'disconnected', 'failed'].includes(state)) return;
    this.post('media-state', { state }).catch((error) => console.warn('media-state', error.code));
  }

  // ---- their streams

  learn(streams) {
    if (!streams) return;
    // What was said before stays: the SDK shares a second screen under the first one's id and announces another.
    this.purposes = new Map([...(this.purposes ?? []), ...streams.map((stream) => [stream.id, stream])]);
    const main = streams.find((stream) => stream.purpose === 'm.usermedia');
    if (!main) return;
    this.peerMuted = Boolean(main.audio_muted);
    this.peerVideoMuted = Boolean(main.video_muted);
  }

  onMediaChanged(data) {
    this.learn(data.streams);
    this.peerMuted = Boolean(data.audio_muted);
    this.peerVideoMuted = Boolean(data.video_muted);
  }

  streamFor(purpose) {
    const known = [...this.remotes.values()];
    if (this.purposes) return known.find((stream) => this.purposes.get(stream.id)?.purpose === purpose) ?? null;
    return purpose === 'm.usermedia' ? known[0] ?? null : null;
  }

  get mainStream() {
    return this.streamFor('m.usermedia');
  }

  get screenStream() {
    const stream = this.streamFor('m.screenshare');
    return stream?.getVideoTracks().length ? stream : null;
  }

  onStreams() {
    const main = this.mainStream;
    const [track] = main?.getAudioTracks() ?? [];
    if (track !== this.heard) {
      this.meter?.close();
      this.meter = track ? new PitchMeter(main) : null;
      this.heard = track;
    }
    this.phone.changed();
  }

  async stats() {
    return {
      ...(await rtpSummary(this.connection, { screen: this.screenStream, ownScreen: this.screen })),
      heardHertz: this.meter?.read() ?? null, sentHertz: hertz,
    };
  }

  // ---- the end

  // Both called at once and theirs won: same host call, everything of ours is taken down.
  takeDown() {
    clearTimeout(this.batch);
    clearTimeout(this.reconnect);
    this.meter?.close();
    this.connection?.close();
    stopStream(this.stream);
    stopStream(this.screen);
    Object.assign(this, { connection: null, stream: null, screen: null, meter: null, heard: null, batch: null, videoSender: null, screenSender: null,
      outgoing: [], incoming: [], remotes: new Map(), purposes: null, candidatesEnded: false, answerSent: false, settled: false });
  }

  close() {
    this.over = true;
    this.takeDown();
  }
}
