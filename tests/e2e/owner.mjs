// SPDX-License-Identifier: Apache-2.0
//
// Account mode with the account's recovery key: the bridge has its device signed by its owner, so that a client which takes signed
// devices only rings, and shows no shield. The owner has another device, too: it reads all that the bridge's device says and hears.
// And the account's key backup: a client that comes later reads with it what was said before.

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { encryptionLine, requireEncrypted, sessionsOf } from '../support/drive/encryption.mjs';
import { Bed, eventually } from '../support/drive/bed.mjs';
import { Browser } from '../support/drive/browser.mjs';
import { countMedia, mediaLines } from '../support/drive/media.mjs';
import { Secrets, requireNothing } from '../support/drive/secrets.mjs';
import { expect, expectEqual } from './checks.mjs';
import { Ground } from './ground.mjs';

export const family = 'owner';

class AccountBed extends Bed {
  get ghost() {
    return this.userId('alice');
  }
}

// As people are given it: base58 of a header, the key, and a byte that makes the whole even.
function recoveryKey(key) {
  const bytes = Buffer.concat([Buffer.from([0x8b, 0x01]), key]);
  const all = Buffer.concat([bytes, Buffer.from([bytes.reduce((parity, byte) => parity ^ byte, 0)])]);
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let text = '';
  for (let n = BigInt(`0x${all.toString('hex')}`); n > 0n; n /= 58n) text = alphabet[Number(n % 58n)] + text;
  return text.replace(/(.{4})/g, '$1 ').trim();
}

export async function setUp({ pagesDir, buildDir, say, database }) {
  const ground = new Ground();
  const bed = (ground.bed = new AccountBed({ kind: 'e2e', pagesDir, buildDir, say, database }));
  try {
    await bed.start({ bridge: false, users: ['alice', 'bob'] });
    await bed.makeDatabase();
    ground.browser = await Browser.launch();
    // The owner's own client makes the identity and the secret storage.
    ground.owner = await openOwner(ground);
    ground.bob = await ground.browser.open('bob', bed.matrixPage(), { ...bed.matrixFields('bob'), tone: 523, encrypt: 'yes' });
    const key = createHash('sha256').update(`matrix phone, secret storage of ${bed.ghost}: ${bed.passwords.alice}`).digest();
    bed.plugin = { mode: 'client', account: { user: bed.ghost, login: 'password', device_name: 'e2e bridge', key_backup: true } };
    bed.secrets = { account_password: bed.passwords.alice, account_recovery_key: recoveryKey(key) };
    bed.writeBridgeConfig();
    await bed.startBridge();
    ground.alice = await ground.browser.open('alice', bed.softphonePage(), bed.softphoneFields());
    const made = await ground.alice.do('newContact', bed.userId('bob'));
    ground.conversation = made.id;
    ground.room = made.room_id;
    await ground.bob.until('having joined the conversation', (s) => s.rooms.some((r) => r.roomId === made.room_id && r.membership === 'join'));
  } catch (error) {
    if (error.message) error.message += `\n${bed.tails(8)}`;
    await ground.close();
    throw error;
  }
  return ground;
}

function openOwner({ browser, bed }) {
  return browser.open('owner', bed.matrixPage(), { ...bed.matrixFields('alice'), tone: 659 });
}

// While the owner has no other device than the bridge's; a new one comes afterwards.
async function withoutOwner(ground, act) {
  await ground.owner.do('logout');
  await ground.browser.closePhone(ground.owner);
  try {
    return await act();
  } finally {
    ground.owner = await openOwner(ground);
  }
}

// A call from the host, and the sessions that its events were encrypted with: the bridge's, and bob's.
async function said(ground) {
  const ids = await ground.connected('alice');
  await ground.over('alice', ids);
  const events = await requireEncrypted(ground.bob, ids.matrixId, { from: [ground.bed.ghost, ground.bed.userId('bob')] });
  return { ids, events, sessions: sessionsOf(events, ground.bed.ghost), theirs: sessionsOf(events, ground.bed.userId('bob')) };
}

async function checkOf(ground, name) {
  const { body } = await ground.rest('/readyz');
  return body.checks.find((check) => check.name === name);
}

const deviceCheck = (ground) => checkOf(ground, 'device');

// The sessions that the account's key backup has of the conversation's room, as the homeserver shows them to alice.
async function backedUp({ bed, room }) {
  const ask = async (path, options = {}) => (await fetch(`${bed.homeserver}/_matrix/client/v3${path}`, options)).json();
  const { access_token: token } = await ask('/login', {
    method: 'POST', body: JSON.stringify({ type: 'm.login.password', identifier: { type: 'm.id.user', user: 'alice' }, password: bed.passwords.alice, device_id: 'WATCHER' }),
  });
  const headers = { Authorization: `Bearer ${token}` };
  const { version } = await ask('/room_keys/version', { headers });
  return Object.keys((await ask(`/room_keys/keys?version=${version}`, { headers })).rooms[room]?.sessions ?? {});
}

async function talk(ground, from) {
  const { bed, bob } = ground;
  await bob.do('setOnlySigned', true);
  const ids = await ground.connected(from);
  const media = await countMedia(ground.alice, bob);
  await ground.over(from, ids);
  const events = await requireEncrypted(bob, ids.matrixId, { from: [bed.ghost, bed.userId('bob')] });
  return [encryptionLine(bob, events), ...mediaLines(media)].join('\n');
}

export const checks = {
  'the device is signed with the recovery key': async (ground) => {
    await eventually('the device to be signed', async () => (await deviceCheck(ground))?.ok === true);
    const [own, bridge] = await Promise.all([ground.owner.do('session'), deviceCheck(ground)]);
    expectEqual([own.signed, bridge.ok], [true, true], "the owner's device and the bridge's");
  },
  'the host calls a client that takes signed devices only': (ground) => talk(ground, 'alice'),
  'a client that takes signed devices only calls': (ground) => talk(ground, 'bob'),
  'the account has no key backup: the check says so, and none is made': async (ground) => {
    const check = await eventually('the backup to be looked for', () => checkOf(ground, 'key_backup'));
    expectEqual([check.ok, check.required], [false, false], 'the check "key_backup"');
    expect(check.message.includes('no key backup'), `the message: ${check.message}`);
    expectEqual((await ground.rest('/readyz')).status, 200, 'ready without a backup');
  },
  // Nobody but the bridge can have put the call's keys there: the owner's client, which made the backup, is logged out before.
  'a new client of the owner reads with the key backup what the bridge said before': async (ground) => {
    const { bed } = ground;
    const secrets = new Secrets();
    const key = await ground.owner.do('makeKeyBackup');
    for (const form of [key, key.replaceAll('=', '')]) secrets.add('key of the backup', form);
    for (const form of [bed.secrets.account_recovery_key, bed.secrets.account_recovery_key.replaceAll(' ', '')]) secrets.add('recovery key', form);
    const { ids, events, sessions, added, all } = await withoutOwner(ground, async () => {
      await ground.killAndRestart(); // it would look by itself within the hour
      await eventually('the backup to be found', async () => (await checkOf(ground, 'key_backup'))?.ok === true);
      const before = await backedUp(ground);
      const call = await said(ground);
      for (const session of call.sessions) expect(!before.includes(session), 'a session that the owner had');
      const now = await eventually('the sessions to be backed up', async () => {
        const list = await backedUp(ground);
        return call.sessions.every((session) => list.includes(session)) && list;
      });
      return { ...call, added: now.length - before.length, all: now.length };
    });

    const received = () => ground.owner.entries().then((list) => list.filter((entry) => events.some((event) => event.eventId === entry.eventId)));
    await eventually('the new client to have the events', async () => (await received()).length === events.length);
    const blind = (await received()).filter((entry) => entry.from === bed.ghost);
    expect(blind.length > 0 && blind.every((entry) => entry.decrypted === false), 'events that a client without the backup cannot read');
    const imported = await ground.owner.do('restoreKeyBackup');
    expect(imported >= sessions.length, `${imported} keys were restored`);
    await eventually('the new client to read the events', async () => (await received()).every((entry) => entry.decrypted === true && entry.callId === ids.matrixId));
    expect((await received()).some((entry) => entry.from === bed.ghost && entry.type === 'm.call.invite'), 'the invite is among them');

    await secrets.readBridge(bed);
    const clean = requireNothing(secrets.search(bed.folder), secrets);
    return [`${all} sessions of the room in the backup, ${added} of this call; ${imported} restored, ${events.length} events read`, clean].join('\n');
  },
  // The device of the owner's that goes has the bridge make a new session, which only the old version would have taken.
  'the owner makes another backup: it gets what is held, and the old one nothing': async (ground) => {
    await said(ground); // the owner's device has the session
    const before = await backedUp(ground);
    await ground.owner.do('makeKeyBackup');
    return withoutOwner(ground, async () => {
      const { sessions, theirs } = await eventually('a new session', async () => { // once the bridge has heard that the device is gone
        const call = await said(ground);
        return call.sessions.every((session) => !before.includes(session)) && call;
      });
      const check = await eventually('the upload to be refused', async () => ((one) => !one.ok && one)(await checkOf(ground, 'key_backup')));
      expect(check.message.includes('takes nothing'), `the message: ${check.message}`);
      const refused = await backedUp(ground);
      for (const session of sessions) expect(!refused.includes(session), 'a session in a backup that was not looked at');
      await ground.killAndRestart();
      const all = await eventually('what is held to be in the new one', async () => {
        const now = await backedUp(ground);
        return [...sessions, ...theirs].every((session) => now.includes(session)) && now;
      });
      expectEqual((await checkOf(ground, 'key_backup')).ok, true, 'the check "key_backup"');
      return `${all.length} sessions of the room in the new backup, ${before.filter((session) => all.includes(session)).length} of them from the old one`;
    });
  },
  'after a restart nothing is asked of the recovery key any more': async (ground) => {
    ground.bed.secrets.account_recovery_key = recoveryKey(Buffer.alloc(32, 7));
    await ground.bed.stopBridge();
    ground.bed.writeBridgeConfig();
    await ground.bed.startBridge();
    await ground.alice.until('being connected', (s) => s.online);
    const check = await eventually('the device to be looked at', () => deviceCheck(ground));
    // It was signed before: nothing is asked of the key any more.
    expect(check.ok === true, `the device was signed before: ${check.message}`);
    const backup = await eventually('the backup to be looked for', () => checkOf(ground, 'key_backup'));
    expect(!backup.ok && backup.message.includes('account.recovery_key'), `the wrong key opens no backup: ${backup.message}`);
    return talk(ground, 'alice');
  },
  // Another session, without the key. The administrator first sees that the emoji are not the same, then that they are.
  'without the key, the owner verifies the session by emoji': async (ground) => {
    const { bed, owner } = ground;
    const known = new Set(await owner.do('sessionsOfUser'));
    await bed.stopBridge();
    bed.dsn += '.another';
    delete bed.secrets.account_recovery_key;
    rmSync(join(bed.credentials, 'account_recovery_key'));
    bed.writeBridgeConfig();
    const check = await promisify(execFile)(bed.bridgeBinary, ['--config', bed.bridgeConfig, '--check']).catch((error) => error);
    expect(check.code === 1 && `${check.stdout}${check.stderr}`.includes('account.key_backup needs'), `--check of a backup without the key: ${check.stdout}${check.stderr}`);
    delete bed.plugin.account.key_backup;
    bed.writeBridgeConfig();
    await bed.startBridge();
    await ground.alice.until('being connected', (s) => s.online);
    const session = await eventually('the new session', async () => (await owner.do('sessionsOfUser')).find((id) => !known.has(id)));
    await eventually('the bridge to miss the signature', async () => (await deviceCheck(ground))?.ok === false);
    expectEqual(await owner.do('trustOfSession', session), { verified: false, signed: false }, 'the session before');

    const admin = (path, method) => ground.rest(`/admin/api/verifications${path}`, { method, token: bed.tokens.admin });
    const last = async () => (await admin('')).body.verifications.at(-1);
    const compared = async () => {
      await owner.do('verifySession', session);
      const theirs = await eventually('emoji at the owner', async () => ((view) => view?.emoji && view)(await owner.do('verificationView')));
      const ours = await eventually('emoji at the bridge', async () => ((one) => one?.state === 'compare' && one)(await last()));
      expectEqual(ours.emoji.map(({ emoji, name }) => [emoji, name]), theirs.emoji, 'the emoji');
      expectEqual(ours.numbers, [...theirs.numbers], 'the numbers');
      return ours;
    };
    const refused = await compared();
    expectEqual((await ground.rest(`/admin/api/verifications/${refused.id}/confirm`, { method: 'POST' })).status, 403, "the host's user confirming");
    expectEqual((await admin(`/${refused.id}/cancel`, 'POST')).status, 200, 'cancelling');
    const view = await eventually('the owner to hear of it', async () => ((one) => one.phase === 'Cancelled' && one)(await owner.do('verificationView')));
    expectEqual([view.code, (await last()).reason], ['m.mismatched_sas', 'm.mismatched_sas'], 'why it ended');
    expectEqual((await owner.do('trustOfSession', session)).verified, false, 'verified after a no');

    const { id, emoji } = await compared();
    await owner.do('judgeVerification', true);
    expectEqual((await admin(`/${id}/confirm`, 'POST')).status, 200, 'confirming');
    await eventually('both to be done', async () => (await last()).state === 'done' && (await owner.do('verificationView')).phase === 'Done');
    await eventually('the session to be signed', async () => (await deviceCheck(ground))?.ok === true);
    expectEqual(await owner.do('trustOfSession', session), { verified: true, signed: true }, 'the session afterwards');
    expectEqual((await admin(`/${id}/confirm`, 'POST')).status, 409, 'confirming twice');
    return emoji.map((one) => one.name).join(', ');
  },
};
