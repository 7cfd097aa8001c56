// SPDX-License-Identifier: Apache-2.0
//
// Account mode with the account's recovery key: the bridge has its device signed by its owner, so that a client which takes signed
// devices only rings, and shows no shield. The owner has another device, too: it reads all that the bridge's device says and hears.

import { createHash } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { encryptionLine, requireEncrypted } from '../support/drive/encryption.mjs';
import { Bed, eventually } from '../support/drive/bed.mjs';
import { Browser } from '../support/drive/browser.mjs';
import { countMedia, mediaLines } from '../support/drive/media.mjs';
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
    ground.owner = await ground.browser.open('owner', bed.matrixPage(), { ...bed.matrixFields('alice'), tone: 659 });
    ground.bob = await ground.browser.open('bob', bed.matrixPage(), { ...bed.matrixFields('bob'), tone: 523, encrypt: 'yes' });
    const key = createHash('sha256').update(`matrix phone, secret storage of ${bed.ghost}: ${bed.passwords.alice}`).digest();
    bed.plugin = { mode: 'client', account: { user: bed.ghost, login: 'password', device_name: 'e2e bridge' } };
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

async function deviceCheck(ground) {
  const { body } = await ground.rest('/readyz');
  return body.checks.find((check) => check.name === 'device');
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
  'after a restart nothing is asked of the recovery key any more': async (ground) => {
    ground.bed.secrets.account_recovery_key = recoveryKey(Buffer.alloc(32, 7));
    await ground.bed.stopBridge();
    ground.bed.writeBridgeConfig();
    await ground.bed.startBridge();
    await ground.alice.until('being connected', (s) => s.online);
    const check = await eventually('the device to be looked at', () => deviceCheck(ground));
    // It was signed before: nothing is asked of the key any more.
    expect(check.ok === true, `the device was signed before: ${check.message}`);
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
