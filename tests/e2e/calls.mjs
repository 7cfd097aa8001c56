// SPDX-License-Identifier: Apache-2.0
//
// Calls through the bridge, in both directions, with RTP counted.
//
// Steps of each: who calls, who answers or not, who ends; then both pages, the wire and the call's record must agree.

import { bridgeLadder } from '../support/drive/ladder.mjs';
import { countMedia, mediaLines } from '../support/drive/media.mjs';
import { bridgeGround } from './ground.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'calls';
export const setUp = bridgeGround;

async function withMedia(ground, ring, ender, options) {
  const since = Date.now();
  const ids = await ring(options);
  await ground.answered(ids.callee);
  const media = await countMedia(ground.alice, ground.bob, options);
  await ender.do('hangup');
  await ground.endedBy(ender.name, ids);
  return [...(await bridgeLadder(ground.alice, ground.bob, since)), ...mediaLines(media)].join('\n');
}
const fromHost = (ground) => async (options) => ({ ...(await ground.hostRings(options)), callee: ground.bob });
const fromMatrix = (ground) => async (options) => ({ ...(await ground.matrixRings(options)), callee: ground.alice });

export const checks = {
  'host calls, host hangs up': (ground) => withMedia(ground, fromHost(ground), ground.alice),
  'host calls, Matrix hangs up': (ground) => withMedia(ground, fromHost(ground), ground.bob),
  'Matrix calls, host hangs up': (ground) => withMedia(ground, fromMatrix(ground), ground.alice),
  'Matrix calls, Matrix hangs up': (ground) => withMedia(ground, fromMatrix(ground), ground.bob),
  'Matrix calls naming the invitee': (ground) => withMedia(ground, (options) => fromMatrix(ground)({ ...options, invitee: ground.bed.ghost }), ground.bob),
  'host calls with video': (ground) => withMedia(ground, fromHost(ground), ground.alice, { video: true }),
  'Matrix calls with video': (ground) => withMedia(ground, fromMatrix(ground), ground.bob, { video: true }),

  'Matrix rejects': async (ground) => {
    const ids = await ground.hostRings();
    await ground.bob.do('reject');
    await ground.endedBy('bob', ids, { hostReason: 'rejected' });
  },

  'host rejects': async (ground) => {
    const ids = await ground.matrixRings();
    await ground.alice.do('reject');
    await ground.arrives('m.call.reject', ground.bed.ghost, ids.matrixId);
    await ground.endedBy('alice', ids);
  },

  'host gives up while Matrix rings': async (ground) => {
    const ids = await ground.hostRings();
    await ground.alice.do('hangup');
    await ground.arrives('m.call.hangup', ground.bed.ghost, ids.matrixId);
    await ground.endedBy('alice', ids);
  },

  'Matrix gives up while host rings': async (ground) => {
    const ids = await ground.matrixRings();
    await ground.bob.do('hangup');
    await ground.endedBy('bob', ids);
  },

  'the ghost is invited to a new direct room and called at once': async (ground) => {
    const room = await ground.bob.do('createDirectRoom', ground.bed.ghost);
    return withMedia(ground, (options) => fromMatrix(ground)({ ...options, room }), ground.alice);
  },

  'host calls in a room that is not encrypted': async (ground) => {
    const { alice, bob, bed } = ground;
    const room = await bob.do('createDirectRoom', bed.ghost, { encrypted: false });
    await bob.until('seeing the ghost in the room', (s) => s.rooms.some((r) => r.roomId === room && r.joined.includes(bed.ghost)));
    const conversation = await ground.conversationIn(room);
    expectEqual(conversation.encrypted, false, 'POST /conversations: the room is encrypted');
    return withMedia(ground, async (options) => {
      const hostId = await alice.do('place', conversation.id, options);
      const { call } = await bob.stage('ringing-in');
      expectEqual((await bob.entry('the invite', (e) => e.type === 'm.call.invite' && e.callId === call.callId)).encrypted, false, 'the invite is encrypted');
      return { hostId, matrixId: call.callId, callee: bob };
    }, bob);
  },

  'two calls in a row have different ids and a record each': async (ground) => {
    const ids = [];
    for (let i = 0; i < 2; i++) {
      ids.push(await ground.hostRings());
      await ground.alice.do('hangup');
      await ground.endedBy('alice', ids[i]);
    }
    expect(ids[0].hostId !== ids[1].hostId && ids[0].matrixId !== ids[1].matrixId, 'the ids must differ');
    const { body } = await ground.rest('/calls/history?limit=2');
    expectEqual(body.calls.map((call) => call.id), [ids[1].hostId, ids[0].hostId], 'GET /calls/history?limit=2, newest first');
  },

  'one invite, one answer, one hangup': async (ground) => {
    const ids = await ground.matrixRings();
    await ground.answered(ground.alice);
    await ground.alice.do('hangup');
    await ground.endedBy('alice', ids);
    expectEqual((await ground.sent('m.call.answer', ground.bed.ghost, ids.matrixId)).length, 1, 'answers');
    expectEqual((await ground.sent('m.call.hangup', ground.bed.ghost, ids.matrixId)).length, 1, 'hangups');
    const back = await ground.hostRings();
    await ground.answered(ground.bob);
    await ground.bob.do('hangup');
    await ground.endedBy('bob', back);
    expectEqual((await ground.sent('m.call.invite', ground.bed.ghost, back.matrixId)).length, 1, 'invites');
    expectEqual((await ground.sent('m.call.select_answer', ground.bed.ghost, back.matrixId)).length, 1, 'selected answers');
    expectEqual((await ground.sent('m.call.hangup', ground.bed.ghost, back.matrixId)).length, 0, "hangups of ours to the peer's hangup");
  },
};
