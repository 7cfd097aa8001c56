// SPDX-License-Identifier: Apache-2.0
//
// Calls that come to nothing, and how each side learns of it: several devices of one user, rejection, busy, ignoring, expiry,
// leaving the room.

import { countMedia } from '../support/drive/media.mjs';
import { bridgeGround } from './ground.mjs';
import { expectEqual } from './checks.mjs';

export const family = 'endings';
export const setUp = (options) => bridgeGround(options, { plugin: { invite_lifetime_seconds: 30 } });

// A second device of bob for one check.
const withTablet = (check) => (ground) => ground.withDevice('tablet', {}, async (tablet) => {
  await tablet.until('being in the conversation', (s) => s.rooms.some((r) => r.roomId === ground.room && r.membership === 'join'));
  return check(ground, tablet);
});

async function ringsAtBoth(ground, tablet) {
  const ids = await ground.hostRings();
  await tablet.stage('ringing-in');
  return ids;
}

export const checks = {
  'one device answers, the other stops ringing': withTablet(async (ground, tablet) => {
    const { alice, bob } = ground;
    for (const [answers, stops] of [[bob, tablet], [tablet, bob]]) {
      const ids = await ringsAtBoth(ground, tablet);
      await answers.do('answer');
      expectEqual((await stops.end(ids.matrixId)).by, 'remote', `${stops.name}: who ended the ringing`);
      await Promise.all([alice.stage('connected'), answers.stage('connected')]);
      await countMedia(alice, answers);
      await answers.do('hangup');
      await alice.end(ids.hostId);
      await ground.noLiveCalls();
    }
  }),

  'one device rejects, the other stops ringing': withTablet(async (ground, tablet) => {
    const ids = await ringsAtBoth(ground, tablet);
    await tablet.do('reject');
    await ground.bob.end(ids.matrixId);
    expectEqual((await ground.alice.end(ids.hostId)).reason, 'rejected', 'what alice was told');
    await ground.noLiveCalls();
  }),

  'one device ignores, the other answers': withTablet(async (ground, tablet) => {
    const ids = await ringsAtBoth(ground, tablet);
    await tablet.do('ignore');
    await ground.answered(ground.bob);
    await countMedia(ground.alice, ground.bob);
    await ground.over('alice', ids);
  }),

  'one device cannot take the call, the other answers': withTablet(async (ground, tablet) => {
    const { alice, bob } = ground;
    const ids = await ringsAtBoth(ground, tablet);
    await tablet.do('say', 'org.matrix.msc4220.call.reject_locally', { reason: 'needs_matrixrtc' });
    await alice.until('being told of it', (s) => s.call?.note?.key === 'rejectedLocally' && s.call.note.detail === 'needs_matrixrtc');
    await tablet.do('ignore');
    await ground.answered(bob);
    await countMedia(alice, bob);
    await ground.over('bob', ids);
  }),

  'one device of the caller places, its others do not ring': withTablet(async (ground, tablet) => {
    const ids = await ground.matrixRings();
    await ground.answered(ground.alice);
    await tablet.entry('the invite', (e) => e.type === 'm.call.invite' && e.callId === ids.matrixId);
    expectEqual((await tablet.state()).call, null, "the tablet's call");
    await ground.over('bob', ids);
  }),

  'Matrix rejects': async (ground) => {
    const ids = await ground.hostRings();
    await ground.bob.do('reject');
    const record = await ground.endedBy('bob', ids, { hostReason: 'rejected' });
    expectEqual(record.reason, 'rejected', "the record's reason");
  },

  'the host is busy': async (ground) => {
    const ids = await ground.matrixRings();
    await ground.alice.do('reject', 'user_busy');
    const ended = await ground.bob.end(ids.matrixId);
    expectEqual([ended.by, ended.reason], ['remote', 'user_busy'], 'what bob was told');
    await ground.noLiveCalls();
  },

  'the host is in a call': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    const room = await bob.do('createDirectRoom', ground.bed.ghost);
    const second = await bob.do('place', room); // puts the first on hold
    const ended = await bob.until('being told busy', (s) => s.ended.some((e) => e.callId === second));
    expectEqual(ended.ended.at(-1).reason, 'user_busy', 'what bob was told');
    await bob.do('setHold', false);
    await countMedia(alice, bob);
    await ground.over('bob', ids);
  },

  'the host ignores': async (ground) => {
    const ids = await ground.matrixRings();
    await ground.alice.do('reject', 'ignore');
    expectEqual((await ground.alice.end(ids.hostId)).reason, 'ignored', 'what alice sees');
    expectEqual((await ground.bob.state()).call?.stage, 'ringing-out', "bob's call");
    await ground.bob.do('hangup');
    await ground.bob.end(ids.matrixId);
    await ground.noLiveCalls();
    for (const type of ['m.call.reject', 'm.call.hangup']) expectEqual((await ground.sent(type, ground.bed.ghost, ids.matrixId)).length, 0, `${type} sent by the ghost`);
  },

  'nobody answers the host': async (ground) => {
    const ids = await ground.hostRings();
    const [host, matrix] = await Promise.all([ground.alice.end(ids.hostId, 45000), ground.bob.end(ids.matrixId, 45000)]);
    expectEqual([host.reason, host.by, matrix.by], ['invite_timeout', 'remote', 'remote'], 'what alice was told, and who ended it at bob');
    await ground.arrives('m.call.hangup', ground.bed.ghost, ids.matrixId);
    await ground.noLiveCalls();
    expectEqual((await ground.call(ids.hostId)).reason, 'invite_timeout', "the record's reason");
  },

  'the Matrix user leaves the room in mid-call': async (ground) => {
    const room = await ground.bob.do('createDirectRoom', ground.bed.ghost);
    const ids = await ground.connected('bob', { room });
    await countMedia(ground.alice, ground.bob);
    await ground.bob.do('leave', room);
    expectEqual((await ground.alice.end(ids.hostId)).reason, 'peer_left', 'what alice was told');
    await ground.bob.do('hangup'); // only the SDK's own state: nobody is there to hear it
    await ground.bob.end(ids.matrixId);
    await ground.noLiveCalls();
    expectEqual((await ground.call(ids.hostId)).reason, 'peer_left', "the record's reason");
  },

  'the Matrix user leaves the room while the host rings': async (ground) => {
    const room = await ground.bob.do('createDirectRoom', ground.bed.ghost);
    const ids = await ground.matrixRings({ room });
    await ground.bob.do('leave', room);
    expectEqual((await ground.alice.end(ids.hostId)).by, 'remote', 'who ended it');
    await ground.bob.do('hangup');
    await ground.bob.end(ids.matrixId);
    await ground.noLiveCalls();
  },
};
