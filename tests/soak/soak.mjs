// SPDX-License-Identifier: Apache-2.0
//
// The soak: a real bridge-host under a steady load of calls and messages, between a stand-in homeserver and phones that use the
// call service. Fails if an event is lost or comes twice, if the rate is not reached, if the process grows after its warm-up
// (memory, file descriptors), if its log has a warning or worse, or if it does not end cleanly and empty.

import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join, resolve } from 'node:path';
import { tmpdir } from 'node:os';
import { promisify } from 'node:util';
import { eventually, freePort } from '../support/drive/bed.mjs';
import { Latencies, Watch } from './figures.mjs';
import { StandIn } from './homeserver.mjs';
import { Phone } from './phone.mjs';
import { Ledger, Slot } from './traffic.mjs';

const run = promisify(execFile);
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const options = { seconds: 120, calls: 100, rate: 1000, database: 'sqlite', 'build-dir': 'build/release', growth: 1.1, reach: 0.95, 'call-seconds': 30 };
for (let i = 2; i < process.argv.length; i += 2) options[process.argv[i].slice(2)] = process.argv[i + 1];
for (const name of ['seconds', 'calls', 'rate', 'growth', 'reach', 'call-seconds']) options[name] = Number(options[name]);
const buildDir = resolve(options['build-dir']);
const perUser = 5; // calls of a user at a time
const lag = 40; // seconds of messages that may be under way

// The same calls on every run.
function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

// ---- the bridge

const folder = mkdtempSync(join(tmpdir(), 'voip-soak-'));
const clusterTool = new URL('../support/postgres/cluster', import.meta.url).pathname;
const tokens = { as: randomBytes(16).toString('hex'), hs: randomBytes(16).toString('hex'), admin: randomBytes(16).toString('hex') };
const users = Array.from({ length: Math.ceil(options.calls / perUser) }, (_, i) => ({ id: `user${i}`, token: randomBytes(16).toString('hex') }));
let cluster;
let bridge;

async function writeConfig(ports) {
  let dsn = join(folder, 'bridge.db');
  if (options.database === 'postgresql') {
    cluster = (await run(clusterTool, ['start'])).stdout.trim();
    dsn = `host=${cluster} dbname=postgres user=postgres`;
  }
  const text = (value) => JSON.stringify(String(value));
  const settings = { encrypt_rooms: false, early_devices: false, timeline_megabytes: 8 };
  writeFileSync(join(folder, 'bridge.yaml'), `
homeserver: { url: "http://127.0.0.1:${ports.homeserver}", server_name: test }
appservice: { id: nova, listen: "127.0.0.1:${ports.appservice}", url: "http://127.0.0.1:${ports.appservice}", as_token: ${text(tokens.as)},
              hs_token: ${text(tokens.hs)}, sender_localpart: novabridge, user_prefix: nova_ }
database: { driver: ${options.database}, dsn: ${text(dsn)} }
api: { listen: "127.0.0.1:${ports.api}", allowed_origins: [] }
admin: { token: ${text(tokens.admin)} }
users:
${users.map(({ id, token }) => `  - { id: ${id}, token: ${text(token)}, display_name: ${id} }`).join('\n')}
plugins:
  path: [ ${text(join(buildDir, 'lib/voiphost/plugins'))} ]
  matrixvoip: { ${Object.entries(settings).map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')} }
`, { mode: 0o600 });
}

function startBridge() {
  const log = openSync(join(folder, 'bridge-host.log'), 'a');
  bridge = spawn(join(buildDir, 'bin/bridge-host'), ['--config', join(folder, 'bridge.yaml')], {
    stdio: ['ignore', log, log],
    // Every notice is a line of the log otherwise. What AddressSanitizer keeps of freed memory is no growth of the bridge's.
    env: { ...process.env, QT_MESSAGE_PATTERN: '%{time} %{type} %{category}: %{message}', QT_LOGGING_RULES: 'matrixvoip.calls.info=false',
      ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:quarantine_size_mb=8` },
  });
  closeSync(log);
  bridge.ended = new Promise((done) => bridge.once('exit', (code, signal) => done(signal ?? code)));
}

async function stopBridge() {
  if (!bridge || bridge.exitCode !== null) return bridge?.exitCode;
  bridge.kill('SIGTERM');
  const timer = setTimeout(() => bridge.kill('SIGKILL'), 60000);
  const how = await bridge.ended;
  clearTimeout(timer);
  return how;
}

async function metrics(api) {
  const text = await (await fetch(`${api}/metrics`)).text();
  return new Map(text.split('\n').filter((line) => line && !line.startsWith('#')).map((line) => {
    const space = line.lastIndexOf(' ');
    return [line.slice(0, space), Number(line.slice(space + 1))];
  }));
}

// ---- the run

async function main() {
  const ports = {};
  for (const name of ['homeserver', 'appservice', 'api']) ports[name] = await freePort();
  const api = `http://127.0.0.1:${ports.api}`;
  await writeConfig(ports);
  const latencies = new Latencies();
  const ledger = new Ledger(latencies);
  const byRoom = new Map();
  const homeserver = new StandIn({
    port: ports.homeserver, appservice: `http://127.0.0.1:${ports.appservice}`, token: tokens.hs,
    onSent: (event) => byRoom.get(event.room)?.sent(event) ?? (byRoom.has(event.room) || ledger.fault(`sent to no room of ours: ${event.room}`)),
  });
  await homeserver.open();
  startBridge();
  await eventually('bridge-host to be ready', async () => {
    if (bridge.exitCode !== null) throw Object.assign(new Error('bridge-host ended while starting'), { final: true });
    return (await fetch(`${api}/readyz`)).ok;
  }, 60000);

  const agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
  const random = randomFrom(7);
  const phones = [];
  const slots = [];
  for (const [i, { id, token }] of users.entries()) {
    const byConversation = new Map();
    const phone = new Phone({
      api, user: id, token, agent, onFault: (text) => ledger.fault(text),
      onEvent: (name, data, at) => {
        const slot = byConversation.get(data.conversation_id);
        if (slot) slot.told(name, data, at);
        else ledger.fault(`${id} was told of an unknown conversation: ${name}`);
      },
    });
    phones.push(phone);
    const ghost = `@nova_${id}:test`;
    const mine = [];
    for (let k = 0; k < perUser && slots.length < options.calls; k += 1) {
      const slot = new Slot({
        number: slots.length, phone, ghost, peer: `@peer${slots.length}:test`, room: `!room${slots.length}:test`, homeserver, ledger,
        random: randomFrom(1000 + slots.length), callSeconds: options['call-seconds'],
      });
      byRoom.set(slot.room, slot);
      homeserver.invite(slot.room, slot.peer, ghost);
      slots.push(slot);
      mine.push(slot);
    }
    await eventually(`the rooms of ${id}`, async () => {
      const { conversations } = (await phone.request('/conversations')).json;
      for (const slot of mine) slot.conversation = conversations.find(({ room_id: room, peer }) => room === slot.room && peer === slot.peer)?.id;
      return mine.every(({ conversation }) => conversation);
    }, 60000);
    for (const slot of mine) byConversation.set(slot.conversation, slot);
    await phone.open();
    if (i === 0) console.log(`soak: ${options.calls} calls of ${users.length} users, ${options.rate} messages a second for ${options.seconds} s, ${options.database}, ${options['build-dir']}`);
  }

  const watch = new Watch(bridge.pid);
  const running = [];
  for (const slot of slots) {
    running.push(slot.run().catch((error) => ledger.fault(error.message)));
    await pause(50);
  }
  const lived = () => slots.filter(({ live }) => live).length;
  const setUp = eventually('all calls to be live', () => lived() === slots.length || ledger.faults.length, 60000);
  await setUp.catch((error) => ledger.fault(`${error.message}: ${lived()} are; awaited: ${[...ledger.awaited.keys()].slice(0, 5).join('; ')}`));

  // Open loop: what is due is said whether or not the bridge keeps up, as long as what is under way is bounded.
  const begun = performance.now();
  const from = ledger.messages;
  let next = 0;
  let held = 0;
  let leastLive = slots.length;
  let note = begun + 30000;
  while (performance.now() - begun < options.seconds * 1000 && ledger.faults.length === 0 && bridge.exitCode === null) {
    await pause(5);
    const now = performance.now();
    // What follows by itself (an answer to an offer, the end of a call) is a message, too.
    const due = () => (options.rate * (now - begun)) / 1000 - (ledger.messages - from);
    for (let tries = slots.length; due() >= 1 && tries > 0; tries -= 1) {
      if (ledger.awaited.size > options.rate * lag) {
        held += 1;
        break;
      }
      next = (next + 1) % slots.length;
      if (slots[next].say()) tries = slots.length;
    }
    leastLive = Math.min(leastLive, lived());
    if (now > note) {
      note += 30000;
      const { rss, fds } = watch.samples.at(-1);
      console.log(`soak: ${Math.round((now - begun) / 1000)} s, ${((ledger.messages - from) * 1000 / (now - begun)).toFixed(0)}/s, ${lived()} live, ${ledger.awaited.size} under way, ${(rss / 1024).toFixed(0)} MiB, ${fds} fds`);
    }
  }
  const seconds = (performance.now() - begun) / 1000;
  const rate = (ledger.messages - from) / seconds;
  watch.stop();
  for (const slot of slots) slot.stopping = true;
  const settled = await Promise.race([Promise.all(running).then(() => true), pause(60000).then(() => false)]);
  await pause(1000); // what should not come would come now

  // ---- the verdict
  const wrong = [...ledger.faults];
  if (!settled || ledger.awaited.size) wrong.push(`lost: ${ledger.awaited.size} events, such as ${[...ledger.awaited.keys()].slice(0, 5).join('; ')}`);
  if (rate < options.reach * options.rate) wrong.push(`the rate was not reached: ${rate.toFixed(0)} messages/s`);
  const counted = await metrics(api).catch(() => new Map());
  for (const name of ['matrix_voip_inbox_depth', 'matrix_voip_outbox_depth', 'matrix_voip_calls_active']) {
    if (counted.get(name) !== 0) wrong.push(`${name} is ${counted.get(name)} at the end`);
  }
  const odd = (names) => [...counted].filter(([name, value]) => value > 0 && names.test(name)).map(([name, value]) => `${name} ${value}`);
  wrong.push(...odd(/rejected_events/));
  for (const phone of phones) phone.close();
  agent.destroy();
  const how = await stopBridge();
  if (how !== 0) wrong.push(`bridge-host ended with ${how}`);
  const log = readFileSync(join(folder, 'bridge-host.log'), 'utf8').split('\n');
  const bad = log.filter((line) => /^\S+ (warning|critical|fatal) |ERROR: |runtime error/.test(line));
  for (const line of bad.slice(0, 10)) wrong.push(`log: ${line}`);

  const warmUp = options.seconds >= 1500 ? 660 : options.seconds / 3;
  const { first, second, samples } = watch.halves(warmUp);
  const growth = second.rss / first.rss;
  if (samples < 10) wrong.push('there are too few samples after the warm-up');
  if (growth > options.growth) wrong.push(`memory grows: ${(first.rss / 1024).toFixed(1)} MiB, then ${(second.rss / 1024).toFixed(1)} MiB`);
  if (second.fds > first.fds * 1.05 + 2) wrong.push(`file descriptors grow: ${first.fds.toFixed(1)}, then ${second.fds.toFixed(1)}`);
  await homeserver.close();

  const calls = slots.reduce((sum, slot) => sum + slot.calls, 0);
  console.log(`${rate.toFixed(0)} messages/s over ${seconds.toFixed(0)} s (${ledger.messages} messages, ${calls} calls, never fewer than ${leastLive} answered and talking; ${homeserver.pushed} transactions, ${homeserver.refused} repeated; ${homeserver.repeats} sends repeated; held back ${held} times)`);
  console.log('The homeserver is a stand-in without storage, federation and encryption; rooms are not encrypted.');
  console.log(latencies.table());
  console.log(`  memory ${(first.rss / 1024).toFixed(1)} MiB in the first half after a warm-up of ${warmUp.toFixed(0)} s, ${(second.rss / 1024).toFixed(1)} MiB in the second (${growth.toFixed(3)}); file descriptors ${first.fds.toFixed(1)} and ${second.fds.toFixed(1)}`);
  console.log(`  told that Matrix takes long: ${ledger.slow}; ${odd(/send_errors|refused_batches|duplicates/).join(', ') || 'no error of a send, no batch refused, no repeat'}`);
  for (const line of wrong) console.log(`FAILED: ${line}`);
  return wrong.length === 0;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    bridge?.kill('SIGKILL');
    if (cluster) spawn(clusterTool, ['stop', cluster], { detached: true, stdio: 'ignore' }).unref();
    rmSync(folder, { recursive: true, force: true });
    process.exit(1);
  });
}

let good = false;
try {
  good = await main();
} catch (error) {
  console.log(`FAILED: ${error.stack}`);
} finally {
  await stopBridge();
  if (cluster) await run(clusterTool, ['stop', cluster]).catch((error) => console.log(error.message));
  if (options.out) {
    mkdirSync(options.out, { recursive: true });
    writeFileSync(join(options.out, 'bridge-host.log'), readFileSync(join(folder, 'bridge-host.log')));
  }
  rmSync(folder, { recursive: true, force: true });
}
process.exit(good ? 0 : 1);
