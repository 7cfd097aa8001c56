// SPDX-License-Identifier: Apache-2.0
//
// A network namespace for one process, and links between it and ours that can be cut so that packets vanish without a word: their
// frames go to a station that is not there. Only inside tests/support/netns, where it can harm nobody; ends with it.

import { execFile, spawn } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { eventually } from './bed.mjs';

const run = promisify(execFile);
const nobody = '02:00:00:00:00:01';

export class Links {
  // names: of the links, at most 8 letters each. Addresses: `near(name)` is ours, `far(name)` the other side's.
  static async open(names) {
    if (Object.values(networkInterfaces()).flat().some((address) => !address.internal)) throw new Error('this is not the namespace of the tests');
    const links = new Links();
    links.names = names;
    links.holder = spawn('unshare', ['--net', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
    links.holder.unref();
    const namespace = (pid) => readlinkSync(`/proc/${pid}/ns/net`);
    await eventually('the second namespace', () => namespace(links.holder.pid) !== namespace('self'));
    await links.#there('ip', 'link', 'set', 'lo', 'up');
    for (const name of names) {
      const [here, there] = links.#ends(name);
      await run('ip', ['link', 'add', here, 'type', 'veth', 'peer', 'name', there, 'netns', String(links.holder.pid)]);
      await run('ip', ['addr', 'add', `${links.near(name)}/30`, 'dev', here]);
      await run('ip', ['link', 'set', here, 'up']);
      await links.#there('ip', 'addr', 'add', `${links.far(name)}/30`, 'dev', there);
      await links.#there('ip', 'link', 'set', there, 'up');
    }
    return links;
  }

  near(name) {
    return `10.77.${this.names.indexOf(name)}.1`;
  }

  far(name) {
    return `10.77.${this.names.indexOf(name)}.2`;
  }

  #ends(name) {
    return [`${name}-near`, `${name}-far`];
  }

  // A command as it has to be run to be on the other side; its process id stays that of what is started.
  command(...command) {
    return ['nsenter', '-t', String(this.holder.pid), '-n', '--', ...command];
  }

  #there(...command) {
    const [program, ...args] = this.command(...command);
    return run(program, args);
  }

  async cut(name) {
    const [here, there] = this.#ends(name);
    const away = (address, end) => ['ip', 'neigh', 'replace', address, 'lladdr', nobody, 'dev', end, 'nud', 'permanent'];
    await Promise.all([run('ip', away(this.far(name), here).slice(1)), this.#there(...away(this.near(name), there))]);
  }

  async mend(name) {
    const [here, there] = this.#ends(name);
    await Promise.all([run('ip', ['neigh', 'del', this.far(name), 'dev', here]), this.#there('ip', 'neigh', 'del', this.near(name), 'dev', there)]);
  }

  close() {
    this.holder.kill('SIGKILL');
  }
}
