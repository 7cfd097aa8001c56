// SPDX-License-Identifier: Apache-2.0
//
// The load that faults are tried under: every bridged user talks with every Matrix user in a room of their own, all at once, call
// after call from either side: answered with candidates both ways, rejected, given up while it rings, given up at once. Each step
// waits for what the other side must see of it, or for the end of the call. What does not come is written down (`missing`);
// faultledger.mjs judges afterwards what each side got. Nothing here knows which fault is on.

import { randomBytes, randomUUID } from 'node:crypto';

const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const some = (list) => list[Math.floor(Math.random() * list.length)];
// Longer than any fault: what does not come is lost, and has not run out meanwhile.
export const ringSeconds = 600;
const lifetime = ringSeconds * 1000;
const patience = 300000;

let port = 10000;
let foundation = 0;

// Each candidate is one of its kind in the whole run.
function candidates(count) {
  return Array.from({ length: count }, () => {
    port = port >= 60000 ? 10000 : port + 1;
    return { candidate: `candidate:${(++foundation).toString(36)} 1 udp 2122260223 127.0.0.1 ${port} typ host`, sdpMid: '0', sdpMLineIndex: 0 };
  });
}

function description() {
  const fingerprint = randomBytes(32).toString('hex').toUpperCase().match(/../g).join(':');
  return [
    'v=0', `o=- ${randomBytes(6).readUIntBE(0, 6)} 2 IN IP4 127.0.0.1`, 's=-', 't=0 0', 'a=group:BUNDLE 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'c=IN IP4 0.0.0.0', `a=ice-ufrag:${randomBytes(3).toString('hex')}`, `a=ice-pwd:${randomBytes(12).toString('hex')}`,
    'a=ice-options:trickle', `a=fingerprint:sha-256 ${fingerprint}`, 'a=setup:actpass', 'a=mid:0', 'a=sendrecv', 'a=msid:stream track', 'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2', '',
  ].join('\r\n');
}

// One call, as both sides' scripts drive it. `hostId` is null until the bridge has named it.
class Call {
  missing = []; // what had to come and did not
  offered = { host: [], matrix: [] }; // candidates that a side has sent, or tried to
  given = { host: [], matrix: [] }; // those of them that were taken
  endedBy = null; // who ended it on purpose, and was told that this is done
  hostId = null;
  matrixId = null;

  constructor(pair, from) {
    Object.assign(this, { pair, from, plan: some(['answer', 'answer', 'answer', 'reject', 'cancel', 'quick']), begun: Date.now() });
  }

  get phone() {
    return this.pair.phone;
  }

  get peer() {
    return this.pair.peer;
  }

  // A side knows that it is over by what it heard; what it did itself it knows anyway.
  get over() {
    return Boolean(this.phone.isOver(this.hostId) || this.peer.hears(this.matrixId, 'm.call.hangup', 'm.call.reject') || this.refused);
  }

  // True: it came. False: the call is over instead. What neither comes is missing.
  async until(what, condition, { limit = patience, evenIfOver = false } = {}) {
    for (const end = Date.now() + limit; ; await pause(20)) {
      if (condition()) return true;
      if (!evenIfOver && this.over) return false;
      if (Date.now() > end) {
        this.missing.push(what);
        throw Object.assign(new Error(what), { gaveUp: true });
      }
    }
  }

  async act(path, body) {
    const answer = await this.phone.insist(`/calls/${this.hostId}${path}`, body);
    if (answer.status === 200) return true;
    if (answer.status !== 409 && answer.status !== 404) this.missing.push(`${path} was answered ${answer.status} ${answer.body.error}`);
    this.refused = true; // it is over on this side
    return false;
  }

  async run() {
    await (this.from === 'host' ? this.fromHost() : this.fromMatrix());
  }

  // ---- either way

  fresh(side, count) {
    const made = candidates(count);
    this.offered[side].push(...made.map(({ candidate }) => candidate));
    return made;
  }

  async hostSends(count) {
    for (let i = 0; i < 2; i++) {
      const fresh = this.fresh('host', count);
      if (!(await this.act('/ice-candidate', { candidates: fresh }))) return;
      this.given.host.push(...fresh.map(({ candidate }) => candidate));
    }
  }

  async matrixSends(count) {
    const fresh = this.fresh('matrix', count);
    await this.peer.send(this.pair.room, 'm.call.candidates', this.matrixId, { candidates: fresh });
    this.given.matrix.push(...fresh.map(({ candidate }) => candidate));
  }

  candidatesAtPhone() {
    const events = this.phone.told.get(this.hostId) ?? [];
    return events.flatMap(({ name, data }) => (name === 'call.ice_candidate' ? data.candidates : [])).map(({ candidate }) => candidate).filter(Boolean);
  }

  candidatesAtPeer() {
    return candidatesOf(this.peer.heard.get(this.matrixId) ?? []);
  }

  async talk() {
    this.phone.talking.add(this.hostId);
    if (!(await this.act('/media-state', { state: 'connected' }))) return;
    await Promise.all([this.hostSends(2), this.matrixSends(2)]);
    const all = (given, got) => given.every((candidate) => got.includes(candidate));
    await this.until('all candidates at the peer', () => all(this.given.host, this.candidatesAtPeer()));
    await this.until('all candidates at the phone', () => all(this.given.matrix, this.candidatesAtPhone()));
    this.complete = !this.over;
    await pause(Math.random() * 600);
    if (!this.over) await this.end(some(['host', 'matrix']));
  }

  async end(by) {
    if (by === 'host') {
      if (!(await this.act('/end', {}))) return;
      this.endedBy ??= 'host';
      return;
    }
    await this.peer.send(this.pair.room, 'm.call.hangup', this.matrixId, { reason: 'user_hangup' });
    this.endedBy ??= 'matrix';
    await this.until('its end at the phone', () => this.phone.isOver(this.hostId), { evenIfOver: true });
  }

  // ---- from Matrix

  async fromMatrix() {
    const { peer, phone, pair } = this;
    this.matrixId = randomUUID();
    await peer.send(pair.room, 'm.call.invite', this.matrixId, { lifetime, invitee: pair.ghost, offer: { type: 'offer', sdp: description() } });
    const sent = (this.invitedAt = Date.now());
    if (this.plan === 'quick') {
      await peer.send(pair.room, 'm.call.hangup', this.matrixId, { reason: 'user_hangup' });
      this.endedBy = 'matrix';
      await pause(500);
      return; // whether it rang and ended, or not at all, is known later
    }
    await this.matrixSends(1);
    const rings = () => (this.hostId = phone.byMatrixId.get(this.matrixId) ?? null) !== null;
    try {
      if (!(await this.until('ringing at the phone', rings))) return;
    } catch (error) {
      await this.givesUp();
      throw error;
    }
    this.rangAfter = Date.now() - sent;
    if (this.plan === 'cancel') return this.end('matrix');
    if (this.plan === 'reject') {
      if (await this.act('/reject', {})) this.endedBy = 'host';
      return this.seenByPeer();
    }
    if (!(await this.act('/answer', { answer_sdp: description() }))) return this.seenByPeer();
    if (!(await this.until('the answer at the peer', () => peer.hears(this.matrixId, 'm.call.answer')))) return this.seenByPeer();
    const { content } = peer.hears(this.matrixId, 'm.call.answer');
    await peer.send(pair.room, 'm.call.select_answer', this.matrixId, { selected_party_id: content.party_id });
    await this.talk();
    await this.seenByPeer();
  }

  // ---- from the host

  async fromHost() {
    const { peer, phone, pair } = this;
    const placed = Date.now();
    const answer = await phone.insist(`/conversations/${pair.conversation}/calls`, { initiator_sdp: description(), call_type: 'direct', idempotency_key: randomUUID() });
    if (answer.status !== 201 && answer.status !== 200) {
      this.missing.push(`placing was answered ${answer.status} ${answer.body.error}`);
      return;
    }
    this.hostId = answer.body.id;
    this.matrixId = answer.body.matrix.call_id;
    if (this.plan === 'quick') {
      return this.end('host');
    }
    await this.hostSends(1);
    if (!(await this.until('ringing at the peer', () => peer.hears(this.matrixId, 'm.call.invite')))) return this.seenByPeer();
    this.rangAfter = Date.now() - placed;
    if (this.plan === 'cancel') {
      await this.end('host');
      return this.seenByPeer();
    }
    if (this.plan === 'reject') {
      await peer.send(pair.room, 'm.call.reject', this.matrixId);
      this.endedBy = 'matrix';
      await this.until('the rejection at the phone', () => phone.isOver(this.hostId), { evenIfOver: true });
      return;
    }
    await peer.send(pair.room, 'm.call.answer', this.matrixId, { answer: { type: 'answer', sdp: description() } });
    if (!(await this.until('the answer at the phone', () => phone.hears(this.hostId, 'call.answered')))) return this.seenByPeer();
    await this.talk();
    await this.seenByPeer();
  }

  // It is over for the host, and the bridge must say so to a peer who has seen it. A caller whom nobody answers knows by himself when
  // the time is over.
  async seenByPeer() {
    const { peer } = this;
    if (this.endedBy === 'matrix') return;
    if (this.from === 'host' && !peer.hears(this.matrixId, 'm.call.invite')) return;
    const itsEnd = () => peer.hears(this.matrixId, 'm.call.hangup', 'm.call.reject');
    if (this.from === 'host' || this.endedBy === 'host' || peer.hears(this.matrixId, 'm.call.answer')) return void (await this.until('its end at the peer', itsEnd, { evenIfOver: true }));
    for (const end = this.invitedAt + lifetime; !itsEnd() && Date.now() < end; ) await pause(50);
    if (!itsEnd()) await this.givesUp();
  }

  givesUp() {
    this.endedBy ??= 'time';
    return this.peer.send(this.pair.room, 'm.call.hangup', this.matrixId, { reason: 'invite_timeout' });
  }

  // The next call of this pair must not cross with what is still under way of this one.
  async settled() {
    for (const end = Date.now() + patience; Date.now() < end; await pause(50)) {
      const { body } = await this.phone.insist('/calls');
      if (!body.calls?.some(({ matrix }) => matrix.call_id === this.matrixId)) return;
    }
    this.missing.push('its end at the bridge');
  }
}

// What is in descriptions and candidates events, in the order in which it was sent.
export function candidatesOf(events) {
  return events.flatMap(({ type, content }) => {
    if (type === 'm.call.candidates') return content.candidates.map(({ candidate }) => candidate).filter(Boolean);
    const { sdp } = content.offer ?? content.answer ?? {};
    return (sdp?.split(/\r?\n/) ?? []).filter((line) => line.startsWith('a=candidate:')).map((line) => line.slice(2));
  });
}

export class Load {
  calls = [];
  #placing = null;

  // pairs: [{phone, peer, ghost, room, conversation}]. starts: how often the bridge has been started so far.
  constructor(pairs, starts) {
    Object.assign(this, { pairs, starts });
  }

  start() {
    this.going = true;
    this.#placing = this.pairs.map((pair, i) => this.#keepCalling(pair, i));
  }

  async #keepCalling(pair, i) {
    await pause(i * 60);
    for (let n = i; this.going; n++) {
      const call = new Call(pair, n % 2 ? 'host' : 'matrix');
      const startsBefore = this.starts();
      this.calls.push(call);
      await call.run().catch((error) => {
        if (!error.gaveUp) call.missing.push(error.message);
      });
      if (call.missing.length === 0) await call.settled();
      pair.phone.talking.delete(call.hostId);
      call.startsMeanwhile = this.starts() - startsBefore;
      call.done = true;
      await pause(Math.random() * 500);
    }
  }

  // Places no more, and lets those that are there come to their ends. Gives all calls since the last time.
  async drain() {
    this.going = false;
    await Promise.all(this.#placing ?? []);
    return this.calls.splice(0);
  }

  // How many calls have come to their ends so far.
  get finished() {
    return this.calls.filter((call) => call.done).length;
  }
}
