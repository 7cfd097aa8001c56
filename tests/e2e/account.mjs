// SPDX-License-Identifier: Apache-2.0
//
// Account mode: the bridge is the ordinary account @alice:test, without any registration at the homeserver. The checks go
// through its life in order: token, password, SSO over a CAS stand-in, and how each session ends. Tokens that can be renewed
// live for 15 seconds at this homeserver.

import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { startCas } from '../support/cas/cas.mjs';
import { Bed, eventually } from '../support/drive/bed.mjs';
import { Browser } from '../support/drive/browser.mjs';
import { countMedia, mediaLines } from '../support/drive/media.mjs';
import { expect, expectEqual } from './checks.mjs';
import { Ground } from './ground.mjs';

const run = promisify(execFile);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));
const lifetimeMs = 15000;
const deviceName = 'e2e bridge';

export const family = 'account';

class AccountBed extends Bed {
  get ghost() {
    return this.userId('alice');
  }
}

class AccountGround extends Ground {
  async close() {
    await super.close();
    await this.cas?.close();
  }

  async refresh() {
    if (this.bed.bridgeRuns()) await super.refresh();
  }

  async matrix(path, { method = 'GET', body, token } = {}) {
    const response = await fetch(`${this.bed.homeserver}/_matrix/client/v3${path}`, {
      method, headers: { ...(token ? { Authorization: `Bearer ${token}` } : {}), 'Content-Type': 'application/json' }, body: body && JSON.stringify(body),
    });
    return { status: response.status, body: await response.json().catch(() => null) };
  }

  // A session of a user's own, beside the bridge's.
  async login(user, extra = {}) {
    const { status, body } = await this.matrix('/login', {
      method: 'POST', body: { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password: this.bed.passwords[user], ...extra },
    });
    expectEqual(status, 200, `${user}'s login`);
    return body;
  }

  // The bridge's sessions as alice sees them in her list.
  async bridgeDevices() {
    this.watcher ??= await this.login('alice', { initial_device_display_name: 'watcher' });
    const { status, body } = await this.matrix('/devices', { token: this.watcher.access_token });
    if (status === 401) {
      this.watcher = undefined;
      return this.bridgeDevices();
    }
    return body.devices.filter((device) => device.display_name === deviceName).map((device) => device.device_id).sort();
  }

  configure(login, secrets = {}) {
    this.bed.plugin = { mode: 'client', account: { user: this.bed.ghost, login, device_name: deviceName } };
    this.bed.secrets = secrets;
    this.bed.writeBridgeConfig();
  }

  async control(...args) {
    return run(this.bed.bridgeBinary, ['--config', this.bed.bridgeConfig, ...args], { timeout: 60000 }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }), (error) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }));
  }

  // The address that --login asks somebody to open, and the process that waits for them.
  async beginSso() {
    const child = spawn(this.bed.bridgeBinary, ['--config', this.bed.bridgeConfig, '--login'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((done) => child.once('exit', done));
    let said = '';
    child.stderr.on('data', (bytes) => { said += bytes; });
    const address = await new Promise((found, failed) => {
      createInterface({ input: child.stdout }).on('line', (line) => { said += `${line}\n`; if (line.startsWith('http')) found(line); });
      child.once('exit', (code) => failed(new Error(`--login ended with ${code}: ${said}`)));
    });
    return { address, ended, said: () => said };
  }

  // As a browser goes: through every redirect, and the homeserver's page that asks whether this client is trusted.
  async walkSso(address) {
    const cookies = new Map();
    let url = address;
    for (let step = 0; step < 10; step++) {
      const response = await fetch(url, { redirect: 'manual', headers: { Cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join('; ') } });
      for (const cookie of response.headers.getSetCookie()) {
        const [name, ...value] = cookie.split(';')[0].split('=');
        cookies.set(name, value.join('='));
      }
      const next = response.headers.get('location');
      if (next) {
        url = new URL(next, url).href;
      } else {
        const link = (await response.text()).match(/href="(http:\/\/127\.0\.0\.1:\d+\/callback[^"]*)"/);
        if (!link) throw new Error(`the way of SSO ends at ${new URL(url).pathname} with ${response.status}`);
        url = link[1].replaceAll('&amp;', '&');
      }
      if (new URL(url).pathname === '/callback') return url;
    }
    throw new Error('SSO goes round and round');
  }

  async startAndMeet() {
    await this.bed.startBridge();
    await this.alice.until('being connected', (s) => s.online);
    await eventually('the conversation to be known', async () => (await this.rest('/conversations')).body?.conversations?.some((c) => c.id === this.conversation));
  }

  async checkOf(name) {
    const { body } = await this.rest('/readyz');
    return body.checks.find((check) => check.name === name);
  }

  async talk(from) {
    const ids = await this.connected(from);
    const media = await countMedia(this.alice, this.bob);
    await this.over(from, ids);
    return mediaLines(media).join('\n');
  }
}

export async function setUp({ pagesDir, buildDir, say, database }) {
  const ground = new AccountGround();
  ground.bed = new AccountBed({ kind: 'e2e', pagesDir, buildDir, say, database });
  const { bed } = ground;
  try {
    ground.cas = await startCas({ user: 'alice' });
    bed.synapseExtra = `cas_config: { enabled: true, server_url: "${ground.cas.url}" }\nrefreshable_access_token_lifetime: ${lifetimeMs / 1000}s\n`;
    await bed.start({ bridge: false, users: ['alice', 'bob'] });
    await bed.makeDatabase();
    ground.given = await ground.login('alice', { initial_device_display_name: deviceName });
    ground.configure('token', { account_token: ground.given.access_token });
    await bed.startBridge();
    ground.browser = await Browser.launch();
    ground.alice = await ground.browser.open('alice', bed.softphonePage(), bed.softphoneFields());
    ground.bob = await ground.browser.open('bob', bed.matrixPage(), { ...bed.matrixFields('bob'), tone: 523 });
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

export const checks = {
  'token: the host calls': (ground) => ground.talk('alice'),
  'token: Matrix calls': (ground) => ground.talk('bob'),

  'token: invited to a new direct room and called at once': async (ground) => {
    const room = await ground.bob.do('createDirectRoom', ground.bed.ghost);
    const ids = await ground.matrixRings({ room });
    await ground.answered(ground.alice);
    await countMedia(ground.alice, ground.bob);
    await ground.over('bob', ids);
  },

  'token: a group that alice is invited to is left alone': async (ground) => {
    const { access_token: token } = await ground.login('bob');
    const { body } = await ground.matrix('/createRoom', { method: 'POST', token, body: { preset: 'private_chat', invite: [ground.bed.ghost] } });
    await sleep(2000);
    const { body: member } = await ground.matrix(`/rooms/${body.room_id}/state/m.room.member/${ground.bed.ghost}`, { token });
    expectEqual(member.membership, 'invite', "alice's membership");
  },

  'token: the same device after a restart, and no token in the database': async (ground) => {
    const before = await ground.bridgeDevices();
    expectEqual(before, [ground.given.device_id], 'the devices of the bridge');
    await ground.bed.stopBridge();
    for (const file of [ground.bed.dsn, `${ground.bed.dsn}-wal`]) {
      if (ground.bed.database === 'sqlite' && existsSync(file)) expect(!readFileSync(file).includes(ground.given.access_token), `${file} holds the token in clear`);
    }
    expect(!ground.bed.tails(10000).includes(ground.given.access_token), 'a log holds the token');
    await ground.startAndMeet();
    expectEqual(await ground.bridgeDevices(), before, 'the devices after the restart');
    await ground.talk('bob');
  },

  'token: more was said than fits one answer while the bridge was down, and a call still rings': async (ground) => {
    const { access_token: token } = await ground.login('bob');
    const say = async (name) => {
      const { status } = await ground.matrix(`/rooms/${ground.room}/send/m.call.candidates/${name}`, {
        method: 'PUT', token, body: { call_id: `other-${name}`, version: '1', party_id: 'gap', candidates: [{ candidate: '', sdpMid: '0', sdpMLineIndex: 0 }] },
      });
      expectEqual(status, 200, 'sending an event');
    };
    await ground.bed.stopBridge();
    // Synapse goes on with the poll that was cut and gives its answer to the next one from the same place: so that answer must
    // not be the one with the invite.
    await say('first');
    await sleep(1000);
    const matrixId = await ground.bob.do('place', ground.room);
    await ground.arrives('m.call.invite', ground.bed.userId('bob'), matrixId); // it is in the room before the others
    for (let i = 0; i < 45; i++) await say(`gap${i}`);
    const { body: last } = await ground.matrix(`/rooms/${ground.room}/messages?dir=b&limit=40`, { token });
    expect(!last.chunk.some((event) => event.type === 'm.call.invite'), 'the invite is out of reach of one answer');
    await ground.bed.startBridge();
    const { call } = await ground.alice.stage('ringing-in');
    await ground.answered(ground.alice);
    await countMedia(ground.alice, ground.bob);
    await ground.over('bob', { hostId: call.id, matrixId });
  },

  'token: --logout ends the session at the homeserver, and the token is refused afterwards': async (ground) => {
    await ground.bed.stopBridge();
    const out = await ground.control('--logout');
    expectEqual(out.code, 0, `--logout (${out.stderr})`);
    expectEqual(await ground.bridgeDevices(), [], 'the devices of the bridge');
    const again = await ground.control();
    expectEqual(again.code, 1, 'the exit code of a start with the dead token');
    expect(again.stderr.includes('refused the login'), `the message: ${again.stderr}`);
    expectEqual((await ground.control('--logout')).code, 1, 'a second --logout');
  },

  'password: logs in by itself, and both can call': async (ground) => {
    ground.configure('password', { account_password: 'not the password' });
    const wrong = await ground.control();
    expectEqual(wrong.code, 1, 'the exit code with a wrong password');
    expect(wrong.stderr.includes('M_FORBIDDEN') && !wrong.stderr.includes('not the password'), `the message: ${wrong.stderr}`);
    ground.configure('password', { account_password: ground.bed.passwords.alice });
    await ground.startAndMeet();
    expectEqual((await ground.bridgeDevices()).length, 1, 'devices of the bridge');
    await ground.talk('alice');
    await ground.talk('bob');
  },

  'password: the token is renewed while it runs': async (ground) => {
    const before = await ground.bridgeDevices();
    await sleep(2 * lifetimeMs);
    expectEqual((await ground.checkOf('account')).ok, true, 'the check "account"');
    await ground.talk('bob');
    expectEqual(await ground.bridgeDevices(), before, 'the devices');
  },

  'password: logged out elsewhere: it says so, and rests': async (ground) => {
    const { access_token: token } = await ground.login('alice');
    await ground.matrix('/logout/all', { method: 'POST', token });
    const check = await eventually('the check "account" to fail', async () => {
      const found = await ground.checkOf('account');
      return found.ok ? null : found;
    });
    expect(check.advice.includes('--login'), `the advice: ${check.advice}`);
    await sleep(3000);
    expectEqual(await ground.bridgeDevices(), [], 'the devices: nothing logs in again by itself');
    await ground.bed.stopBridge();
    const again = await ground.control();
    expectEqual(again.code, 1, 'the exit code of the next start');
    expect(again.stderr.includes('--login'), `the message: ${again.stderr}`);
    expectEqual((await ground.control('--login')).code, 0, '--login');
    await ground.startAndMeet();
    await ground.talk('bob');
    await ground.bed.stopBridge();
    expectEqual((await ground.control('--logout')).code, 0, '--logout');
  },

  'sso: through the homeserver and the identity provider': async (ground) => {
    ground.configure('sso');
    const none = await ground.control();
    expectEqual(none.code, 1, 'the exit code without a session');
    expect(none.stderr.includes('--login'), `the message: ${none.stderr}`);

    const login = await ground.beginSso();
    const callback = new URL(await ground.walkSso(login.address));
    expectEqual(ground.cas.made, 1, 'tickets of the identity provider');
    const forged = new URL(callback);
    forged.searchParams.set('state', '0'.repeat(64));
    expectEqual((await fetch(forged)).status, 403, 'another state');
    const empty = new URL(callback);
    empty.searchParams.delete('loginToken');
    expectEqual((await fetch(empty)).status, 400, 'no loginToken');
    expectEqual((await fetch(callback, { method: 'POST' })).status, 405, 'a POST');
    const page = await fetch(callback);
    expectEqual(page.status, 200, 'the callback page');
    const html = await page.text();
    expect(html.includes(ground.bed.ghost) && html.includes('name="viewport"') && !html.includes(callback.searchParams.get('loginToken')), 'what the page says');
    const second = await fetch(callback).then((r) => r.status, () => 403);
    expectEqual(second, 403, 'the second use');
    expectEqual(await login.ended, 0, `the exit code (${login.said()})`);
    expect(!login.said().includes(callback.searchParams.get('loginToken')), 'the loginToken is not printed');

    await ground.startAndMeet();
    expectEqual((await ground.bridgeDevices()).length, 1, 'devices of the bridge');
    await ground.talk('alice');
  },

  'sso: a soft logout while the bridge was down is mended with the same device': async (ground) => {
    const before = await ground.bridgeDevices();
    await ground.bed.stopBridge('SIGKILL');
    await sleep(lifetimeMs + 2000);
    await ground.startAndMeet();
    await eventually('the session to be renewed', async () => (await ground.checkOf('account')).ok && (await ground.checkOf('sync')).ok);
    await ground.talk('bob');
    expectEqual(await ground.bridgeDevices(), before, 'the devices');
  },

  'sso: --logout with a token that has run out': async (ground) => {
    await ground.bed.stopBridge();
    await sleep(lifetimeMs + 2000);
    const out = await ground.control('--logout');
    expectEqual(out.code, 0, `--logout (${out.stderr})`);
    expectEqual(await ground.bridgeDevices(), [], 'the devices of the bridge');
  },
};
