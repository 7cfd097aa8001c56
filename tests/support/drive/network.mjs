// SPDX-License-Identifier: Apache-2.0
//
// Breaks and mends the path that media take: in the namespace of the tests UDP goes nowhere, everything else goes on. Only
// inside tests/support/netns, where it can harm nobody: the rules of the machine itself are never touched.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

async function rules(change) {
  const outside = Object.values(networkInterfaces()).flat().some((address) => !address.internal);
  if (outside) throw new Error('this is not the namespace of the tests');
  for (const family of existsSync('/proc/net/if_inet6') ? ['-4', '-6'] : ['-4']) await change((...args) => run('ip', [family, 'rule', ...args]));
}

export function breakMedia() {
  return rules(async (rule) => {
    // The rule for local addresses comes first of all by itself; ours has to come before it.
    if (/^0:/m.test((await rule('show')).stdout)) {
      await rule('add', 'pref', '2', 'lookup', 'local');
      await rule('del', 'pref', '0');
    }
    await rule('add', 'pref', '1', 'ipproto', 'udp', 'blackhole');
  });
}

// Safe when nothing is broken.
export function mendMedia() {
  return rules(async (rule) => {
    if (/^1:/m.test((await rule('show')).stdout)) await rule('del', 'pref', '1');
  });
}
