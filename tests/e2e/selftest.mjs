// SPDX-License-Identifier: Apache-2.0
//
// The bed itself: two Matrix pages call each other through the real Synapse, without the bridge. When this fails, nothing that
// the other e2e tests say can be believed.
//
// Checks: the network is only `lo`; voice with RTP both ways; video; reject; hangup by each; caller gives up.

import { networkInterfaces } from 'node:os';
import { Bed } from '../support/drive/bed.mjs';
import { Browser } from '../support/drive/browser.mjs';
import { matrixLadder } from '../support/drive/ladder.mjs';
import { countMedia, mediaLines } from '../support/drive/media.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'bed';

export async function setUp({ pagesDir, say }) {
  const bed = new Bed({ kind: 'e2e', pagesDir, say });
  const ground = { bed, close: async () => { await ground.browser?.close(); await bed.stop(); } };
  try {
    await bed.start({ bridge: false, users: ['bob', 'carol'] });
    ground.browser = await Browser.launch();
    ground.bob = await ground.browser.open('bob', bed.matrixPage(), bed.matrixFields('bob'));
    ground.carol = await ground.browser.open('carol', bed.matrixPage(), { ...bed.matrixFields('carol'), tone: 659 });
    ground.room = await ground.bob.do('createDirectRoom', bed.userId('carol'), { encrypted: false });
    await ground.carol.until('having joined the room', (s) => s.rooms.some((r) => r.roomId === ground.room && r.membership === 'join'));
  } catch (error) {
    await ground.close();
    throw error;
  }
  ground.recover = async () => {
    for (const phone of [ground.bob, ground.carol]) if ((await phone.state()).call) await phone.do('hangup');
  };
  return ground;
}

async function connect({ bob, carol, room }, options = {}) {
  const callId = await bob.do('place', room, options);
  await carol.stage('ringing-in');
  await carol.do('answer');
  await Promise.all([bob.stage('connected'), carol.stage('connected')]);
  return callId;
}

export const checks = {
  'only lo': async () => {
    const interfaces = Object.entries(networkInterfaces()).filter(([, addresses]) => addresses.some((a) => !a.internal)).map(([name]) => name);
    expectEqual(interfaces, [], 'interfaces besides lo');
  },

  'voice both ways': async (ground) => {
    const since = Date.now();
    const callId = await connect(ground);
    const media = await countMedia(ground.bob, ground.carol);
    await ground.bob.do('hangup');
    const ended = await ground.carol.end(callId);
    expectEqual([ended.reason, ended.by], ['user_hangup', 'remote'], 'what carol was told');
    expect(media.ends.every((end) => /127\.0\.0\.1/.test(end.path)), `media must stay on loopback: ${media.ends[0].path}`);
    await ground.carol.entry('the hangup', (e) => e.type === 'm.call.hangup' && e.callId === callId);
    return [...(await matrixLadder(ground.bob, ground.carol, since)), ...mediaLines(media)].join('\n');
  },

  'video both ways': async (ground) => {
    const callId = await connect(ground, { video: true });
    const media = await countMedia(ground.bob, ground.carol, { video: true });
    await ground.carol.do('hangup');
    await ground.bob.end(callId);
    return mediaLines(media).join('\n');
  },

  'callee rejects': async ({ bob, carol, room }) => {
    const callId = await bob.do('place', room);
    await carol.stage('ringing-in');
    await carol.do('reject');
    await bob.end(callId);
    await bob.entry('the reject', (e) => e.type === 'm.call.reject' && e.callId === callId);
  },

  'caller gives up': async ({ bob, carol, room }) => {
    const callId = await bob.do('place', room);
    await carol.stage('ringing-in');
    await bob.do('hangup');
    expectEqual((await carol.end(callId)).by, 'remote', 'who ended it');
  },

  'both call each other with invitee': async ({ bob, carol, bed, room }) => {
    await Promise.all([bob.do('place', room, { invitee: bed.userId('carol') }), carol.do('place', room, { invitee: bed.userId('bob') })]);
    await Promise.all([bob.stage('connected'), carol.stage('connected')]);
    const [left, right] = [await bob.state(), await carol.state()];
    expectEqual(left.call.callId, right.call.callId, 'the call both are in');
    await bob.do('hangup');
    await carol.end(left.call.callId);
  },
};
