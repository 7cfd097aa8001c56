// SPDX-License-Identifier: Apache-2.0
//
// Room keys that the homeserver loses. Ten Matrix users call ten bridged users at once, each call with a room key of its own, sent
// right before the invite; Synapse loses many of these keys on their way to the bridge, and all that it had to repeat. Every call
// must ring all the same, once and at the right user: as it is, with transactions refused, across a restart of Synapse, and
// across stops of the bridge. No browsers; figures are printed, a check fails only when a call is lost, late or repeated.

import { cpSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Bed, eventually } from '../support/drive/bed.mjs';
import { Caller } from '../support/drive/caller.mjs';
import { HostPhone } from '../support/drive/hostphone.mjs';
import { expect, expectEqual } from './checks.mjs';
import { Figures, readMetrics } from './rescuefigures.mjs';

export const family = 'rescue';

const names = ['anna', 'bert', 'cleo', 'dora', 'emil', 'fred', 'gina', 'hugo', 'ines', 'jens'];
const lifetime = 60000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export async function setUp({ buildDir, say, database, out }) {
  const bed = new Bed({ kind: 'e2e', buildDir, say, database, hosts: names, proxy: true, log: 'matrixvoip.*=true' });
  const ground = new Ground(bed, out);
  try {
    await ground.open();
  } catch (error) {
    error.message += `\n${bed.tails(8)}`;
    ground.keepLog();
    await ground.close();
    throw error;
  }
  return ground;
}

class Ground {
  callers = [];
  phones = new Map(); // host -> its phone
  begun = Date.now();

  constructor(bed, out) {
    Object.assign(this, { bed, out });
  }

  async open() {
    const { bed } = this;
    const users = names.map((name) => `${name}_m`);
    bed.plugin = { invites_per_minute: 600 }; // nobody calls that often, but these do
    await bed.start({ users });
    for (const host of names) this.phones.set(host, new HostPhone({ api: bed.api, user: host, token: bed.tokens[host] }));
    await Promise.all([...this.phones.values()].map((phone) => phone.open()));
    for (const [i, user] of users.entries()) {
      this.callers.push(new Caller({ homeserver: bed.homeserver, user, password: bed.passwords[user], ghost: bed.ghostOf(names[i]) }));
    }
    await Promise.all(this.callers.map(async (caller) => {
      await caller.signIn();
      await caller.makeRoom();
      await caller.untilJoined();
    }));
  }

  async close() {
    await Promise.all([...this.callers, ...this.phones.values()].map((one) => one.close()));
    await this.bed.stop();
    console.log(`       the family took ${Math.round((Date.now() - this.begun) / 1000)} s`);
  }

  phoneOf(call) {
    return this.phones.get(names[this.callers.indexOf(call.caller)]);
  }

  async refresh() {
    await eventually('the bridge to have no live call', async () => {
      const lists = await Promise.all([...this.phones.values()].map((phone) => phone.request('/calls')));
      return lists.every(({ calls }) => calls.length === 0);
    }, 90000);
  }

  // All of the bridge's log so far, beside the other evidence.
  keepLog() {
    cpSync(this.logPath, join(this.out, `rescue-${this.bed.bridge?.pid}.bridge-host.log`));
  }

  async recover() {
    this.keepLog();
    this.bed.proxy.refuseEvery = 0;
    if (!(await this.bed.synapseRuns())) await this.bed.startSynapse();
    if (!this.bed.bridgeRuns()) await this.bed.startBridge();
    for (const phone of this.phones.values()) {
      for (const { id } of (await phone.request('/calls')).calls) await phone.request(`/calls/${id}/end`, { method: 'POST', body: {} }).catch(() => {});
    }
  }

  get logPath() {
    return join(this.bed.folder, 'bridge-host.log');
  }

  log(from = 0) {
    return readFileSync(this.logPath).subarray(from).toString();
  }

  logSize() {
    return statSync(this.logPath).size;
  }

  // ---- ten calls at once

  all(calls, act) {
    return Promise.all(calls.map(act));
  }

  prepare() {
    return this.all(this.callers, (caller) => caller.prepare({ lifetime }));
  }

  async send(calls) {
    await this.all(calls, async (call) => {
      await call.caller.sendKeys(call);
      await call.caller.sendInvite(call);
    });
  }

  // Waits for each to ring at the right user with its own description, within its lifetime; says which did not.
  async ring(calls, figures, { from }) {
    const missing = () => calls.filter((call) => this.phoneOf(call).rings(call.id).length === 0);
    const latest = Math.max(...calls.map((call) => call.sentAt)) + lifetime;
    await eventually('all calls to ring', () => missing().length === 0, Math.max(latest - Date.now(), 1000)).catch(() => {});
    await pause(50); // so that the log is written, too
    const log = this.log(from);
    for (const call of calls) {
      const phone = this.phoneOf(call);
      const [ring] = phone.rings(call.id);
      const rescued = log.includes(`@nova_${phone.user}:${this.bed.serverName} caught up with`);
      const { arrived } = this.bed.proxy;
      figures.add({ call, ring, rescued, key: arrived.get(call.keyId), invite: arrived.get(call.eventId) });
      if (!ring) continue;
      expectEqual(ring.data.sdp, call.sdp, `the description that rings at ${phone.user}`);
      expectEqual(ring.data.matrix.room_id, call.caller.room, `the room of the call at ${phone.user}`);
      call.hostId = ring.data.call_id;
    }
    const lost = missing();
    expect(lost.length === 0, `${lost.length} of ${calls.length} calls did not ring: ${lost.map((call) => this.story(call)).join('; ')}`);
  }

  story(call) {
    const [invite, key] = [call.eventId, call.keyId].map((id) => this.bed.proxy.arrived.get(id)).map((at) => (at ? `after ${at - call.sentAt} ms` : 'never'));
    return `${call.eventId} to ${this.phoneOf(call).user}, which came in a transaction ${invite}, its key ${key}`;
  }

  // Every other one is rejected by the host, the rest are given up by the caller; both sides and the bridge's list must show it.
  async end(calls) {
    await this.all(calls, async (call, i) => {
      const phone = this.phoneOf(call);
      if (i % 2 === 0) {
        await phone.request(`/calls/${call.hostId}/reject`, { method: 'POST', body: {} });
        await eventually(`${call.caller.user} to read the rejection`, () => call.caller.of(call, 'm.call.reject'), 60000);
      } else {
        await call.caller.hangUp(call);
        await eventually(`${phone.user} to hear of the end`, () => phone.events.some(({ name, data }) => name === 'call.ended' && data.call_id === call.hostId), 60000);
      }
      await eventually(`${phone.user} to have no call`, async () => (await phone.request('/calls')).calls.length === 0);
    });
  }

  // Each of these calls has begun to ring once in all, at all phones together.
  once(calls) {
    const rung = [...this.phones.values()].flatMap((phone) => phone.rings().map(({ data }) => data.matrix.call_id));
    for (const call of calls) expectEqual(rung.filter((id) => id === call.id).length, 1, `how often the call to ${this.phoneOf(call).user} rang`);
  }

  async batch(figures) {
    const from = this.logSize();
    const calls = await this.prepare();
    await this.send(calls);
    await this.ring(calls, figures, { from });
    await this.end(calls);
    return calls;
  }

  // Batches of ten until there are `count` calls; afterwards none of them has rung twice. Gives the figures.
  async measure(check) {
    const figures = new Figures(this.bed, await readMetrics(this.bed));
    const undecryptable = () => [...this.phones.values()].flatMap((phone) => phone.events.filter(({ name }) => name === 'call.undecryptable')).length;
    const before = undecryptable();
    const calls = [];
    try {
      await check(figures, calls);
      this.once(calls);
    } catch (error) {
      error.message += `\n${await figures.lines().catch((why) => why.message)}`;
      throw error;
    }
    const told = undecryptable() - before;
    return [await figures.lines(), ...(told ? [`a phone was told ${told} times that an event cannot be read, before its call rang`] : [])].join('\n');
  }
}

const batches = (count) => (ground) => ground.measure(async (figures, calls) => {
  for (let i = 0; i < count; i++) calls.push(...(await ground.batch(figures)));
});

// Ten calls whose keys are sent, and whose invites are sent, each before, while or after something is down; and ten before and after.
const interrupted = (during) => (ground) => ground.measure(async (figures, calls) => {
  calls.push(...(await ground.batch(figures)));
  const from = ground.logSize();
  const some = await ground.prepare();
  calls.push(...some);
  await during(ground, some, figures);
  const back = Date.now();
  await ground.ring(some, figures, { from });
  const last = Math.max(...some.map((call) => ground.phoneOf(call).rings(call.id)[0].at));
  figures.say(`the calls of the interruption: the last rang ${last - back} ms after everything was back, ${last - some[0].sentAt} ms after it was sent`);
  await ground.end(some);
  calls.push(...(await ground.batch(figures)));
});

const keys = (ground, calls) => ground.all(calls, (call) => call.caller.sendKeys(call));
const invites = (ground, calls) => ground.all(calls, (call) => call.caller.sendInvite(call));

const withoutBridge = (signal) => interrupted(async (ground, calls, figures) => {
  await figures.beforeStop();
  await ground.bed.stopBridge(signal);
  await ground.send(calls);
  await pause(3000);
  await ground.bed.startBridge();
});

export const checks = {
  '150 calls, ten at a time': batches(15),

  '150 calls, one transaction in ten is answered 500': async (ground) => {
    const { proxy } = ground.bed;
    const before = { ...proxy.counts };
    proxy.refuseEvery = 10;
    try {
      const lines = await batches(15)(ground);
      const [all, refused, lost] = ['transactions', 'refused', 'answersLost'].map((name) => proxy.counts[name] - before[name]);
      expect(refused > 0 && lost > 0, `transactions must have been refused: ${refused} unseen, ${lost} taken`);
      return `of ${all} transactions ${refused} were answered 500 and not passed on, ${lost} were taken and answered 500\n${lines}`;
    } finally {
      proxy.refuseEvery = 0;
    }
  },

  'Synapse is started again between the keys and the invites': interrupted(async (ground, calls) => {
    await keys(ground, calls);
    await ground.bed.stopSynapse();
    await ground.bed.startSynapse();
    await invites(ground, calls);
  }),

  'Synapse is started again right after keys and invites': interrupted(async (ground, calls) => {
    await ground.send(calls);
    await ground.bed.stopSynapse();
    await ground.bed.startSynapse();
  }),

  // Events that Synapse (1.160) had not yet sent when it stopped come in no transaction afterwards: those of the one under way with a
  // later event at the earliest, those that it queued behind it never. The bridge has to ask for them.
  'Synapse is started again before it could tell the bridge of keys and invites': interrupted(async (ground, calls) => {
    const { proxy } = ground.bed;
    proxy.hold = true;
    try {
      await ground.send(calls);
      await eventually('Synapse to send a transaction', () => proxy.counts.held > 0);
      await ground.bed.stopSynapse();
    } finally {
      proxy.hold = false;
    }
    await ground.bed.startSynapse();
  }),

  'keys and invites come while the bridge is stopped': withoutBridge('SIGTERM'),
  'keys and invites come after the bridge was killed': withoutBridge('SIGKILL'),

  'the metrics say how often and how long keys were fetched': async (ground) => {
    const figures = new Figures(ground.bed, {});
    await ground.batch(figures);
    const { rescues, count, bounds } = await figures.histogram();
    expect(rescues > 0, 'keys must have been fetched');
    expectEqual(count, rescues, 'how many durations there are');
    expect(bounds.length > 2, `the histogram must have more than these bounds: ${bounds.map(([bound]) => bound).join(', ')}`);
    return figures.lines();
  },
};
