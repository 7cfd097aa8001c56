// SPDX-License-Identifier: Apache-2.0
//
// Encrypted calls through the bridge while devices come and go: a second device in mid-call, one that signs in late, one that its
// user has not signed, one whose room keys never come or come late, and the ghost's own device deleted under the bridge. What
// cannot be read must be told to the host's user, and must heal.

import { asGhost, devicesOf, encryptionLine, ghostDevices, keepKeysBack, requireEncrypted, unreadable, untilUnreadable } from '../support/drive/encryption.mjs';
import { countMedia } from '../support/drive/media.mjs';
import { encryptedGround, inspect, nothingWritten, wholeCall } from './encground.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'devices';

export async function setUp(options) {
  const ground = await encryptedGround(options);
  const recover = ground.recover.bind(ground);
  ground.recover = async () => {
    await ground.bob.page.unrouteAll();
    await ground.bob.do('trustVerifiedOnly', false);
    await recover();
  };
  return ground;
}

// What the host is told of an event of the conversation that could not be read.
async function hostsToldUnreadable(ground, since) {
  const entry = await ground.alice.entry('call.undecryptable', (e) => e.name === 'call.undecryptable' && e.t >= since, 45000);
  expect(typeof entry.data.reason === 'string' && entry.data.reason.length > 0, `call.undecryptable must have a reason: ${JSON.stringify(entry.data)}`);
  expectEqual(entry.data.conversation_id, ground.conversation, 'the conversation that call.undecryptable names');
  expect(/may have been missed/.test(await ground.alice.page.locator('#call-unread').textContent()), "alice's page must say so");
  return entry.data.reason;
}

async function undecryptable({ bed }) {
  const text = await (await fetch(`${bed.api}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('matrix_voip_undecryptable_total'));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

// bob's call that cannot reach anybody is over on his side only.
async function bobGivesUp({ bob }) {
  await bob.do('hangup');
  await bob.until('having no call', (s) => !s.call);
}

const hangup = (ids) => (e) => e.type === 'm.call.hangup' && e.callId === ids.matrixId;

export const checks = {
  'a second device of bob, added in mid-call, reads what comes after it': async (ground) => {
    const { alice, bob, bed } = ground;
    const ids = await ground.connected('alice');
    await countMedia(alice, bob);
    return ground.withDevice('tablet', {}, async (tablet) => {
      expect((await tablet.do('session')).signed, 'the second device must be signed');
      const since = Date.now();
      await alice.do('setMuted', true);
      await bob.until('seeing that alice is muted', (s) => s.call?.peerMuted);
      await alice.do('setHold', true);
      await bob.until('being on hold', (s) => s.call?.peerHeld);
      await ground.over('alice', ids);
      await tablet.entry('the hangup', hangup(ids));
      expectEqual((await unreadable(tablet, { since, roomId: ground.room })).map((e) => `${e.from} ${e.failure}`), [], 'what the second device cannot read of what came after it');
      const next = await ground.hostRings();
      await tablet.stage('ringing-in');
      await tablet.do('answer');
      await Promise.all([alice.stage('connected'), tablet.stage('connected'), bob.end(next.matrixId)]);
      await countMedia(alice, tablet);
      await alice.do('hangup');
      await tablet.end(next.matrixId);
      await ground.noLiveCalls();
      const events = await requireEncrypted(tablet, next.matrixId, { from: [bed.ghost, bed.userId('bob')] });
      return encryptionLine(tablet, events);
    });
  },

  'a client that signs in only after the room key was made': async (ground) => {
    const { alice, bob } = ground;
    const { ids: before } = await wholeCall(ground, 'alice', 'alice');
    return ground.withDevice('late', {}, async (late) => {
      const since = Date.now();
      expectEqual((await late.entries()).filter((e) => e.callId === before.matrixId).length, 0, 'events of the call before that it can read');
      const ids = await ground.hostRings();
      await late.stage('ringing-in');
      await late.do('answer');
      await Promise.all([alice.stage('connected'), late.stage('connected'), bob.end(ids.matrixId)]);
      await countMedia(alice, late);
      await late.do('hangup');
      await alice.end(ids.hostId);
      await ground.noLiveCalls();
      expectEqual((await unreadable(late, { since, roomId: ground.room })).map((e) => `${e.from} ${e.failure}`), [], 'what it cannot read of what came after it');
      return (await inspect(ground, ids, { by: 'bob', phone: late })).join('\n');
    });
  },

  'a device that its user has not signed gets no keys and does not ring, the signed one does': (ground) => ground.withDevice('unsigned', { sign: 'no' }, async (unsigned) => {
    expectEqual((await unsigned.do('session')).signed, false, 'signed');
    const since = Date.now();
    const ids = await ground.hostRings();
    const refused = await untilUnreadable(unsigned, ['MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE'], { from: ground.bed.ghost, since });
    expectEqual((await unsigned.state()).call, null, "the unsigned device's call");
    await ground.answered(ground.bob);
    await countMedia(ground.alice, ground.bob);
    await ground.over('bob', ids);
    expectEqual((await unsigned.state()).ended, [], 'calls that the unsigned device had');
    expectEqual((await unsigned.entries()).filter((e) => e.from === ground.bed.ghost && e.decrypted && e.t >= since).length, 0, 'events of the ghost that it could read');
    return [`the unsigned device was told: ${refused.failure}`, ...(await inspect(ground, ids, { by: 'bob' }))].join('\n');
  }),

  'a device that its user has not signed calls: the host is not rung, and is told why': (ground) => ground.withDevice('unsigned', { sign: 'no' }, async (unsigned) => {
    const since = Date.now();
    await unsigned.do('place', ground.room);
    await unsigned.stage('ringing-out');
    const reason = await hostsToldUnreadable(ground, since);
    expect(/unsigned/.test(reason), `the reason must be that the device is not signed: ${reason}`);
    expectEqual((await ground.alice.state()).call, null, "alice's call");
    await unsigned.do('hangup');
    await unsigned.until('having no call', (s) => !s.call);
    return `call.undecryptable said: ${reason}`;
  }),

  'a room key that comes late: the call rings after all': async (ground) => {
    const { alice, bob, room } = ground;
    await bob.do('newRoomKey', room);
    const keys = await keepKeysBack(bob);
    const matrixId = await bob.do('place', room);
    await bob.stage('ringing-out');
    await new Promise((later) => setTimeout(later, 1500));
    expectEqual((await alice.state()).call, null, "alice's call before the key");
    expect(keys.kept.length > 0, 'the room key must have been kept back');
    await keys.release();
    await keys.deliver();
    const { call: ringing } = await alice.stage('ringing-in');
    const ids = { hostId: ringing.id, matrixId };
    await ground.answered(alice);
    await countMedia(alice, bob);
    await ground.over('alice', ids);
    return (await inspect(ground, ids, { by: 'alice' })).join('\n');
  },

  'a room key that never comes: the host is told, and later calls ring again': async (ground) => {
    const { bob, alice, room } = ground;
    const counted = await undecryptable(ground);
    await bob.do('newRoomKey', room);
    const keys = await keepKeysBack(bob);
    const since = Date.now();
    await bob.do('place', room);
    await bob.stage('ringing-out');
    const reason = await hostsToldUnreadable(ground, since);
    expectEqual((await alice.state()).call, null, "alice's call");
    await bobGivesUp(ground);
    expect((await undecryptable(ground)) > counted, 'matrix_voip_undecryptable_total must have grown');
    await keys.release();
    await bob.do('newRoomKey', room);
    const { lines } = await wholeCall(ground, 'bob', 'alice');
    return [`call.undecryptable said: ${reason}`, ...lines].join('\n');
  },

  'a client that trusts verified devices only keeps its key back: the host is told why': async (ground) => {
    const { bob, alice, room } = ground;
    await bob.do('trustVerifiedOnly', true);
    const since = Date.now();
    await bob.do('place', room);
    await bob.stage('ringing-out');
    const reason = await hostsToldUnreadable(ground, since);
    expect(/unverified/.test(reason), `the reason must be the one that bob's client gave, m.unverified: ${reason}`);
    expectEqual((await alice.state()).call, null, "alice's call");
    await bobGivesUp(ground);
    await bob.do('trustVerifiedOnly', false);
    const { lines } = await wholeCall(ground, 'bob', 'bob');
    return [`call.undecryptable said: ${reason}`, ...lines].join('\n');
  },

  "the ghost's device is deleted on the homeserver: the next calls work with a new one": async (ground) => {
    const { bed, bob } = ground;
    const { ids: first } = await wholeCall(ground, 'bob', 'alice');
    const [old] = devicesOf(await requireEncrypted(bob, first.matrixId), bed.ghost);
    await asGhost(bed, 'DELETE', `/devices/${encodeURIComponent(old)}`, { body: {} });
    expect(!(await ghostDevices(bed)).some((device) => device.id === old), 'the device must be gone');
    const lines = [];
    for (const [from, by] of [['alice', 'bob'], ['bob', 'alice']]) {
      const whole = await wholeCall(ground, from, by);
      const [device] = devicesOf(await requireEncrypted(bob, whole.ids.matrixId), bed.ghost);
      expect(device !== old, `the call placed by ${from} must use another device than ${old}`);
      lines.push(...whole.lines);
    }
    return [`deleted: ${old}`, ...lines].join('\n');
  },

  "the ghost's device is deleted while the bridge is down": async (ground) => {
    const { alice, bed, secrets } = ground;
    const [{ id: old }] = await ghostDevices(bed);
    await secrets.readBridge(bed);
    await bed.stopBridge('SIGKILL');
    await alice.until('noticing that the bridge is gone', (s) => !s.online);
    await asGhost(bed, 'DELETE', `/devices/${encodeURIComponent(old)}`, { body: {} });
    await bed.startBridge();
    await alice.until('being connected again', (s) => s.online);
    return (await wholeCall(ground, 'bob', 'bob')).lines.join('\n');
  },

  'nothing secret was written': nothingWritten,
};
