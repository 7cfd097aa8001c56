// SPDX-License-Identifier: Apache-2.0
//
// The test bed: a private Synapse, bridge-host with its plugin on SQLite, the two pages. Accepts a build folder and the pages'
// folder; gives addresses, tokens and ways to stop, kill and restart each part. Everything of a run lives in one folder under
// the cache, with a note of who owns it, so that a later run can clear up after one that was killed. Listens on loopback only.

import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { servePages } from '../web/serve.mjs';
import { FaultProxy } from './faultproxy.mjs';
import { cleanLeftovers, runsFolder, self, startTime, synapseTool } from './leftovers.mjs';
import { Secrets } from './secrets.mjs';

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));
const clusterTool = join(here, '../postgres/cluster');

// ---- small things

// The wanted port when it is free, otherwise any that is.
export function freePort(wanted = 0) {
  const probe = (port) => new Promise((done) => {
    const server = createServer();
    server.once('error', () => done(null));
    server.listen(port, '127.0.0.1', () => {
      const found = server.address().port;
      server.close(() => done(found));
    });
  });
  return probe(wanted).then((port) => port ?? probe(0));
}

export async function eventually(what, attempt, timeout = 30000) {
  const deadline = Date.now() + timeout;
  let last;
  for (;;) {
    try {
      const value = await attempt();
      if (value) return value;
    } catch (error) {
      last = error;
      if (error.final) throw error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeout} ms for ${what}${last ? ` (${last.message})` : ''}`);
    await new Promise((again) => setTimeout(again, 50));
  }
}

// What the sanitizers print; a build without them prints none of it.
const sanitizerReport = /^.*(?:ERROR: \w+Sanitizer|: runtime error: ).*$/m;

const secret = () => randomBytes(24).toString('hex');

// ---- the bed

export class Bed {
  // turn: the homeserver gives out TURN passwords, of a server that is not there. hosts: the bridged users. proxy: the homeserver
  // reaches the bridge through one that can refuse (`bed.proxy`). log: the bridge's log rules.
  constructor({
    kind, buildDir, pagesDir, say = () => {}, ports = {}, serverName = 'test', keep = false, database = 'sqlite', turn = false,
    hosts = ['alice'], proxy = false, log = null,
  }) {
    Object.assign(this, { kind, say, wantedPorts: ports, serverName, keep, database, hosts, wantsProxy: proxy, log });
    this.buildDir = buildDir && resolve(buildDir);
    this.pagesDir = pagesDir && resolve(pagesDir);
    this.folder = join(runsFolder, `${kind}-${Date.now().toString(36)}-${randomBytes(3).toString('hex')}`);
    mkdirSync(this.folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.folder, 'owner.json'), JSON.stringify(self()));
    this.children = [];
    this.tokens = { as: secret(), hs: secret(), admin: secret(), ...Object.fromEntries(hosts.map((host) => [host, secret()])) };
    this.passwords = Object.fromEntries(['bob', 'carol', 'alice'].map((user) => [user, randomBytes(9).toString('base64url')]));
    this.turnSecret = turn ? secret() : null;
    this.plugin = {};
    this.findings = []; // of a bridge that did not end as it should: told when everything is stopped
    this.secrets = {}; // more files for the credentials directory
    this.env = {}; // for the bridge
    this.patience = 30000; // with its start
    // Where the bridge finds the homeserver, and where it listens. (What is more than loopback is between namespaces of ours.)
    this.addresses = { homeserver: '127.0.0.1', appservice: '127.0.0.1', api: '127.0.0.1' };
  }

  async choosePorts() {
    const wanted = { homeserver: 8008, appservice: 9009, api: 9010, pages: 8090, ...(this.wantsProxy ? { proxy: 9011 } : {}), ...this.wantedPorts };
    this.ports = {};
    for (const [name, port] of Object.entries(wanted)) {
      let found = await freePort(port);
      if (Object.values(this.ports).includes(found)) found = await freePort();
      if (this.wantedPorts[name] && found !== this.wantedPorts[name]) throw new Error(`port ${port} is in use`);
      this.ports[name] = found;
    }
    this.homeserver = `http://127.0.0.1:${this.ports.homeserver}`;
    this.api = `http://${this.addresses.api}:${this.ports.api}`;
  }

  userId(localpart) {
    return `@${localpart}:${this.serverName}`;
  }

  get ghost() {
    return this.ghostOf('alice');
  }

  ghostOf(host) {
    return this.userId(`nova_${host}`);
  }

  // -- Synapse

  get synapseFolder() {
    return join(this.folder, 'synapse');
  }

  async startSynapse() {
    const args = ['start', '--dir', this.synapseFolder, '--port', String(this.ports.homeserver), '--server-name', this.serverName, '--lift-rate-limits'];
    if (this.synapseExtra) {
      const file = join(this.folder, 'synapse-extra.yaml');
      writeFileSync(file, this.synapseExtra);
      args.push('--extra', file);
    }
    if (this.addresses.homeserver !== '127.0.0.1') args.push('--bind', this.addresses.homeserver);
    if (this.registration) args.push('--registration', this.registration);
    if (this.turnSecret) args.push('--turn-uri', 'turn:127.0.0.1:9?transport=udp', '--turn-secret', this.turnSecret);
    await this.tool(args);
    this.synapsePid = Number((await this.tool(['pid', '--dir', this.synapseFolder])).trim());
  }

  async addUser(name) {
    this.passwords[name] ??= randomBytes(9).toString('base64url');
    await this.tool(['add-user', '--dir', this.synapseFolder, '--user', name, '--password', this.passwords[name]]);
  }

  async stopSynapse() {
    await this.tool(['stop', '--dir', this.synapseFolder, '--keep']);
  }

  async synapseRuns() {
    return this.tool(['pid', '--dir', this.synapseFolder]).then(() => true, () => false);
  }

  bridgeRuns() {
    return Boolean(this.bridge?.pid) && this.bridge.exitCode === null && this.bridge.signalCode === null;
  }

  pauseSynapse() {
    process.kill(this.synapsePid, 'SIGSTOP');
  }

  resumeSynapse() {
    process.kill(this.synapsePid, 'SIGCONT');
  }

  async tool(args) {
    try {
      return (await run(synapseTool, args)).stdout;
    } catch (error) {
      throw new Error(`synapse ${args[0]} failed: ${(error.stderr || error.message).trim()}`);
    }
  }

  // -- bridge-host

  async makeDatabase() {
    if (this.database === 'sqlite') {
      this.dsn = join(this.folder, 'bridge.db');
      return;
    }
    this.say('starting PostgreSQL');
    this.cluster = (await run(clusterTool, ['start'])).stdout.trim();
    this.dsn = `host=${this.cluster} dbname=postgres user=postgres`;
  }

  async removeDatabase() {
    if (this.cluster) await run(clusterTool, ['stop', this.cluster]);
  }

  // The database goes away under a running bridge, and comes back as it was: SQLite's file is moved aside, PostgreSQL freezes.
  async takeDatabaseAway() {
    if (this.database === 'sqlite') renameSync(this.dsn, `${this.dsn}.aside`);
    else await this.signalCluster('STOP');
  }

  async giveDatabaseBack() {
    if (this.database === 'sqlite') renameSync(`${this.dsn}.aside`, this.dsn);
    else await this.signalCluster('CONT');
  }

  async signalCluster(signal) {
    const postmaster = readFileSync(join(this.cluster, 'data/postmaster.pid'), 'utf8').split('\n')[0];
    const children = (await run('pgrep', ['-P', postmaster])).stdout.split('\n').filter(Boolean);
    for (const pid of [postmaster, ...children]) process.kill(Number(pid), `SIG${signal}`);
  }

  writeBridgeConfig() {
    const text = (value) => JSON.stringify(String(value));
    this.credentials = join(this.folder, 'credentials');
    mkdirSync(this.credentials, { recursive: true, mode: 0o700 });
    const files = { as_token: this.tokens.as, hs_token: this.tokens.hs, admin_token: this.tokens.admin, ...this.secrets };
    for (const [name, value] of Object.entries(files)) writeFileSync(join(this.credentials, name), value, { mode: 0o600 });
    const rootKey = join(this.credentials, 'root_key');
    if (!existsSync(rootKey)) writeFileSync(rootKey, randomBytes(32).toString('base64'), { mode: 0o600 });
    this.bridgeConfig = join(this.folder, 'bridge.yaml');
    const plugin = { enabled: true, rollout_percent: 100, mode: 'appservice', ...this.plugin };
    const appservice = `appservice:
  id: nova
  listen: "${this.addresses.appservice}:${this.ports.appservice}"
  url: "http://${this.wantsProxy ? '127.0.0.1' : this.addresses.appservice}:${this.ports.proxy ?? this.ports.appservice}"
  as_token: ${text(this.tokens.as)}
  hs_token: ${text(this.tokens.hs)}
  sender_localpart: novabridge
  user_prefix: nova_
`;
    writeFileSync(this.bridgeConfig, `# written for this run only
homeserver: { url: ${text(`http://${this.addresses.homeserver}:${this.ports.homeserver}`)}, server_name: ${text(this.serverName)} }
${plugin.mode === 'client' ? '' : appservice}database: { driver: ${this.database}, dsn: ${text(this.dsn)} }
secrets: { provider: credentials-directory, path: ${text(this.credentials)} }
api: { listen: "${this.addresses.api}:${this.ports.api}", allowed_origins: [ ${this.pagesAddress ? text(this.pagesAddress) : ''} ] }
admin: { token: ${text(this.tokens.admin)} }
users:
${this.hosts.map((host) => `  - { id: ${host}, token: ${text(this.tokens[host])}, display_name: ${text(host[0].toUpperCase() + host.slice(1))} }`).join('\n')}
plugins:
  path: [ ${text(join(this.buildDir, 'lib/voiphost/plugins'))} ]
  matrixvoip: { ${Object.entries(plugin).map(([key, value]) => `${key}: ${JSON.stringify(value)}`).join(', ')} }
`, { mode: 0o600 });
  }

  get bridgeBinary() {
    return join(this.buildDir, 'bin/bridge-host');
  }

  bridgeCommand() {
    return [this.bridgeBinary, '--config', this.bridgeConfig];
  }

  async makeRegistration() {
    if (!existsSync(this.bridgeBinary)) throw new Error(`${this.bridgeBinary} is not there: build first`);
    this.registration = join(this.folder, 'registration.yaml');
    try {
      await run(this.bridgeBinary, ['--config', this.bridgeConfig, '--generate-registration', this.registration]);
    } catch (error) {
      throw new Error(`bridge-host --generate-registration failed: ${(error.stderr || error.stdout || error.message).trim()}`);
    }
  }

  async startBridge({ wait = true } = {}) {
    const log = join(this.folder, 'bridge-host.log');
    const before = existsSync(log) ? statSync(log).size : 0;
    const [command, ...args] = this.bridgeCommand();
    this.bridge = this.spawn('bridge-host', command, args);
    this.bridge.on('exit', (code, signal) => this.ended(code, signal, readFileSync(log).subarray(before).toString()));
    if (wait) await this.bridgeReady();
  }

  async bridgeReady() {
    await eventually('bridge-host to be ready (GET /readyz)', async () => {
      if (!this.bridgeRuns()) {
        throw Object.assign(new Error(`bridge-host ended while starting (${this.bridge.exitCode ?? this.bridge.signalCode})`), { final: true });
      }
      return (await fetch(`${this.api}/readyz`)).ok;
    }, this.patience);
  }

  // 0, or 1 with a message, or killed by us. A leak at the end, or anything else that a sanitizer finds, is looked for in what
  // it said, too: its exit code may be 1 as well.
  ended(code, signal, said) {
    const report = said.match(sanitizerReport)?.[0];
    if (report) this.findings.push(`bridge-host: ${report.trim()}`);
    else if (code === null ? signal !== 'SIGKILL' : code > 1) this.findings.push(`bridge-host ended with ${code ?? signal}`);
  }

  // Asked twice it does not wait for live calls any more; then it has to end by itself, for only so are leaks looked for.
  async stopBridge(signal = 'SIGTERM') {
    const again = setTimeout(() => this.bridge.kill(signal), 8000);
    await this.end(this.bridge, signal, 60000);
    clearTimeout(again);
  }

  // -- processes

  spawn(name, command, args) {
    const log = openSync(join(this.folder, `${name}.log`), 'a');
    // A group of its own: Ctrl-C reaches us only, and we stop things in order.
    const env = { ...process.env, ...this.env, ...(this.log ? { QT_LOGGING_RULES: this.log } : {}) };
    const child = spawn(command, args, { cwd: this.folder, detached: true, stdio: ['ignore', log, log], env });
    closeSync(log);
    child.on('error', (error) => this.say(`${name} could not be started: ${error.message}`));
    this.children.push(child);
    this.noteChildren();
    return child;
  }

  noteChildren() {
    const { namespace } = self();
    const alive = this.children.filter((c) => c.pid && c.exitCode === null && c.signalCode === null);
    writeFileSync(join(this.folder, 'children.json'), JSON.stringify(alive.map((c) => ({ pid: c.pid, start: startTime(c.pid), namespace }))));
  }

  async end(child, signal = 'SIGTERM', timeout = 15000) {
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((done) => child.once('exit', done));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    await gone;
    clearTimeout(timer);
    this.noteChildren();
  }

  // -- all of it

  async start({ bridge = true, users = ['bob'] } = {}) {
    await this.choosePorts();
    if (this.pagesDir) {
      this.pages = await servePages(this.pagesDir, this.ports.pages);
      this.pagesAddress = this.pages.address;
    }
    if (this.wantsProxy) this.proxy = await FaultProxy.listen({ port: this.ports.proxy, target: this.ports.appservice });
    if (bridge) {
      await this.makeDatabase();
      this.say('writing the configuration and the appservice registration');
      this.writeBridgeConfig();
      await this.makeRegistration();
    }
    this.say('starting Synapse');
    await this.startSynapse();
    for (const user of users) await this.addUser(user);
    if (bridge) {
      this.say('starting bridge-host');
      await this.startBridge();
    }
  }

  async stop() {
    if (this.bridge) await this.stopBridge().catch((error) => this.say(error.message));
    for (const child of [...this.children].reverse()) await this.end(child).catch((error) => this.say(error.message));
    if (existsSync(this.synapseFolder)) await this.tool(['stop', '--dir', this.synapseFolder, ...(this.keep ? ['--keep'] : [])]).catch((error) => this.say(error.message));
    await this.pages?.close();
    await this.proxy?.close();
    await this.removeDatabase().catch((error) => this.say(error.message));
    if (existsSync(this.folder)) this.searchForSecrets();
    if (!this.keep) rmSync(this.folder, { recursive: true, force: true });
    if (this.findings.length) throw new Error(this.findings.join('; '));
  }

  // Whatever was tried: no token and no password of it stands in what was written.
  searchForSecrets() {
    const secrets = new Secrets();
    secrets.addBed(this);
    for (const { where, line, kind } of secrets.search(this.folder).findings) this.findings.push(`a secret was written: ${kind} in ${where}, line ${line}`);
  }

  matrixPage() {
    return `${this.pagesAddress}/matrix/`;
  }

  softphonePage() {
    return `${this.pagesAddress}/softphone/`;
  }

  matrixFields(user) {
    return { homeserver: this.homeserver, user, password: this.passwords[user] };
  }

  softphoneFields() {
    return { api: this.api, token: this.tokens.alice };
  }

  // The last lines of each part's log, for the one who has to find out. Synapse talks a lot: only what it warns of.
  tails(lines = 15) {
    const files = [['Synapse', join(this.synapseFolder, 'homeserver.log'), / (WARNING|ERROR|CRITICAL) /], ['bridge-host', join(this.folder, 'bridge-host.log'), /./]];
    return files.filter(([, path]) => existsSync(path)).map(([name, path, worth]) => {
      const tail = readFileSync(path, 'utf8').split('\n').filter((line) => worth.test(line)).slice(-lines);
      return `--- last lines of ${name}${name === 'Synapse' ? ' (warnings and errors)' : ''}\n${tail.join('\n') || '(none)'}`;
    }).join('\n');
  }
}

// node bed.mjs clean [KIND] [--live]
if (process.argv[1] === fileURLToPath(import.meta.url) && process.argv[2] === 'clean') {
  const kind = process.argv.slice(3).find((a) => !a.startsWith('--'));
  await cleanLeftovers({ kind, live: process.argv.includes('--live'), say: (line) => console.error(line) });
}
