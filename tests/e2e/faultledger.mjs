// SPDX-License-Identifier: Apache-2.0
//
// Judges calls that are over by what each side got of them: the room as the homeserver holds it, and the phone's event stream as it
// came, over all its resumptions. Lost: what one side did and the other never got. Twice: what is there more often than once.
// Disorder: the bridge's events, or the phone's, not in the order of their making. Ringing: a side that still has the call.

import { candidatesOf } from './faultload.mjs';

const oncePerCall = ['m.call.invite', 'm.call.answer', 'm.call.select_answer', 'm.call.reject', 'm.call.hangup'];
const oncePerPhone = ['call.answered', 'call.rejected', 'call.ended', 'call.unavailable'];
const ends = ['m.call.hangup', 'm.call.reject'];

const repeated = (list) => list.length - new Set(list).size;
const isPartOf = (part, whole) => {
  let at = 0;
  for (const one of whole) if (one === part[at]) at++;
  return at === part.length;
};

export class Ledger {
  lost = [];
  twice = [];
  disorder = [];
  ringing = [];
  counts = { calls: 0, fromHost: 0, fromMatrix: 0, complete: 0, endedByFault: 0, late: 0, toMatrix: 0, toPhones: 0 };
  rangAfter = [];

  // pairs: whose rooms are read. calls: all that were placed there since the last ledger.
  // late: when transactions were on their way that the homeserver gave after later ones.
  static async of(calls, pairs, late = []) {
    const ledger = new Ledger();
    ledger.late = late;
    const rooms = new Map();
    for (const pair of pairs) rooms.set(pair.room, await pair.peer.history(pair.room));
    for (const call of calls) ledger.#judge(call, rooms.get(call.pair.room).filter(({ content }) => content.call_id === call.matrixId));
    for (const phone of new Set(pairs.map((pair) => pair.phone))) ledger.#stream(phone);
    return ledger;
  }

  #judge(call, events) {
    const note = (list, what) => list.push(`${what}: call ${call.matrixId} of ${call.from} (${call.plan}, ${call.pair.name})`);
    const told = call.phone.told.get(call.hostId ?? call.phone.byMatrixId.get(call.matrixId)) ?? [];
    const bridges = events.filter(({ sender }) => sender === call.pair.ghost);
    const theirs = events.filter(({ sender }) => sender !== call.pair.ghost);
    const names = told.map(({ name }) => name);
    const has = (list, ...types) => list.some(({ type }) => types.includes(type));
    this.#count(call, bridges, told);

    for (const what of call.missing) note(this.lost, what);
    for (const type of oncePerCall) {
      for (let n = bridges.filter((event) => event.type === type).length; n > 1; n--) note(this.twice, type);
    }
    for (const name of oncePerPhone) {
      for (let n = names.filter((one) => one === name).length; n > 1; n--) note(this.twice, `${name} at the phone`);
    }
    const rings = names.filter((name) => name === 'call.initiated').length; // once more after each start of the bridge
    if (rings > 1 + call.startsMeanwhile) note(this.twice, 'call.initiated at the phone');
    const atPeer = candidatesOf(bridges);
    const atPhone = call.candidatesAtPhone();
    if (repeated(atPeer)) note(this.twice, 'a candidate of the host');
    if (repeated(atPhone)) note(this.twice, 'a candidate of the peer');
    if (call.complete && !call.given.host.every((one) => atPeer.includes(one))) note(this.lost, 'a candidate of the host');
    if (call.complete && !call.given.matrix.every((one) => atPhone.includes(one))) note(this.lost, 'a candidate of the peer');

    if (!isPartOf(atPeer, call.offered.host)) note(this.disorder, "the host's candidates");
    if (this.#cameLate(theirs)) this.counts.late++; // the phone gets them in the order in which the bridge got them
    else if (!isPartOf(atPhone, call.offered.matrix)) note(this.disorder, "the peer's candidates");
    const firstEnd = bridges.findIndex(({ type }) => ends.includes(type));
    if (firstEnd >= 0 && bridges.slice(firstEnd + 1).some(({ type }) => !ends.includes(type))) note(this.disorder, 'an event after the end');
    if (call.from === 'host' && bridges.length > 0 && bridges[0].type !== 'm.call.invite') note(this.disorder, `${bridges[0].type} before the invite`);
    const seqs = told.map(({ data }) => data.seq);
    if (seqs.some((seq, i) => seq !== i + 1)) note(this.disorder, `seq ${seqs.join(' ')} at the phone`);

    const begun = has(events, 'm.call.invite');
    if (call.from === 'matrix' && !names.includes('call.initiated') && !has(theirs, 'm.call.hangup')) note(this.lost, 'the call, to the phone');
    if (call.endedBy === 'host' && begun && !has(events, ...ends)) note(this.lost, "the host's hangup");
    if (has(theirs, ...ends) && told.length > 0 && call.endedBy !== 'host' && !call.phone.isOver(told[0].data.call_id)) note(this.lost, "the peer's hangup");
    if (begun && !has(events, ...ends)) note(this.ringing, 'the peer still has it');
    if (told.length > 0 && call.endedBy !== 'host' && !call.phone.isOver(told[0].data.call_id)) note(this.ringing, 'the phone still has it');
  }

  #cameLate(theirs) {
    const times = theirs.filter(({ type }) => type === 'm.call.candidates').map(({ origin_server_ts: at }) => at);
    return this.late.some(({ from, to }) => Math.min(...times) <= to && Math.max(...times) >= from - 2000);
  }

  #count(call, bridges, told) {
    const { counts } = this;
    counts.calls++;
    counts[call.from === 'host' ? 'fromHost' : 'fromMatrix']++;
    if (call.complete) counts.complete++;
    else if (call.plan === 'answer') counts.endedByFault++;
    counts.toMatrix += bridges.length;
    counts.toPhones += told.length;
    if (call.rangAfter !== undefined) this.rangAfter.push(call.rangAfter);
  }

  // The ids of a phone's stream only grow, over all resumptions.
  #stream(phone) {
    const ids = phone.events.map(({ id }) => id);
    const at = ids.findIndex((id, i) => i > 0 && id <= ids[i - 1]);
    if (at > 0) this.twice.push(`event ${ids[at]} after ${ids[at - 1]} in the stream of ${phone.user}`);
  }

  get faults() {
    return ['lost', 'twice', 'disorder', 'ringing'].flatMap((kind) => this[kind].map((what) => `${kind}: ${what}`));
  }

  line() {
    const { counts } = this;
    const sorted = [...this.rangAfter].sort((a, b) => a - b);
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return [
      `${counts.calls} calls (${counts.fromMatrix} from Matrix, ${counts.fromHost} from the host; ${counts.complete} talked, ${counts.endedByFault} ended by the fault; ${counts.late} while Synapse gave transactions out of order)`,
      `${counts.toMatrix} events to Matrix, ${counts.toPhones} to phones`,
      `lost=${this.lost.length} twice=${this.twice.length} disorder=${this.disorder.length} ringing=${this.ringing.length}`,
      `rings after p50 ${at(0.5)} p95 ${at(0.95)} p99 ${at(0.99)} max ${sorted.at(-1) ?? 0} ms`,
    ].join(', ');
  }
}
