// SPDX-License-Identifier: Apache-2.0
//
// The homeserver's transactions again: twice, and once more after kill -9 and a restart. What must hold: the answer is 200 and
// nothing changes, whether the transaction id is an old one or a new one (R107). The events are the real ones of a real call,
// read back from Synapse, and sent to the bridge as Synapse sends them.

import { bridgeGround } from './ground.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'replay';
export const setUp = bridgeGround;

async function callEvents({ bed, room }) {
  const query = `dir=b&limit=100&user_id=${encodeURIComponent(bed.ghost)}`;
  const answer = await fetch(`${bed.homeserver}/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?${query}`, {
    headers: { Authorization: `Bearer ${bed.tokens.as}` },
  });
  const { chunk } = await answer.json();
  return chunk.reverse().map((event) => ({ ...event, room_id: room }));
}

async function push({ bed }, id, events, token = bed.tokens.hs) {
  const answer = await fetch(`http://127.0.0.1:${bed.ports.appservice}/_matrix/app/v1/transactions/${id}`, {
    method: 'PUT',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ events, ephemeral: [] }),
  });
  return answer.status;
}

async function metric({ bed }, name) {
  const text = await (await fetch(`${bed.api}/metrics`)).text();
  const line = text.split('\n').find((l) => l.startsWith(`${name} `) || l.startsWith(`${name}{`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

// All that anybody could notice of a repeat.
async function seen(ground) {
  const told = (await ground.alice.entries()).filter((e) => e.name?.startsWith('call.'));
  const { body: live } = await ground.rest('/calls');
  const { body: past } = await ground.rest('/calls/history?limit=200');
  const sent = (await callEvents(ground)).filter((e) => e.sender === ground.bed.ghost);
  return { told: told.length, live: live.calls.map((c) => [c.id, c.status]), past: past.calls.map((c) => [c.id, c.status]), sent: sent.length };
}

async function restart({ bed, alice }) {
  await bed.stopBridge('SIGKILL');
  await alice.until('noticing that the bridge is gone', (s) => !s.online);
  await bed.startBridge();
  await alice.until('being connected again', (s) => s.online);
}

export const checks = {
  'the transactions of a live call come again, also after kill -9': async (ground) => {
    const ids = await ground.matrixRings();
    await ground.answered(ground.alice);
    const events = await callEvents(ground);
    const [invite] = await ground.sent('m.call.invite', ground.bed.userId('bob'), ids.matrixId);
    expect(events.some((e) => e.event_id === invite.eventId), 'the invite must be among the events'); // in an encrypted room only its id tells
    const before = await seen(ground);
    for (const id of ['again-1', 'again-1', 'again-2']) expectEqual(await push(ground, id, events), 200, `PUT transactions/${id}`);
    expectEqual(await seen(ground), before, 'after the same events came again');
    expect((await metric(ground, 'matrix_voip_duplicates_total')) > 0, 'the repeats must be counted');
    await restart(ground);
    const after = await seen(ground);
    for (const id of ['again-1', 'again-3']) expectEqual(await push(ground, id, events), 200, `PUT transactions/${id} after the restart`);
    expectEqual(await seen(ground), after, 'after the same events came again after the restart');
    expectEqual(after.live, before.live, 'live calls over the restart');
    await ground.bob.do('hangup');
    await ground.endedBy('bob', ids);
    const ended = await seen(ground);
    expectEqual(await push(ground, 'again-4', await callEvents(ground)), 200, 'the whole history again');
    expectEqual(await seen(ground), ended, 'after the whole history came again');
  },

  'a wrong hs_token stores nothing': async (ground) => {
    const room = await ground.bob.do('createDirectRoom', ground.bed.ghost, { encrypted: false }); // what is forged here is in the clear
    await ground.conversationIn(room);
    const before = await seen(ground);
    const forged = {
      type: 'm.call.invite', event_id: `$forged${Date.now()}`, sender: ground.bed.userId('bob'), room_id: room,
      origin_server_ts: Date.now(), unsigned: { age: 1 },
      content: { call_id: `forged${Date.now()}`, party_id: 'P', version: '1', lifetime: 60000, offer: { type: 'offer', sdp: 'v=0\r\n' } },
    };
    expectEqual(await push(ground, 'forged', [forged], 'wrong'), 403, 'the answer to a wrong token');
    await restart(ground);
    expectEqual((await seen(ground)).live, before.live, 'live calls');
    // The same event from the homeserver itself rings: nothing was remembered of it.
    expectEqual(await push(ground, 'forged', [forged]), 200, 'the answer to the right token');
    const { call } = await ground.alice.stage('ringing-in');
    await ground.alice.do('reject');
    await ground.alice.end(call.id);
  },
};
