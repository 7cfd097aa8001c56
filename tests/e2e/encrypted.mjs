// SPDX-License-Identifier: Apache-2.0
//
// Calls through the bridge in encrypted rooms, in both directions: every event of both sides is m.room.encrypted on the wire, as
// bob's client received it and as the room's history has it; his client shows no shield for the ghost's; media flows both ways;
// room keys rotate; a crash of the bridge loses nothing. Devices that come, go, or get no keys are in devices.mjs.

import { callEvents, ghostDevices, sessionsOf } from '../support/drive/encryption.mjs';
import { countMedia, untilReceived } from '../support/drive/media.mjs';
import { bobsRoom, encryptedGround, inspect, nothingWritten, wholeCall } from './encground.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'encrypted';
export const setUp = encryptedGround;

const call = (from, by, options) => async (ground) => (await wholeCall(ground, from, by, options)).lines.join('\n');

async function withOnlySigned(ground, act) {
  await ground.bob.do('setOnlySigned', true);
  try {
    return await act();
  } finally {
    await ground.bob.do('setOnlySigned', false);
  }
}

export const checks = {
  'a conversation of the host is an encrypted room': async (ground) => {
    const { status, body } = await ground.rest('/conversations', { method: 'POST', body: { matrix_user: ground.bed.userId('bob') } });
    expectEqual([status, body.room_id, body.encrypted], [200, ground.room, true], 'POST /conversations again');
    const { rooms } = await ground.bob.state();
    expectEqual(rooms.find((r) => r.roomId === ground.room)?.encrypted, true, "bob's client: the room is encrypted");
  },

  'host calls, host hangs up': call('alice', 'alice'),
  'host calls, Matrix hangs up': call('alice', 'bob'),
  'Matrix calls, host hangs up': call('bob', 'alice'),
  'Matrix calls, Matrix hangs up': call('bob', 'bob'),
  'host calls with video': call('alice', 'bob', { video: true }),

  'the pages say that it is encrypted': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('bob');
    await bob.until('judging the call', (s) => s.security?.events >= 2);
    expectEqual(await bob.page.locator('#call-security').textContent(), 'Encrypted, no warning', "what bob's page says");
    await ground.over('alice', ids);
    expectEqual((await alice.do('refresh')).find((c) => c.id === ground.conversation)?.encrypted, true, "alice's page: the conversation is encrypted");
  },

  'hold, mute and screen from both sides': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    await countMedia(alice, bob);
    for (const [one, other] of [[alice, bob], [bob, alice]]) {
      await one.do('setHold', true);
      await other.until('being on hold', (s) => s.call?.peerHeld);
      await one.do('setHold', false);
      await other.until('being off hold', (s) => s.call && !s.call.peerHeld && s.call.signalling === 'stable');
      await one.do('setMuted', true);
      await other.until('seeing that the peer is muted', (s) => s.call?.peerMuted);
      await one.do('setMuted', false);
      await other.until('seeing that the peer is not', (s) => s.call && !s.call.peerMuted);
      await one.do('setScreen', true);
      await other.until("seeing the peer's screen", (s) => s.call?.peerScreen && s.call.signalling === 'stable');
      await untilReceived(other, 'screen');
    }
    await ground.over('alice', ids);
    return (await inspect(ground, ids, { by: 'alice' })).join('\n');
  },

  'Matrix rejects, host rejects': async (ground) => {
    const first = await ground.hostRings();
    await ground.bob.do('reject');
    await ground.endedBy('bob', first, { hostReason: 'rejected' });
    const second = await ground.matrixRings();
    await ground.alice.do('reject');
    await ground.arrives('m.call.reject', ground.bed.ghost, second.matrixId);
    await ground.endedBy('alice', second);
    return [...(await inspect(ground, first)), ...(await inspect(ground, second))].join('\n');
  },

  'a client that takes signed devices only, host calls': (ground) => withOnlySigned(ground, () => call('alice', 'bob')(ground)),
  'a client that takes signed devices only, Matrix calls': (ground) => withOnlySigned(ground, () => call('bob', 'alice')(ground)),
  'a client that takes signed devices only makes the room': (ground) => withOnlySigned(ground, async () => call('bob', 'bob', { room: await bobsRoom(ground) })(ground)),

  'the ghost is invited to a new encrypted room and called at once': async (ground) => {
    const room = await ground.bob.do('createDirectRoom', ground.bed.ghost);
    return call('bob', 'alice', { room })(ground);
  },

  'the host calls in a room that the Matrix user made': async (ground) => {
    const room = await bobsRoom(ground);
    const conversation = await ground.conversationIn(room);
    expectEqual(conversation.encrypted, true, 'POST /conversations: the room is encrypted');
    const hostId = await ground.alice.do('place', conversation.id);
    const ids = { hostId, matrixId: (await ground.bob.stage('ringing-in')).call.callId };
    await ground.answered(ground.bob);
    await countMedia(ground.alice, ground.bob);
    await ground.over('bob', ids);
    return (await inspect(ground, ids, { by: 'bob', room })).join('\n');
  },

  'the room key rotates on both sides within a call': async (ground) => {
    const { alice, bob, bed } = ground;
    const room = await bobsRoom(ground, { rotateAfter: 3 });
    const ids = await ground.connected('bob', { room });
    for (let i = 0; i < 3; i++) {
      for (const [one, other] of [[alice, bob], [bob, alice]]) {
        await one.do('setHold', true);
        await other.until('being on hold', (s) => s.call?.peerHeld && s.call.signalling === 'stable');
        await one.do('setHold', false);
        await other.until('being off hold', (s) => s.call && !s.call.peerHeld && s.call.signalling === 'stable');
        await one.do('setMuted', true);
        await other.until('seeing that the peer is muted', (s) => s.call?.peerMuted);
        await one.do('setMuted', false);
        await other.until('seeing that the peer is not', (s) => s.call && !s.call.peerMuted);
      }
    }
    await countMedia(alice, bob);
    await ground.over('alice', ids);
    const lines = await inspect(ground, ids, { by: 'alice', room });
    const events = await callEvents(bob, ids.matrixId);
    for (const user of [bed.ghost, bed.userId('bob')]) {
      const [sent, keys] = [events.filter((e) => e.from === user).length, sessionsOf(events, user).length];
      expect(keys >= 2 && keys >= Math.floor(sent / 3), `${user} sent ${sent} events with ${keys} room keys, 3 events a key are asked for`);
    }
    return lines.join('\n');
  },

  'killed while talking, Matrix hangs up': async (ground) => {
    const ids = await ground.connected('bob');
    const before = await ghostDevices(ground.bed);
    await ground.killAndRestart();
    await countMedia(ground.alice, ground.bob);
    await ground.over('bob', ids);
    expectEqual(await ghostDevices(ground.bed), before, "the ghost's devices after the restart");
    return (await inspect(ground, ids, { by: 'bob' })).join('\n');
  },

  'killed while talking, the call goes on and the host hangs up': async (ground) => {
    const { alice, bob } = ground;
    const ids = await ground.connected('alice');
    await ground.killAndRestart();
    await alice.do('setHold', true);
    await bob.until('being on hold', (s) => s.call?.peerHeld);
    await bob.do('setMuted', true);
    await alice.until('seeing that bob is muted', (s) => s.call?.peerMuted);
    await alice.do('setHold', false);
    await bob.do('setMuted', false);
    await bob.until('being off hold', (s) => s.call && !s.call.peerHeld && s.call.signalling === 'stable');
    await countMedia(alice, bob);
    await ground.over('alice', ids);
    return (await inspect(ground, ids, { by: 'alice' })).join('\n');
  },

  'killed while the host rings': async (ground) => {
    const ids = await ground.matrixRings();
    await ground.killAndRestart();
    await ground.answered(ground.alice);
    await countMedia(ground.alice, ground.bob);
    await ground.over('alice', ids);
    return (await inspect(ground, ids, { by: 'alice' })).join('\n');
  },

  // What the homeserver has for the ghost's device meanwhile, the room key, comes in no transaction afterwards.
  'Matrix calls with a new room key while the bridge is down': async (ground) => {
    const { alice, bob, bed, room } = ground;
    await ground.secrets.readBridge(bed);
    await bed.stopBridge('SIGKILL');
    await alice.until('noticing that the bridge is gone', (s) => !s.online);
    await bob.do('newRoomKey', room);
    const matrixId = await bob.do('place', room);
    await bob.stage('ringing-out');
    await bed.startBridge();
    const { call: ringing } = await alice.stage('ringing-in', 45000);
    const ids = { hostId: ringing.id, matrixId };
    await ground.answered(alice);
    await countMedia(alice, bob);
    await ground.over('bob', ids);
    return (await inspect(ground, ids, { by: 'bob' })).join('\n');
  },

  'Synapse is started again, and calls go on being encrypted': async (ground) => {
    const { alice, bob, bed } = ground;
    await bed.stopSynapse();
    await bed.startSynapse();
    await bob.until('being online again', (s) => s.online, 60000);
    await bob.do('newRoomKey', ground.room);
    const ids = await ground.connected('bob');
    await countMedia(alice, bob);
    await ground.over('alice', ids);
    return (await inspect(ground, ids, { by: 'alice' })).join('\n');
  },

  'nothing secret was written': nothingWritten,
};
