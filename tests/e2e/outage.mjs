// SPDX-License-Identifier: Apache-2.0
//
// The homeserver is away. What must hold: the host's user is told soon that Matrix cannot carry the call (2 s are promised;
// twice that is allowed here, on machines that are busy testing), a call whose time has passed is not sent late, and the next
// call works as soon as the homeserver is back. A Synapse on SQLite counts its transaction ids from 1 again after a restart
// (seen with 1.160: it takes the greatest stored id, and delivered transactions are not stored any more), so the second check
// also shows that a transaction id that was seen before does not make the bridge drop new events.

import { eventually } from '../support/drive/bed.mjs';
import { bridgeGround } from './ground.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'outage';
export const setUp = bridgeGround;

const allowedMs = 4000;

// Alice calls into the outage; gives what she was told and how long it took from the request on.
async function callIntoOutage(ground) {
  const before = (await ground.alice.state()).ended.length;
  const since = Date.now();
  await ground.alice.do('place', ground.conversation);
  const { ended } = await ground.alice.until('being told that Matrix is unavailable', (s) => !s.call && s.ended.length > before, 30000);
  const told = ended.at(-1);
  const request = (await ground.alice.entries()).find((e) => e.t >= since && e.method === 'POST' && e.path.endsWith('/calls'));
  expect(told.reason.startsWith('unavailable: '), `alice must be told that it is unavailable, not '${told.reason}'`);
  const ms = told.t - request.t;
  expect(ms <= allowedMs, `it took ${ms} ms to tell her`);
  return { note: `told '${told.reason}' after ${ms} ms`, hostId: told.id };
}

// The next call gets through, and bob is not left ringing by the one that was given up. An invite that the homeserver had in
// its hands while it hung cannot be taken back: then a hangup must follow it (`inFlight`). Otherwise nothing is sent of it.
async function worksAgain(ground, given, { inFlight = false } = {}) {
  const lost = (await ground.rest(`/calls/${given.hostId}`)).body.matrix?.call_id;
  expect(lost, 'the call that was given up must be on record');
  if (inFlight) {
    await ground.arrives('m.call.hangup', ground.bed.ghost, lost);
    await ground.bob.until('not ringing any more', (s) => !s.call);
  }
  const ids = await ground.hostRings();
  expect(ids.hostId !== given.hostId, 'the call that rings must be the new one');
  await ground.answered(ground.bob);
  await ground.alice.do('hangup');
  await ground.endedBy('alice', ids);
  if (inFlight) return;
  expectEqual((await ground.bob.state()).ended.filter((e) => e.callId === lost).length, 0, 'ringing of the call that was given up');
  expectEqual((await ground.sent('m.call.invite', ground.bed.ghost, lost)).length, 0, 'late invites');
}

export const checks = {
  'homeserver hangs (SIGSTOP)': async (ground) => {
    await ground.over('alice', await ground.hostRings()); // all that goes before an invite has been done: the invite itself is what hangs
    ground.bed.pauseSynapse();
    const given = await callIntoOutage(ground);
    ground.bed.resumeSynapse();
    await worksAgain(ground, given, { inFlight: true });
    return given.note;
  },

  'homeserver is gone and comes back': async (ground) => {
    await ground.bed.stopSynapse();
    const given = await callIntoOutage(ground);
    await ground.bed.startSynapse();
    await ground.bob.until('being online again', (s) => s.online, 60000);
    await worksAgain(ground, given);
    return given.note;
  },

  'hung up by the host while the homeserver hangs': async (ground) => {
    const ids = await ground.hostRings();
    await ground.answered(ground.bob);
    ground.bed.pauseSynapse();
    await ground.alice.do('hangup'); // answered by the bridge at once; the hangup waits in its outbox
    ground.bed.resumeSynapse();
    await ground.arrives('m.call.hangup', ground.bed.ghost, ids.matrixId);
    await ground.endedBy('alice', ids);
    expectEqual((await ground.sent('m.call.hangup', ground.bed.ghost, ids.matrixId)).length, 1, 'hangups sent');
  },

  'a new conversation while the homeserver hangs': async (ground) => {
    ground.bed.pauseSynapse();
    const since = Date.now();
    const { status, body } = await ground.rest('/conversations', { method: 'POST', body: { matrix_user: ground.bed.userId('nobody') } });
    const ms = Date.now() - since;
    ground.bed.resumeSynapse();
    expectEqual([status, body.error], [503, 'HOMESERVER_UNAVAILABLE'], 'the answer');
    expect(ms <= allowedMs, `it took ${ms} ms`);
    return `told after ${ms} ms`;
  },

  'the database is away and comes back': async (ground) => {
    const ready = async () => (await fetch(`${ground.bed.api}/readyz`)).status;
    const push = (id) => fetch(`http://127.0.0.1:${ground.bed.ports.appservice}/_matrix/app/v1/transactions/${id}`, {
      method: 'PUT',
      headers: { Authorization: `Bearer ${ground.bed.tokens.hs}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ events: [{ type: 'm.call.hangup', event_id: `$${id}`, room_id: ground.room, sender: ground.bed.userId('bob'), content: { call_id: 'none', version: '1', party_id: 'P' } }] }),
    }).then((answer) => answer.status);
    expectEqual(await ready(), 200, 'ready before');
    await ground.bed.takeDatabaseAway();
    try {
      await eventually('readiness to say it', async () => (await ready()) !== 200, 20000);
      expectEqual(await push('away'), 503, 'a transaction while it is away');
      const { status } = await ground.rest(`/conversations/${ground.conversation}/calls`, { method: 'POST', body: { initiator_sdp: 'v=0\r\n', call_type: 'direct' } });
      expectEqual(status, 503, 'a call while it is away');
    } finally {
      await ground.bed.giveDatabaseBack();
    }
    await eventually('being ready again', async () => (await ready()) === 200, 30000);
    expectEqual(await push('away'), 200, 'the same transaction afterwards');
    const ids = await ground.hostRings();
    await ground.answered(ground.bob);
    await ground.alice.do('hangup');
    await ground.endedBy('alice', ids);
  },
};
