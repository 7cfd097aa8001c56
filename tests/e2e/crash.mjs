// SPDX-License-Identifier: Apache-2.0
//
// bridge-host is killed with -9 and started again, at each stage of a call. What must hold: a ringing call is signalled again
// or ended on both sides, a call in progress can still be ended from either side, and nothing is sent twice.

import { countMedia, untilReceived } from '../support/drive/media.mjs';
import { bridgeGround } from './ground.mjs';
import { expectEqual } from './checks.mjs';

export const family = 'crash';
export const setUp = bridgeGround;

// Both sides have ended the call, or the bridge still holds it as live.
async function stillLive(ground, { hostId }) {
  const { status, body } = await ground.rest(`/calls/${hostId}`);
  expectEqual(status, 200, `GET /calls/${hostId} after the restart`);
  return !['ended', 'failed'].includes(body.status);
}

async function goesOnOrIsOver(ground, ids, callee, ender) {
  if (await stillLive(ground, ids)) {
    await ground.answered(callee);
    await countMedia(ground.alice, ground.bob);
    await ender.do('hangup');
    await ground.endedBy(ender.name, ids);
    return 'went on: answered after the restart, media both ways';
  }
  await Promise.all([ground.alice.end(ids.hostId, 100000), ground.bob.end(ids.matrixId, 100000)]);
  return 'was ended on both sides';
}

export const checks = {
  'killed while the host rings': async (ground) => {
    const ids = await ground.matrixRings();
    const since = await ground.killAndRestart();
    if (await stillLive(ground, ids)) {
      await ground.alice.entry('the call signalled again', (e) => e.name === 'call.initiated' && e.callId === ids.hostId && e.t >= since);
    }
    const note = await goesOnOrIsOver(ground, ids, ground.alice, ground.alice);
    expectEqual((await ground.sent('m.call.answer', ground.bed.ghost, ids.matrixId)).length <= 1, true, 'at most one answer');
    return note;
  },

  'killed while Matrix rings': async (ground) => {
    const ids = await ground.hostRings();
    await ground.killAndRestart();
    const note = await goesOnOrIsOver(ground, ids, ground.bob, ground.bob);
    expectEqual((await ground.sent('m.call.invite', ground.bed.ghost, ids.matrixId)).length, 1, 'invites sent');
    return note;
  },

  'killed while talking, Matrix hangs up': async (ground) => {
    const ids = await ground.matrixRings();
    await ground.answered(ground.alice);
    await ground.killAndRestart();
    await countMedia(ground.alice, ground.bob);
    await ground.bob.do('hangup');
    await ground.endedBy('bob', ids);
    expectEqual((await ground.sent('m.call.answer', ground.bed.ghost, ids.matrixId)).length, 1, 'answers sent');
  },

  'killed while talking, host hangs up': async (ground) => {
    const ids = await ground.hostRings();
    await ground.answered(ground.bob);
    await ground.killAndRestart();
    await ground.alice.do('hangup');
    await ground.endedBy('alice', ids);
  },

  'killed while on hold': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    await countMedia(alice, bob);
    await bob.do('setHold', true);
    await alice.until('being on hold', (s) => s.call?.peerHeld);
    await ground.killAndRestart();
    expectEqual((await ground.call(ids.hostId)).peer_media?.held, true, 'peer_media.held after the restart');
    await bob.do('setHold', false);
    await alice.until('being off hold', (s) => s.call && !s.call.peerHeld);
    await countMedia(alice, bob);
    await ground.over('alice', ids);
  },

  'changes of both sides while the bridge is down': async (ground) => {
    const { alice, bob } = ground;
    for (const from of ['alice', 'bob']) {
      const ids = await ground.connected(from);
      await countMedia(alice, bob);
      await ground.bed.stopBridge('SIGKILL');
      await alice.until('noticing that the bridge is gone', (s) => !s.online);
      const asked = alice.do('setScreen', true); // its request is repeated until the bridge is back
      asked.catch(() => {}); // awaited below: until then a failure of another step comes first
      await bob.do('setScreen', true);
      await bob.do('setMuted', true);
      await ground.bed.startBridge();
      await asked;
      await alice.until("seeing bob's screen, and that he is muted", (s) => s.call?.peerScreen && s.call.peerMuted && s.call.signalling === 'stable', 60000);
      await bob.until("seeing alice's screen", (s) => s.call?.peerScreen && s.call.signalling === 'stable');
      for (const phone of [alice, bob]) await untilReceived(phone, 'screen');
      await ground.over(from, ids);
    }
  },

  'Matrix calls while the bridge is down': async (ground) => {
    await ground.bed.stopBridge('SIGKILL');
    const matrixId = await ground.bob.do('place', ground.room);
    await ground.bob.stage('ringing-out');
    await ground.bed.startBridge();
    const { call } = await ground.alice.stage('ringing-in', 45000); // the homeserver repeats its transaction with back-off
    const ids = { hostId: call.id, matrixId };
    await ground.answered(ground.alice);
    await ground.bob.do('hangup');
    await ground.endedBy('bob', ids);
  },

  'stopped in order with SIGTERM between two calls': async (ground) => {
    await ground.bed.stopBridge('SIGTERM');
    expectEqual(ground.bed.bridge.exitCode, 0, 'exit code after SIGTERM');
    await ground.bed.startBridge();
    await ground.alice.until('being connected again', (s) => s.online);
    const ids = await ground.hostRings();
    await ground.answered(ground.bob);
    await ground.alice.do('hangup');
    await ground.endedBy('alice', ids);
  },
};
