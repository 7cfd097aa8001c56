// SPDX-License-Identifier: Apache-2.0
//
// One place in which always one call is live, by turns placed by the Matrix user and by the bridged one: it is set up, talks
// (candidates, offers and answers, mute, from both sides), is hung up by either, and the next begins. Whatever is said on one side
// is awaited on the other, by what it says: each exactly once. Ledger keeps what is awaited; what comes unasked is a fault.

import { readFileSync } from 'node:fs';

const sample = JSON.parse(readFileSync(new URL('../support/samples/call-events.json', import.meta.url))).events['m.call.invite'].content;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Ledger {
  awaited = new Map(); // what -> { kind, since, done }
  messages = 0; // said by either side
  slow = 0; // times that the phone was told that Matrix takes long
  faults = [];

  constructor(latencies) {
    this.latencies = latencies;
  }

  fault(text) {
    if (this.faults.length < 50) this.faults.push(text);
    else this.faultsLeftOut = (this.faultsLeftOut ?? 0) + 1;
  }

  // -> when it has come: what came with it
  await(what, kind, since = performance.now()) {
    return new Promise((done) => {
      if (this.awaited.has(what)) this.fault(`awaited twice: ${what}`);
      this.awaited.set(what, { kind, since, done });
    });
  }

  // Of what is awaited, when it began to be on its way.
  began(what, since) {
    const entry = this.awaited.get(what);
    if (entry) entry.since = since;
  }

  came(what, at, value) {
    const entry = this.awaited.get(what);
    if (!entry) return this.fault(`came twice, or unasked: ${what}`);
    this.awaited.delete(what);
    if (entry.kind) this.latencies.add(entry.kind, at - entry.since);
    return entry.done(value);
  }
}

export class Slot {
  serial = 0;
  calls = 0;
  turn = 0;

  constructor({ number, phone, ghost, peer, room, homeserver, ledger, random, callSeconds }) {
    Object.assign(this, { number, phone, ghost, peer, room, homeserver, ledger, random, callSeconds });
  }

  // ---- what arrives

  // From the bridge, at the homeserver.
  sent({ type, content, at }) {
    const key = (what) => `homeserver ${content.call_id} ${what}`;
    if (type === 'm.call.candidates') {
      for (const { candidate } of content.candidates) if (candidate) this.ledger.came(key(candidate), at, content);
    } else if (type === 'm.call.negotiate') {
      this.ledger.came(key(versionOf(content.description.sdp)), at, content);
    } else if (type.endsWith('sdp_stream_metadata_changed')) {
      this.ledger.came(key(`mute ${(this.muteSent += 1)}`), at, content);
    } else {
      this.ledger.came(key(type), at, content);
    }
  }

  // From the bridge, on the phone.
  told(name, data, at) {
    const key = (what) => `phone ${data.call_id} ${what}`;
    if (name === 'call.unavailable') this.ledger.slow += 1; // the homeserver took longer than 1.5 s; it goes on
    else if (name === 'call.initiated') this.ledger.came(`phone ${data.matrix.call_id} ${name}`, at, data);
    else if (name === 'call.ice_candidate') for (const { candidate } of data.candidates) this.ledger.came(key(candidate), at, data);
    else if (name === 'call.negotiate') this.ledger.came(key(versionOf(data.sdp)), at, data);
    else if (name === 'call.media_changed') this.ledger.came(key(`mute ${(this.muteTold += 1)}`), at, data);
    else this.ledger.came(key(name), at, data);
  }

  // ---- what is said

  // By the Matrix user; `what` is awaited on the phone.
  push(type, content, what, kind = 'event pushed -> event stream') {
    this.ledger.messages += 1;
    const arrived = what && this.ledger.await(what, kind);
    this.homeserver.event(this.room, type, this.peer, { call_id: this.matrixId, version: '1', party_id: 'PEERDEVICE', ...content }, {
      onPush: (at) => what && this.ledger.began(what, at),
    });
    return arrived;
  }

  // By the phone; `what` is awaited at the homeserver.
  async act(action, body, what, kind = 'request -> event at the homeserver') {
    this.ledger.messages += 1;
    const arrived = what && this.ledger.await(what, kind);
    const path = `/calls/${this.hostId}/${action}`;
    const { status, json } = await this.phone.request(path, body);
    if (status !== 200) this.ledger.fault(`POST ${path}: HTTP ${status} ${JSON.stringify(json)}`);
    return arrived;
  }

  sdp() {
    this.version = (this.version ?? 0) + 1;
    return sample.offer.sdp.replace(/^o=.*$/m, `o=- ${this.number}${String(this.calls).padStart(6, '0')} ${this.version} IN IP4 127.0.0.1`);
  }

  // The Matrix user's, as they are now.
  streams() {
    const [[id, stream]] = Object.entries(sample.sdp_stream_metadata);
    return { sdp_stream_metadata: { [id]: { ...stream, audio_muted: this.mutedByPeer % 2 === 1 } } };
  }

  candidate() {
    this.serial += 1;
    return `candidate:${this.serial} 1 udp 2122260223 127.0.0.1 ${1024 + (this.serial % 60000)} typ host generation 0 ufrag tGMU`;
  }

  // ---- one call after the other

  async run() {
    while (!this.stopping) {
      this.calls += 1;
      Object.assign(this, { muteSent: 0, muteTold: 0, mutedByPhone: 0, mutedByPeer: 0, negotiating: false, open: 0, serial: 0 });
      await (this.calls % 2 === this.number % 2 ? this.setUpTheirs() : this.setUpOurs());
      await this.act('media-state', { state: 'connected' });
      this.ledger.messages -= 1; // it is told to nobody
      this.live = true;
      // Not all in step.
      const until = performance.now() + 1000 * this.callSeconds * (0.5 + this.random());
      while (!this.stopping && performance.now() < until) await pause(50);
      this.live = false;
      while (this.open > 0) await pause(5);
      const ended = `phone ${this.hostId} call.ended`;
      if (this.random() < 0.5) {
        await this.push('m.call.hangup', { reason: 'user_hangup' }, ended);
      } else {
        const told = this.ledger.await(ended);
        await this.act('end', {}, `homeserver ${this.matrixId} m.call.hangup`);
        await told;
      }
    }
  }

  async setUpTheirs() {
    this.matrixId = `peer${this.number}x${this.calls}`;
    const rung = await this.push('m.call.invite', { lifetime: 60000, offer: { type: 'offer', sdp: this.sdp() }, ...this.streams() },
      `phone ${this.matrixId} call.initiated`);
    this.hostId = rung.call_id;
    const answer = await this.act('answer', { answer_sdp: this.sdp() }, `homeserver ${this.matrixId} m.call.answer`, 'call set up: request -> event (gathers 200 ms)');
    this.push('m.call.select_answer', { selected_party_id: answer.party_id });
  }

  async setUpOurs() {
    this.ledger.messages += 1;
    const since = performance.now();
    const path = `/conversations/${this.conversation}/calls`;
    const body = { initiator_sdp: this.sdp(), call_type: 'direct', media: { audio: true, video: false } };
    const { status, json } = await this.phone.request(path, body);
    if (status !== 201) throw new Error(`POST ${path}: HTTP ${status} ${JSON.stringify(json)}`);
    this.matrixId = json.matrix.call_id;
    this.hostId = json.id;
    await this.ledger.await(`homeserver ${this.matrixId} m.call.invite`, 'call set up: request -> event (gathers 200 ms)', since);
    const selected = this.ledger.await(`homeserver ${this.matrixId} m.call.select_answer`);
    await this.push('m.call.answer', { answer: { type: 'answer', sdp: this.sdp() }, ...this.streams() },
      `phone ${this.hostId} call.answered`);
    await selected;
  }

  // ---- in the middle of a call

  // Says one thing, if the call is so far. -> whether it did
  say() {
    if (!this.live || this.open >= 30) return false;
    const dice = this.random();
    this.turn += 1;
    if (dice < 0.16 && !this.negotiating) this.#during(this.#negotiate(this.turn % 2 === 0));
    // One after the other: of those that wait together only what holds in the end is told.
    else if (dice < 0.26 && this.mutedByPhone === this.muteSent) this.#during(this.#muteByPhone());
    else if (dice < 0.36 && this.mutedByPeer === this.muteTold) this.#during(this.#muteByPeer());
    else if (dice < 0.68) this.#during(this.#candidateOfPeer());
    else this.#during(this.#candidateOfPhone());
    return true;
  }

  #during(work) {
    this.open += 1;
    work.catch((error) => this.ledger.fault(error.message)).then(() => { this.open -= 1; });
  }

  async #negotiate(byPeer) {
    this.negotiating = true;
    const [offer, answer] = [this.sdp(), this.sdp()];
    const said = (type, sdp) => ({ description: { type, sdp }, lifetime: 60000, ...this.streams() });
    const onPhone = (sdp) => `phone ${this.hostId} ${versionOf(sdp)}`;
    const atHomeserver = (sdp) => `homeserver ${this.matrixId} ${versionOf(sdp)}`;
    if (byPeer) {
      await this.push('m.call.negotiate', said('offer', offer), onPhone(offer));
      await this.act('negotiate', { type: 'answer', sdp: answer }, atHomeserver(answer));
    } else {
      await this.act('negotiate', { type: 'offer', sdp: offer }, atHomeserver(offer));
      await this.push('m.call.negotiate', said('answer', answer), onPhone(answer));
    }
    this.negotiating = false;
  }

  #muteByPhone() {
    this.mutedByPhone += 1;
    return this.act('media', { audio_muted: this.mutedByPhone % 2 === 1 }, `homeserver ${this.matrixId} mute ${this.mutedByPhone}`);
  }

  #muteByPeer() {
    this.mutedByPeer += 1;
    return this.push('m.call.sdp_stream_metadata_changed', this.streams(), `phone ${this.hostId} mute ${this.mutedByPeer}`);
  }

  #candidateOfPeer() {
    const candidate = this.candidate();
    return this.push('m.call.candidates', { candidates: [{ candidate, sdpMid: '0', sdpMLineIndex: 0 }] }, `phone ${this.hostId} ${candidate}`);
  }

  #candidateOfPhone() {
    const candidate = this.candidate();
    return this.act('ice-candidate', { candidates: [{ candidate, sdpMid: '0', sdpMLineIndex: 0 }] },
      `homeserver ${this.matrixId} ${candidate}`, 'candidate -> event at the homeserver (gathers 500 ms)');
  }
}

const versionOf = (sdp) => /^o=.*$/m.exec(sdp)[0].trim();
