// SPDX-License-Identifier: Apache-2.0
//
// Everything that the bridge stands on fails under load: the process itself (kill -9, also while it starts), PostgreSQL (restarted,
// away, its connections dropped, also in the middle of COMMIT, its disk full), Synapse, the network between the two. After each: no
// call and no event lost, none twice, in order, nobody left ringing, and memory, descriptors and connections as before. Real
// Synapse, bridge-host and PostgreSQL; no browsers. Each check prints its figures. Sizes: --kills N, --outage SECONDS.

import { appendFileSync, cpSync, existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { eventually } from '../support/drive/bed.mjs';
import { FaultBed } from '../support/drive/faultbed.mjs';
import { LoadPhone } from '../support/drive/loadphone.mjs';
import { PlainPeer } from '../support/drive/plainpeer.mjs';
import { expect, expectEqual } from './checks.mjs';
import { Ledger } from './faultledger.mjs';
import { Load, ringSeconds } from './faultload.mjs';

export const family = 'faults';

const hosts = ['anna', 'bert', 'cleo'];
const users = ['emil', 'fred', 'gina'];
const mostConnections = 2; // of one bridge-host: a writer, a reader
const moreDescriptors = 8; // idle connections to and from Synapse and the phones come and go
const mostGrowth = 1.5;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const between = (least, most) => least + Math.random() * (most - least);

export async function setUp({ buildDir, say, out, kills = 20, outage = 6 }) {
  const ground = new Ground(new FaultBed({ kind: 'e2e', buildDir, say, hosts }), { out, kills, outage });
  try {
    await ground.open();
  } catch (error) {
    error.message += `\n${ground.bed.tails(8)}`;
    ground.keepLogs();
    await ground.close();
    throw error;
  }
  return ground;
}

class Ground {
  begun = Date.now();
  phones = new Map();
  peers = [];
  pairs = [];
  mostConnections = 0;

  constructor(bed, options) {
    Object.assign(this, { bed, ...options });
  }

  async open() {
    const { bed } = this;
    bed.plugin = { invite_lifetime_seconds: ringSeconds, connect_timeout_seconds: ringSeconds, resume_timeout_seconds: ringSeconds };
    await bed.start({ users });
    this.watch = setInterval(() => this.#countConnections(), 500);
    for (const host of hosts) this.phones.set(host, new LoadPhone({ api: bed.api, user: host, token: bed.tokens[host] }));
    await Promise.all([...this.phones.values()].map((phone) => phone.open()));
    this.peers = users.map((user) => new PlainPeer({ homeserver: bed.homeserver, user, password: bed.passwords[user] }));
    await Promise.all(this.peers.map((peer) => peer.signIn()));
    await Promise.all(this.peers.flatMap((peer) => hosts.map((host) => this.#pair(peer, host))));
    this.load = new Load(this.pairs, () => bed.starts);
    // Warm: every pair has talked, everything that is kept is there.
    this.load.start();
    await eventually('the first calls', () => this.load.finished >= 2 * this.pairs.length, 240000);
    const ledger = await this.settle();
    this.before = { memory: bed.residentBytes, descriptors: bed.descriptors };
    expectEqual(ledger.faults, [], 'what went wrong before any fault');
    this.say(`without a fault: ${ledger.line()}`);
  }

  async #pair(peer, host) {
    const ghost = this.bed.ghostOf(host);
    const phone = this.phones.get(host);
    const room = await peer.makeRoom(ghost);
    const conversation = await eventually(`a conversation of ${host} in the room of ${peer.user}`, async () => {
      const { status, body } = await phone.insist('/conversations', { room_id: room });
      return status < 300 && body.id;
    });
    this.pairs.push({ name: `${host} and ${peer.user}`, phone, peer, ghost, room, conversation });
  }

  async #countConnections() {
    const counts = await this.bed.db.connections().catch(() => new Map());
    this.mostConnections = Math.max(this.mostConnections, ...counts.values());
  }

  say(line) {
    console.log(`       ${line}`);
  }

  async close() {
    clearInterval(this.watch);
    await Promise.all([...this.peers, ...this.phones.values()].map((one) => one.close()));
    await this.bed.stop();
    this.say(`the family took ${Math.round((Date.now() - this.begun) / 1000)} s`);
  }

  // All that the parts have written so far, beside the other evidence.
  keepLogs() {
    const { folder, starts } = this.bed;
    for (const log of ['bridge-host.log', 'synapse/homeserver.log']) {
      if (existsSync(join(folder, log))) cpSync(join(folder, log), join(this.out, `faults-${starts}.${basename(log)}`));
    }
  }

  async recover() {
    const { bed } = this;
    this.keepLogs();
    bed.db.freeDisk();
    await bed.links.mend('matrix').catch(() => {});
    await bed.db.resume();
    await bed.db.holdAnswers(false);
    await bed.db.refuseLogins(false);
    if (!(await bed.synapseRuns())) await bed.startSynapse();
    if (!bed.bridgeRuns()) await bed.startBridge();
    await this.load.drain();
    for (const phone of this.phones.values()) {
      for (const { id } of (await phone.insist('/calls')).body.calls) await phone.insist(`/calls/${id}/end`, {});
    }
  }

  // Lets all calls come to their ends; gives what can be said of them.
  async settle() {
    const calls = await this.load.drain();
    await eventually('no live call, and nothing that waits to be sent or decided', async () => {
      for (const phone of this.phones.values()) {
        const { status, body } = await phone.insist('/calls');
        if (status !== 200 || body.calls.length > 0) throw new Error(`${phone.user} has ${body.calls?.length} calls`);
      }
      const waiting = await this.bed.db.sql('SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM inbox)');
      if (waiting !== '0|0') throw new Error(`outbox|inbox: ${waiting}`);
      return true;
    }, 120000);
    await pause(300); // the last notices are on their way
    return Ledger.of(calls, this.pairs, this.bed.lateTransactions());
  }

  // Under load: some calls before, the fault, some calls after it. Gives the figures, or says what is wrong with them.
  async under(fault) {
    const { bed, load } = this;
    load.start();
    await eventually('calls under way', () => load.finished >= 4, 240000);
    const note = await fault();
    const then = load.finished;
    const back = Date.now();
    await eventually('calls after the fault', () => load.finished >= then + this.pairs.length, 240000);
    const recovered = Date.now() - back;
    const ledger = await this.settle();
    const wrong = ledger.faults;
    const after = { memory: bed.residentBytes, descriptors: bed.descriptors };
    const mb = (bytes) => Math.round(bytes / 1e6);
    const line = [
      `${note}: ${ledger.line()}`,
      `as many more as there are pairs were over ${recovered} ms after it`,
      `memory ${mb(this.before.memory)} -> ${mb(after.memory)} MB, descriptors ${this.before.descriptors} -> ${after.descriptors}, at most ${this.mostConnections} connections`,
    ].join('; ');
    appendFileSync(join(this.out, 'figures.txt'), `${line}\n`);
    expect(wrong.length === 0, `${wrong.slice(0, 12).join('\n')}\n${line}`);
    this.nothingDropped();
    expect(after.memory < this.before.memory * mostGrowth, `memory grew: ${line}`);
    await eventually('the descriptors to be closed', () => bed.descriptors <= this.before.descriptors + moreDescriptors, 20000).catch((error) => {
      throw new Error(`${error.message}: ${line}`);
    });
    expect(this.mostConnections > 0 && this.mostConnections <= mostConnections, `connections of one process: ${line}`);
    return line;
  }

  // No decision was given up because the database held another one in its place, and no statement of an earlier session was used.
  nothingDropped() {
    const [dropped] = this.bed.bridgeLog().match(/.*cannot be stored and is dropped.*/) ?? [];
    expect(!dropped, dropped);
    const [stale] = this.bed.db.log().match(/.*prepared statement .* does not exist.*/) ?? [];
    expect(!stale, stale);
  }

  async refused() {
    return (await fetch(`${this.bed.api}/readyz`)).status !== 200;
  }

  // The bridge is told that its database is away: it has to say so, and to say that it is back.
  async untilUnready(limit = 20000) {
    await eventually('readiness to say that something is missing', () => this.refused(), limit);
  }
}

export const checks = {
  'PostgreSQL is restarted': (ground) => ground.under(async () => {
    const { db } = ground.bed;
    for (const mode of ['fast', 'immediate', 'fast', 'immediate']) {
      await db.halt(mode);
      await db.resume();
      await pause(between(500, 1500));
    }
    return 'PostgreSQL restarted 4 times, twice without a goodbye';
  }),

  'PostgreSQL is stopped for a while': (ground) => ground.under(async () => {
    const { db } = ground.bed;
    await db.halt('fast');
    await ground.untilUnready();
    await pause(ground.outage * 1000);
    await db.resume();
    return `PostgreSQL stopped for ${ground.outage} s`;
  }),

  'the connections to PostgreSQL are dropped': (ground) => ground.under(async () => {
    let dropped = 0;
    const until = Date.now() + ground.outage * 1000;
    while (Date.now() < until) {
      dropped += await ground.bed.db.terminate();
      await pause(between(20, 400));
    }
    expect(dropped > ground.outage, `only ${dropped} connections were dropped`);
    return `${dropped} connections dropped within ${ground.outage} s`;
  }),

  'the connection is dropped in the middle of COMMIT': (ground) => ground.under(async () => {
    const rounds = Math.max(6, Math.round(ground.outage / 2));
    for (let i = 0; i < rounds; i++) {
      await ground.bed.db.dropInCommit({ refusedMs: i % 2 ? 0 : between(300, 1500) });
      await pause(between(100, 500));
    }
    return `${rounds} commits done whose answer never came, with half of them no new connection at first`;
  }),

  "PostgreSQL's disk is full": (ground) => ground.under(async () => {
    const { db } = ground.bed;
    db.fillDisk();
    try {
      await ground.untilUnready(60000); // what is written still fits into pages that are there
      await pause(ground.outage * 500);
    } finally {
      db.freeDisk();
    }
    await db.resume(); // without room for its log it stops by itself
    return `disk full for ${ground.outage / 2} s`;
  }),

  'the network to Synapse is cut': (ground) => ground.under(async () => {
    await ground.bed.links.cut('matrix');
    await pause(ground.outage * 1000);
    await ground.bed.links.mend('matrix');
    return `no packet between the bridge and Synapse for ${ground.outage} s`;
  }),

  'Synapse is stopped, then its backlog is judged by age': async (ground) => {
    const { bed, pairs: [pair] } = ground;
    const { peer, phone, room, ghost } = pair;
    const seconds = ground.outage;
    const invite = (id, lifetime) => peer.send(room, 'm.call.invite', id, { lifetime, invitee: ghost, offer: { type: 'offer', sdp: 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendrecv\r\n' } });
    const of = (kind) => `${kind}-${Date.now()}`;
    const calls = { expired: of('expired'), inTime: of('in-time'), hungUp: of('hung-up') };
    // So that Synapse has them and the bridge does not. (Behind a link that is cut a transaction would lie in the kernel and come
    // with the age that the events had when it was written.)
    await bed.stopBridge('SIGTERM');
    await invite(calls.expired, seconds * 1000);
    await invite(calls.hungUp, seconds * 1000 + 120000);
    await peer.send(room, 'm.call.hangup', calls.hungUp, { reason: 'user_hangup' });
    await invite(calls.inTime, seconds * 1000 + 120000);
    await bed.stopSynapse();
    await bed.startBridge({ wait: false });
    await pause(seconds * 1000);
    await bed.startSynapse();
    const back = Date.now();
    await eventually('the call that is in time to ring', () => phone.rings(calls.inTime).length > 0, 90000);
    const ms = Date.now() - back;
    await phone.insist(`/calls/${phone.byMatrixId.get(calls.inTime)}/reject`, {});
    await eventually('the rejection', () => peer.hears(calls.inTime, 'm.call.reject'), 30000);
    const line = await ground.under(async () => {
      await bed.stopSynapse(); // once more, under load
      await bed.startSynapse();
      return `Synapse stopped for ${seconds} s; of its backlog the call in time rang ${ms} ms after its start, not the expired and not the hung up one; restarted under load`;
    });
    expectEqual([calls.expired, calls.hungUp, calls.inTime].map((id) => phone.rings(id).length), [0, 0, 1], 'how often the expired, the hung up, and the call in time rang');
    return line;
  },

  'bridge-host is killed at random points': (ground) => ground.under(async () => {
    const { bed } = ground;
    let starting = 0;
    for (let kills = 0; kills < ground.kills; kills++) {
      await pause(between(100, 2500));
      await bed.stopBridge('SIGKILL');
      for (; kills + 1 < ground.kills && Math.random() < 0.35; kills++, starting++) {
        await bed.startBridge({ wait: false });
        await pause(between(0, 1200));
        await bed.stopBridge('SIGKILL');
      }
      await bed.startBridge();
    }
    return `${ground.kills} times kill -9, ${starting} of them while it started`;
  }),
};
