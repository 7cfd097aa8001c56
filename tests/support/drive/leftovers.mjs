// SPDX-License-Identifier: Apache-2.0
//
// Where the runs of the bed keep their folders, who of them is alive, and how to clear up after those that were killed.

import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
export const synapseTool = join(dirname(fileURLToPath(import.meta.url)), '../synapse/synapse');
const initialPidNamespace = 'pid:[4026531836]';

export const cacheFolder = process.env.MATRIX_VOIP_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'matrix-voip');
export const runsFolder = join(cacheFolder, 'runs');

// ---- who is alive

export function startTime(pid) {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ')[19];
  } catch {
    return null;
  }
}
export const self = () => ({ pid: process.pid, start: startTime(process.pid), namespace: readlinkSync('/proc/self/ns/pid') });

function isAlive({ pid, start, namespace }) {
  const mine = readlinkSync('/proc/self/ns/pid');
  if (namespace === mine) return startTime(pid) === start;
  // A run in a namespace of its own: its pids mean nothing here, but from outside its processes can be seen, and start times
  // are the same everywhere. (The namespace alone is not enough: the kernel uses its numbers again.)
  if (mine !== initialPidNamespace) return true;
  return readdirSync('/proc').some((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    try {
      return startTime(entry) === start && readlinkSync(`/proc/${entry}/ns/pid`) === namespace;
    } catch {
      return false;
    }
  });
}

const readJson = (path) => {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
};

// Ends what runs that were killed have left behind. With `live`, asks running ones of this kind to stop, too.
export async function cleanLeftovers({ kind, live = false, say = () => {} } = {}) {
  let cleaned = 0;
  for (const name of existsSync(runsFolder) ? readdirSync(runsFolder) : []) {
    if (kind && !name.startsWith(`${kind}-`)) continue;
    const folder = join(runsFolder, name);
    const owner = readJson(join(folder, 'owner.json'));
    if (owner && isAlive(owner)) {
      if (!live) continue;
      if (owner.namespace !== self().namespace) {
        say(`${name} is running in a namespace of its own: stop it where it was started`);
        continue;
      }
      say(`asking ${name} (pid ${owner.pid}) to stop`);
      process.kill(owner.pid, 'SIGTERM');
      const deadline = Date.now() + 30000;
      while (isAlive(owner) && Date.now() < deadline) await new Promise((again) => setTimeout(again, 100));
      cleaned++;
      if (!existsSync(folder)) continue;
    }
    say(`clearing up after ${name}`);
    for (const child of readJson(join(folder, 'children.json')) ?? []) {
      if (child.namespace === self().namespace && isAlive(child)) process.kill(child.pid, 'SIGKILL');
    }
    const synapse = join(folder, 'synapse');
    if (existsSync(synapse)) await run(synapseTool, ['stop', '--dir', synapse]);
    rmSync(folder, { recursive: true, force: true });
    cleaned++;
  }
  return cleaned;
}
