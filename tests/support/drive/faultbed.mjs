// SPDX-License-Identifier: Apache-2.0
//
// The bed for faults: the bridge lives in a network namespace of its own, with one link to Synapse, which can be cut, and one to the
// phones, which cannot; its PostgreSQL has a small disk. Each start of the bridge has a number, which is part of its name at the
// database (matrix-voip-N). Gives what the running process holds: memory, descriptors, connections. Only inside tests/support/netns.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Bed } from './bed.mjs';
import { Database } from './database.mjs';
import { Links } from './links.mjs';

export class FaultBed extends Bed {
  starts = 0;

  constructor(options) {
    super({ ...options, database: 'postgresql' });
    // The sanitizer's quarantine of freed memory would pass for growth.
    const sanitizer = [process.env.ASAN_OPTIONS, 'quarantine_size_mb=4'].filter(Boolean).join(':');
    this.env = { ASAN_OPTIONS: sanitizer };
    this.patience = 120000;
  }

  async start(options) {
    this.links = await Links.open(['matrix', 'phones']);
    this.addresses = { homeserver: this.links.near('matrix'), appservice: this.links.far('matrix'), api: this.links.far('phones') };
    await super.start(options);
  }

  async stop() {
    this.db?.freeDisk();
    try {
      await super.stop();
    } finally {
      this.links?.close();
    }
  }

  async makeDatabase() {
    this.say('starting PostgreSQL');
    this.db = await Database.make();
    this.dsn = this.db.dsn('matrix-voip-0');
  }

  async removeDatabase() {
    await this.db?.remove();
  }

  bridgeCommand() {
    return this.links.command(...super.bridgeCommand());
  }

  async startBridge(options) {
    this.env.BRIDGE_DATABASE_DSN = this.db.dsn(`matrix-voip-${++this.starts}`);
    await super.startBridge(options);
  }

  // ---- what the running bridge holds

  get residentBytes() {
    return Number(readFileSync(`/proc/${this.bridge.pid}/status`, 'utf8').match(/^VmRSS:\s+(\d+)/m)[1]) * 1024;
  }

  get descriptors() {
    return readdirSync(`/proc/${this.bridge.pid}/fd`).length;
  }

  // Synapse gives the next transaction when one has failed, and the failed one again later. [{from, to}] in ms: from when a later
  // one was taken to when the one before it was. Synapse counts from 1 again when it was restarted.
  lateTransactions() {
    const late = [];
    let taken = new Map(); // id -> when
    for (const line of readFileSync(join(this.synapseFolder, 'homeserver.log'), 'utf8').split('\n')) {
      const [, time, text] = line.match(/^(\S+ \S+) .*\/transactions\/(\d+): 200$/) ?? [];
      if (!time) continue;
      const id = Number(text);
      const at = new Date(time.replace(',', '.')).getTime();
      if (taken.has(id)) taken = new Map();
      const overtook = [...taken].find(([other]) => other > id);
      if (overtook) late.push({ from: overtook[1], to: at });
      taken.set(id, at);
    }
    return late;
  }

  bridgeLog() {
    return readFileSync(join(this.folder, 'bridge-host.log'), 'utf8');
  }
}
