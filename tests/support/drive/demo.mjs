// SPDX-License-Identifier: Apache-2.0
//
// What packaging/demo runs once everything is built. Arguments: --build-dir DIR --pages DIR [--self-check] [--evidence DIR]
// [--port NAME=N]... Normal mode: starts the bed, prints the addresses, waits for Ctrl-C. Self-check: places a call in each
// direction in headless Chromium, in encrypted rooms, and prints each as a ladder with how each event was encrypted, and its RTP
// bytes; exit code 0 only if media flowed both ways in both, and every event of both was encrypted and without a shield.

import { parseArgs } from 'node:util';
import { Bed, eventually } from './bed.mjs';
import { Browser } from './browser.mjs';
import { encryptionLine, requireEncrypted, requireEncryptedRoom } from './encryption.mjs';
import { bridgeLadder } from './ladder.mjs';
import { countMedia, mediaLines } from './media.mjs';

const { values } = parseArgs({
  options: {
    'build-dir': { type: 'string' }, pages: { type: 'string' }, evidence: { type: 'string' },
    'self-check': { type: 'boolean' }, port: { type: 'string', multiple: true, default: [] },
  },
});

const say = (line) => console.log(`demo: ${line}`);
const ports = Object.fromEntries(values.port.map((p) => p.split('=')).map(([name, port]) => [name, Number(port)]));
const bed = new Bed({ kind: 'demo', buildDir: values['build-dir'], pagesDir: values.pages, ports, say });
let browser;

let stopping;
function stop(code, last = 'everything is stopped') {
  stopping ??= (async () => {
    say('stopping what was started');
    await browser?.close().catch(() => {});
    await bed.stop();
    say(last);
    process.exit(code);
  })();
  return stopping;
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal === 'SIGINT' ? 130 : 143));

async function fail(error) {
  if (stopping) return;
  say(`FAILED: ${error.message}`);
  if (browser && values.evidence) {
    await browser.saveEvidence(values.evidence, 'self-check');
    say(`screenshots and wire logs: ${values.evidence}`);
  }
  console.log(bed.tails());
  await stop(1, `FAILED: ${error.message}`);
}

async function forPeople() {
  await bed.start({ users: ['bob', 'carol'] });
  bed.bridge.once('exit', (code, signal) => fail(new Error(`bridge-host ended by itself (${code ?? signal})`)));
  // Both sides know each other from the start: Bob's page accepts the invitation by itself.
  const made = await fetch(`${bed.api}/conversations`, {
    method: 'POST', headers: { Authorization: `Bearer ${bed.tokens.alice}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ matrix_user: bed.userId('bob') }),
  });
  if (!made.ok) throw new Error(`POST /conversations: HTTP ${made.status} ${await made.text()}`);
  const address = (page, fields) => `${page}#${new URLSearchParams(fields)}`;
  console.log(`
Open the first two pages in a browser on this machine (two windows side by side):

  Softphone of Alice, the host's user
    ${address(bed.softphonePage(), bed.softphoneFields())}

  Matrix phone of Bob (${bed.userId('bob')}); Alice is ${bed.ghost} there
    ${address(bed.matrixPage(), bed.matrixFields('bob'))}

Call from either page and answer on the other: each hears the other's tone, or your voice when "Use my microphone" is ticked.
During a call: Mute, Hold, Video, Share screen, Transfer. Rooms are encrypted; Bob's page says so, and whether his client would warn.

  Matrix phone of Carol (${bed.userId('carol')}), for transfers
    ${address(bed.matrixPage(), { ...bed.matrixFields('carol'), tone: 659 })}

  Admin page   ${bed.api}/admin/
       token   ${bed.tokens.admin}
  Logs         ${bed.folder}

Ctrl-C stops everything and removes what was made.
`);
}

// One call: placed by `caller`, answered by `callee`, media counted, ended by the caller. matrix: which of both is the Matrix phone.
async function selfCheckCall(title, matrix, caller, callee, place) {
  say(`calling: ${title}`);
  const since = Date.now();
  await place();
  await callee.stage('ringing-in');
  await callee.do('answer');
  await Promise.all([caller.stage('connected'), callee.stage('connected')]);
  const media = await countMedia(caller, callee);
  await caller.do('hangup');
  const { callId } = await matrix.end();
  await (caller === matrix ? callee : caller).end();
  await eventually('the bridge to have ended the call', async () => {
    const response = await fetch(`${bed.api}/calls`, { headers: { Authorization: `Bearer ${bed.tokens.alice}` } });
    return response.ok && (await response.json()).calls.length === 0;
  });
  await matrix.entry('the hangup', (e) => e.type === 'm.call.hangup' && e.callId === callId);
  return { since, media, callId };
}

async function selfCheck() {
  const watchdog = setTimeout(() => fail(new Error('the self-check did not finish within 3 minutes')), 180000);
  await bed.start();
  say('opening both pages in headless Chromium');
  browser = await Browser.launch();
  const alice = await browser.open('softphone', bed.softphonePage(), bed.softphoneFields());
  const bob = await browser.open('matrix', bed.matrixPage(), bed.matrixFields('bob'));

  const users = [bed.ghost, bed.userId('bob')];
  const report = async (title, roomId, { since, media, callId }) => {
    // The ladder is printed first: it shows which event was not, when one was not encrypted.
    const encrypted = await requireEncrypted(bob, callId, { from: users }).then((events) => encryptionLine(bob, events), (error) => error);
    console.log(`\n${title}`);
    for (const line of await bridgeLadder(alice, bob, since)) console.log(`  ${line}`);
    for (const line of mediaLines(media)) console.log(`  ${line}`);
    if (encrypted instanceof Error) throw encrypted;
    await requireEncryptedRoom({ homeserver: bed.homeserver, token: bed.tokens.as, userId: bed.ghost, roomId }, users);
    console.log(`  encryption ${encrypted}; no call event in the clear in the room`);
    console.log('');
  };

  const fromHost = 'the host calls Matrix (conversation made by the host)';
  const conversation = await alice.do('newContact', bed.userId('bob'));
  await bob.until('having joined the conversation', (s) => s.rooms.some((r) => r.roomId === conversation.room_id && r.membership === 'join'));
  await report(fromHost, conversation.room_id, await selfCheckCall(fromHost, bob, alice, bob, () => alice.do('place', conversation.id)));

  const fromMatrix = 'Matrix calls the host (a new direct room, called at once)';
  const room = await bob.do('createDirectRoom', bed.ghost);
  await report(fromMatrix, room, await selfCheckCall(fromMatrix, bob, bob, alice, () => bob.do('place', room)));

  clearTimeout(watchdog);
  say('SELF-CHECK PASSED: both call directions, media both ways in each, every call event encrypted and without a shield');
  await stop(0);
}

try {
  await (values['self-check'] ? selfCheck() : forPeople());
} catch (error) {
  await fail(error);
}
