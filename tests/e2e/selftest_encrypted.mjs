// SPDX-License-Identifier: Apache-2.0
//
// The bed once more, with encryption: real clients call each other through the real Synapse in encrypted rooms, without the
// bridge. Shows that the pages see what the other encrypted families ask them about: wire types, shields, devices, room keys
// that rotate, come late, never come, or are kept back; and that the search for secrets finds one that was planted.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bed } from '../support/drive/bed.mjs';
import { Browser } from '../support/drive/browser.mjs';
import {
  callEvents, devicesOf, encryptionLine, keepKeysBack, requireEncrypted, requireEncryptedRoom, sessionsOf, unreadable, untilUnreadable,
} from '../support/drive/encryption.mjs';
import { countMedia, mediaLines } from '../support/drive/media.mjs';
import { requireNothing, Secrets } from '../support/drive/secrets.mjs';
import { expect, expectEqual } from './checks.mjs';

export const family = 'bed-encrypted';

export async function setUp({ pagesDir, say }) {
  const bed = new Bed({ kind: 'e2e', pagesDir, say });
  const ground = { bed, close: async () => { await ground.browser?.close(); await bed.stop(); } };
  try {
    await bed.start({ bridge: false, users: ['bob', 'carol'] });
    ground.browser = await Browser.launch();
    ground.bob = await ground.browser.open('bob', bed.matrixPage(), bed.matrixFields('bob'));
    ground.carol = await ground.browser.open('carol', bed.matrixPage(), { ...bed.matrixFields('carol'), tone: 659 });
    ground.room = await newRoom(ground);
  } catch (error) {
    await ground.close();
    throw error;
  }
  ground.recover = async () => {
    for (const phone of ground.browser.phones) if ((await phone.state()).call) await phone.do('hangup');
  };
  return ground;
}

async function newRoom({ bob, carol, bed }, options) {
  const room = await bob.do('createDirectRoom', bed.userId('carol'), options);
  await carol.until('having joined the room', (s) => s.rooms.some((r) => r.roomId === room && r.membership === 'join' && r.encrypted));
  await bob.until('seeing carol in the room', (s) => s.rooms.some((r) => r.roomId === room && r.joined.length === 2));
  return room;
}

async function connect({ bob, carol, room }, options = {}) {
  const callId = await bob.do('place', options.room ?? room, options);
  await carol.stage('ringing-in');
  await carol.do('answer');
  await Promise.all([bob.stage('connected'), carol.stage('connected')]);
  return callId;
}

// Both sides' view of a call that is over, and the room's.
async function inspect(ground, callId, room = ground.room) {
  const { bob, carol, bed } = ground;
  const from = [bed.userId('bob'), bed.userId('carol')];
  const lines = [];
  for (const phone of [bob, carol]) lines.push(encryptionLine(phone, await requireEncrypted(phone, callId, { from })));
  const { accessToken } = await bob.do('session');
  const seen = await requireEncryptedRoom({ homeserver: bed.homeserver, token: accessToken, roomId: room }, from);
  lines.push(`in the room: ${Object.entries(seen.encrypted).map(([user, n]) => `${n} encrypted from ${user}`).join(', ')}, no call event in the clear`);
  return lines;
}

async function talk(ground, options = {}) {
  const callId = await connect(ground, options);
  const media = await countMedia(ground.bob, ground.carol);
  await ground.carol.do('hangup');
  await ground.bob.end(callId);
  await ground.carol.entry('the hangup', (e) => e.type === 'm.call.hangup' && e.callId === callId); // her own, back from the homeserver
  return { callId, media };
}

// Another device of a user for one check.
function withDevice({ browser, bed }, user, fields, check) {
  return browser.during(`${user}-2`, bed.matrixPage(), { ...bed.matrixFields(user), tone: 587, ...fields }, check);
}

export const checks = {
  'each device is signed by its user': async ({ bob, carol }) => {
    for (const phone of [bob, carol]) expect((await phone.do('session')).signed, `${phone.name}'s device must be signed`);
  },

  'voice both ways, every event encrypted, no shield': async (ground) => {
    const { callId, media } = await talk(ground);
    return [...(await inspect(ground, callId)), ...mediaLines(media)].join('\n');
  },

  'the same between clients that take signed devices only': async (ground) => {
    for (const phone of [ground.bob, ground.carol]) await phone.do('setOnlySigned', true);
    try {
      const room = await newRoom(ground);
      const { callId, media } = await talk(ground, { room });
      return [...(await inspect(ground, callId, room)), ...mediaLines(media)].join('\n');
    } finally {
      for (const phone of [ground.bob, ground.carol]) await phone.do('setOnlySigned', false);
    }
  },

  'the page says so in words': async (ground) => {
    const { bob, carol } = ground;
    const callId = await connect(ground);
    const words = (phone) => phone.page.locator('#call-security').textContent();
    await bob.until('judging the call', (s) => s.security?.events >= 2 && s.security.encrypted);
    for (const phone of [bob, carol]) expectEqual(await words(phone), 'Encrypted, no warning', `what ${phone.name}'s page says`);
    await bob.do('hangup');
    await carol.end(callId);
    expectEqual(await words(carol), 'Encrypted, no warning', "what carol's page says after the call");
  },

  'the room key rotates within a call': async (ground) => {
    const room = await newRoom(ground, { rotateAfter: 3 });
    const { bob, carol, bed } = ground;
    const callId = await connect(ground, { room });
    for (let i = 0; i < 3; i++) {
      await bob.do('setMuted', true);
      await carol.until('hearing that bob is muted', (s) => s.call?.peerMuted);
      await bob.do('setMuted', false);
      await carol.until('hearing that he is not', (s) => s.call && !s.call.peerMuted);
    }
    await bob.do('hangup');
    await carol.end(callId);
    const events = await requireEncrypted(carol, callId, { from: [bed.userId('bob')] });
    expect(sessionsOf(events, bed.userId('bob')).length >= 3, `bob must have used three room keys or more: ${sessionsOf(events, bed.userId('bob')).length}`);
    return encryptionLine(carol, events);
  },

  'a second device is signed, rings, and reads what comes after it': async (ground) => {
    const callId = await connect(ground);
    return withDevice(ground, 'carol', {}, async (second) => {
      const { signed, deviceId } = await second.do('session');
      expect(signed, 'the second device must be signed');
      expect(deviceId !== (await ground.carol.do('session')).deviceId, 'it must be another device');
      const since = Date.now();
      await ground.bob.do('hangup');
      await ground.carol.end(callId);
      const entry = await second.entry('the hangup', (e) => e.type === 'm.call.hangup' && e.callId === callId);
      expectEqual([entry.wireType, (await unreadable(second, { since })).length], ['m.room.encrypted', 0], "the hangup's wire type, and what the second device cannot read");
      const next = await ground.bob.do('place', ground.room);
      await Promise.all([ground.carol.stage('ringing-in'), second.stage('ringing-in')]);
      await second.do('answer');
      await Promise.all([ground.bob.stage('connected'), second.stage('connected')]);
      await ground.carol.end(next);
      await countMedia(ground.bob, second);
      await ground.bob.do('hangup');
      await second.end(next);
      const events = await requireEncrypted(ground.bob, next, { from: [ground.bed.userId('carol')] });
      expect(devicesOf(events, ground.bed.userId('carol')).includes(deviceId), "the answer must be the second device's");
      return encryptionLine(ground.bob, events);
    });
  },

  'an unsigned device does not ring where only signed ones get keys': async (ground) => {
    const { bob, carol, room } = ground;
    await bob.do('setOnlySigned', true);
    try {
      return await withDevice(ground, 'carol', { sign: 'no' }, async (unsigned) => {
        expectEqual((await unsigned.do('session')).signed, false, 'signed');
        const since = Date.now();
        await bob.do('newRoomKey', room);
        const callId = await bob.do('place', room);
        await carol.stage('ringing-in');
        const refused = await untilUnreadable(unsigned, ['MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE'], { since });
        expectEqual((await unsigned.state()).call, null, "the unsigned device's call");
        await bob.do('hangup');
        await carol.end(callId);
        return `${refused.type} could not be read: ${refused.failure}`;
      });
    } finally {
      await bob.do('setOnlySigned', false);
    }
  },

  'a device that its peer does not trust is told so': async (ground) => {
    const { bob, carol, room } = ground;
    await bob.do('trustVerifiedOnly', true);
    try {
      const since = Date.now();
      await bob.do('newRoomKey', room);
      await bob.do('place', room);
      await untilUnreadable(carol, ['MEGOLM_KEY_WITHHELD_FOR_UNVERIFIED_DEVICE'], { since });
      expectEqual((await carol.state()).call, null, "carol's call");
      await bob.do('hangup');
      await bob.until('having no call', (s) => !s.call);
    } finally {
      await bob.do('trustVerifiedOnly', false);
    }
    const { callId } = await talk(ground);
    return encryptionLine(carol, await requireEncrypted(carol, callId));
  },

  "an unsigned device's call has a red shield, and is refused by a client that takes signed ones only": async (ground) => {
    const { carol, bed } = ground;
    return withDevice(ground, 'bob', { sign: 'no' }, async (unsigned) => {
      const room = await unsigned.do('createDirectRoom', bed.userId('carol'));
      await carol.until('having joined the room', (s) => s.rooms.some((r) => r.roomId === room && r.membership === 'join'));
      await unsigned.until('seeing carol in the room', (s) => s.rooms.some((r) => r.roomId === room && r.joined.length === 2));
      const callId = await unsigned.do('place', room);
      await carol.stage('ringing-in');
      const [invite] = await callEvents(carol, callId);
      expectEqual([invite.shield, invite.shieldReason], ['red', 'UNSIGNED_DEVICE'], "the invite's shield");
      expectEqual(await carol.page.locator('#call-security').textContent(), 'Encrypted, with a warning: sent by a device that its owner has not signed', "what carol's page says");
      await unsigned.do('hangup');
      await carol.end(callId);
      await carol.do('setOnlySigned', true);
      try {
        const since = Date.now();
        await unsigned.do('place', room);
        await untilUnreadable(carol, ['UNSIGNED_SENDER_DEVICE'], { since });
        expectEqual((await carol.state()).call, null, "carol's call");
        await unsigned.do('hangup');
        await unsigned.until('having no call', (s) => !s.call);
      } finally {
        await carol.do('setOnlySigned', false);
      }
    });
  },

  'a room key that never comes, then comes late': async (ground) => {
    const { bob, carol, room } = ground;
    await bob.do('newRoomKey', room);
    const keys = await keepKeysBack(bob);
    const since = Date.now();
    const callId = await bob.do('place', room);
    await untilUnreadable(carol, ['MEGOLM_UNKNOWN_INBOUND_SESSION_ID'], { since });
    expectEqual((await carol.state()).call, null, "carol's call");
    expect(/Could not read \d+ encrypted events/.test(await carol.page.locator('#call-unread').textContent()), "carol's page must say that it could not read something");
    await keys.release();
    await keys.deliver();
    const invite = await carol.entry('the invite, read late', (e) => e.type === 'm.call.invite' && e.callId === callId);
    expectEqual([invite.late, (await unreadable(carol, { since })).length], [true, 0], 'read late, and what is still unread');
    await bob.do('hangup');
    await bob.until('having no call', (s) => !s.call);
    await carol.until('having no call', (s) => !s.call);
    const { callId: next } = await talk(ground);
    return encryptionLine(carol, await requireEncrypted(carol, next));
  },

  'a device that signs in after the room key was made reads what comes later only': async (ground) => {
    const { callId: before } = await talk(ground);
    return withDevice(ground, 'bob', {}, async (late) => {
      const since = Date.now();
      const old = await unreadable(late, { roomId: ground.room });
      expect(old.length > 0, 'events of before it must be unreadable to it');
      expectEqual((await late.entries()).filter((e) => e.callId === before).length, 0, "events of the call before that it can read");
      const { callId } = await talk(ground);
      await late.entry('the hangup', (e) => e.type === 'm.call.hangup' && e.callId === callId);
      expectEqual((await unreadable(late, { since, roomId: ground.room })).length, 0, 'events after it that it cannot read');
      return `${old.length} older events unreadable (${[...new Set(old.map((e) => e.failure))].join(', ')}); ${encryptionLine(late, await requireEncrypted(late, callId))}`;
    });
  },

  'a planted secret is found': async ({ bed, bob, carol }) => {
    const secrets = new Secrets();
    secrets.addBed(bed);
    for (const phone of [bob, carol]) await secrets.addPhone(phone);
    const kinds = new Set([...secrets.values.values()]);
    for (const kind of ['as token', 'hs token', 'admin token', 'alice token', 'access token of a client', 'SDP fingerprint', 'ICE password']) expect(kinds.has(kind), `there must be a secret of the kind "${kind}"`);
    secrets.add('root key', 'q/7VbS9pYk3/Jm1o+w5d8rT2xZ4uE6aN0cH7gF9iLkM=');
    secrets.add('TURN password', 'Zm9v/YmFyK2Jheg==');
    const folder = join(bed.folder, 'planted');
    mkdirSync(folder);
    const clean = secrets.search(folder);
    const note = requireNothing(clean, secrets);
    for (const [value, kind] of secrets.values) {
      const forms = [`"x":"${value}"`, encodeURIComponent(value), value.toLowerCase(), ...(kind === 'SDP fingerprint' ? [value.replaceAll(':', '')] : []), `{"k":"${value.replaceAll('/', '\\/')}"}`];
      for (const form of forms) {
        writeFileSync(join(folder, 'bridge-host.log'), `a line\nanother with ${form} in it\n`);
        expectEqual(secrets.search(folder).findings, [{ where: 'bridge-host.log', line: 2, kind }], `what was found of ${kind}`);
      }
      writeFileSync(join(folder, 'bridge-host.log'), 'a line\n');
      secrets.answers.set('GET /metrics', `# HELP\nx{y="${value}"} 1\n`);
      expectEqual(secrets.search(folder).findings.map((f) => [f.where, f.line]), [['GET /metrics', 2]], `what was found of ${kind} in an answer`);
      secrets.answers.clear();
    }
    return note;
  },
};
