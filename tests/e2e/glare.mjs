// SPDX-License-Identifier: Apache-2.0
//
// Both call each other at the same time. However the clicks fall, exactly one call is left on each side and in the bridge, it
// is the same one, media flows, and the host has had one call throughout.

import { countMedia } from '../support/drive/media.mjs';
import { bridgeGround } from './ground.mjs';
import { expectEqual } from './checks.mjs';

export const family = 'glare';
export const setUp = (options) => bridgeGround(options);

const later = (ms, act) => new Promise((done, failed) => setTimeout(() => act().then(done, failed), ms));

// delay: by how much bob's click comes after alice's (before, when negative).
// callId: bob's, when it is not to be the SDK's own, which begins with the time and so is nearly always the lesser one (it stays).
async function bothCall(ground, { delay, invitee, callId }) {
  const { alice, bob } = ground;
  const before = (await ground.rest('/calls/history?limit=200')).body.calls.length;
  const [hostId] = await Promise.all([
    later(Math.max(0, -delay), () => alice.do('place', ground.conversation)),
    later(Math.max(0, delay), () => bob.do('place', ground.room, { invitee, callId })),
  ]);
  const [a, b] = await Promise.all([alice.stage('connected'), bob.stage('connected')]);
  const { body } = await ground.rest('/calls');
  expectEqual(body.calls.map((call) => [call.id, call.matrix.call_id]), [[a.call.id, b.call.callId]], 'the live calls of the bridge, and both pages');
  expectEqual(hostId, a.call.id, 'the host call that alice placed, and the one she is in');
  await countMedia(alice, bob);
  const [after, afterwards] = [await alice.state(), await bob.state()];
  expectEqual([after.others.length, afterwards.others.length], [0, 0], 'other calls on both pages');
  const winner = b.call.direction === 'outbound' ? 'Matrix' : 'host';
  const ender = delay % 2 ? 'alice' : 'bob';
  await ground.over(ender, { hostId: a.call.id, matrixId: b.call.callId });
  const { calls } = (await ground.rest('/calls/history?limit=200')).body;
  expectEqual(calls.length - before, 1, 'host calls that this made');
  return { winner };
}

const delays = [0, 0, 1, 20, 45, 80, 120, 180, 240, 300];

const times = (count, { withInvitee, callId = () => undefined }) => async (ground) => {
  const invitee = withInvitee ? ground.bed.ghost : undefined;
  const won = { host: 0, Matrix: 0 };
  const lines = [];
  for (const [i, size] of delays.slice(0, count).entries()) {
    const delay = i % 2 ? -size : size;
    try {
      const { winner } = await bothCall(ground, { delay, invitee, callId: callId(i) });
      won[winner]++;
      lines.push(`${delay} ms: ${winner}`);
    } catch (error) {
      throw new Error(`with bob's click ${delay} ms after alice's, after ${lines.join(', ') || 'none'}: ${error.message}`);
    }
  }
  return `the host's call stayed ${won.host} times, Matrix's ${won.Matrix} times (bob's click after alice's by ${lines.join(', ')})`;
};

export const checks = {
  'ten times, Matrix names the invitee': times(10, { withInvitee: true }),
  'ten times, Matrix names nobody': times(10, { withInvitee: false }),
  "six times, the host's call has the lesser id": times(6, { withInvitee: true, callId: (i) => `~${Date.now()}-${i}` }),
};
