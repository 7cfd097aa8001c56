// SPDX-License-Identifier: Apache-2.0
//
// Three bridge-hosts on one PostgreSQL behind a plain TCP balancer, under load, with real Synapse: killed in turn, and stopped in
// turn. After each: no call and no event lost, none twice, in order, nobody left ringing. Prints how long a takeover took.

import { appendFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from '../support/drive/bed.mjs';
import { LoadPhone } from '../support/drive/loadphone.mjs';
import { PlainPeer } from '../support/drive/plainpeer.mjs';
import { WorkersBed, takeoverLimit } from '../support/drive/workersbed.mjs';
import { expect, expectEqual } from './checks.mjs';
import { Ledger } from './faultledger.mjs';
import { Load, ringSeconds } from './faultload.mjs';

export const family = 'workers';

const hosts = ['anna', 'bert', 'cleo'];
const users = ['emil', 'fred'];
const mostConnections = 3; // of one worker: a writer, a reader, one that listens
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export async function setUp({ buildDir, say, out }) {
  const bed = new WorkersBed({ kind: 'e2e', buildDir, say, hosts });
  const ground = new Ground(bed, out);
  try {
    await ground.open();
  } catch (error) {
    error.message += `\n${bed.tails(12)}`;
    await ground.close();
    throw error;
  }
  return ground;
}

class Ground {
  phones = [];
  peers = [];
  pairs = [];

  constructor(bed, out) {
    Object.assign(this, { bed, out });
  }

  async open() {
    const { bed } = this;
    Object.assign(bed.plugin, { invite_lifetime_seconds: ringSeconds, connect_timeout_seconds: ringSeconds, resume_timeout_seconds: ringSeconds });
    await bed.start({ users });
    this.phones = hosts.map((user) => new LoadPhone({ api: bed.api, user, token: bed.tokens[user] }));
    await Promise.all(this.phones.map((phone) => phone.open()));
    this.peers = users.map((user) => new PlainPeer({ homeserver: bed.homeserver, user, password: bed.passwords[user] }));
    await Promise.all(this.peers.map((peer) => peer.signIn()));
    for (const peer of this.peers) {
      for (const phone of this.phones) {
        const ghost = bed.ghostOf(phone.user);
        const room = await peer.makeRoom(ghost);
        const conversation = await eventually(`a conversation of ${phone.user} in the room of ${peer.user}`, async () => {
          const { status, body } = await phone.insist('/conversations', { room_id: room });
          return status < 300 && body.id;
        });
        this.pairs.push({ name: `${phone.user} and ${peer.user}`, phone, peer, ghost, room, conversation });
      }
    }
    this.load = new Load(this.pairs, () => 0);
  }

  async close() {
    await Promise.all([...this.peers, ...this.phones].map((one) => one.close()));
    await this.bed.stop();
  }

  async under(what) {
    const { bed, load } = this;
    load.start();
    await eventually('calls under way', () => load.finished >= 4, 240000);
    const note = await what();
    const then = load.finished;
    await eventually('calls afterwards', () => load.finished >= then + this.pairs.length, 240000);
    const calls = await load.drain();
    await eventually('no live call, and nothing that waits to be sent or decided', async () => {
      for (const phone of this.phones) {
        const { body } = await phone.insist('/calls');
        if (body.calls.length > 0) throw new Error(`${phone.user} has ${body.calls.length} calls`);
      }
      const waiting = await bed.db.sql('SELECT (SELECT count(*) FROM outbox), (SELECT count(*) FROM inbox)');
      if (waiting !== '0|0') throw new Error(`outbox|inbox: ${waiting}`);
      return true;
    }, 120000);
    await pause(300); // the last notices are on their way
    const ledger = await Ledger.of(calls, this.pairs);
    const line = `${note}: ${ledger.line()}`;
    appendFileSync(join(this.out, 'figures.txt'), `${line}\n`);
    expectEqual(ledger.faults.slice(0, 12), [], `what went wrong (${line})`);
    expect(!readFileSync(join(bed.folder, 'bridge-host.log'), 'utf8').includes('cannot be stored and is dropped'), 'something was dropped');
    const connections = Math.max(...(await bed.db.connections()).values());
    expect(connections <= mostConnections * bed.count, `${connections} connections of ${bed.count} workers`);
    return line;
  }

  // Each worker in turn goes, the others take all, it comes back.
  async eachGoes(signal) {
    const times = [];
    for (const worker of this.bed.workers) {
      const since = Date.now();
      const gone = this.bed.end(worker.process, signal, 60000);
      await this.bed.untilHeldBy(this.bed.count - 1, takeoverLimit);
      times.push(Date.now() - since);
      expect(times.at(-1) <= takeoverLimit, `the others held everything after ${times.at(-1)} ms`);
      await gone;
      await pause(500);
      await this.bed.startWorker(worker);
      await this.bed.untilHeldBy(this.bed.count);
    }
    return times;
  }
}

export const checks = {
  'three workers share the load': (ground) => ground.under(async () => 'three workers'),

  'each worker is killed in turn': (ground) => ground.under(async () => {
    const times = await ground.eachGoes('SIGKILL');
    return `kill -9 of each of three workers; the others held everything after ${times.join(', ')} ms`;
  }),

  'each worker is stopped in turn': (ground) => ground.under(async () => {
    const times = await ground.eachGoes('SIGTERM');
    return `SIGTERM to each of three workers; the others held everything after ${times.join(', ')} ms`;
  }),
};
