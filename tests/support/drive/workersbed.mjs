// SPDX-License-Identifier: Apache-2.0
//
// The bed with several bridge-hosts on one PostgreSQL, each on ports of its own, behind a plain TCP balancer for Synapse and one for
// the phones: connections go to the workers in turn, past one that refuses. Gives each worker's process, and which partitions are
// held by how many workers.

import { createServer, connect } from 'node:net';
import { Bed, eventually, freePort } from './bed.mjs';
import { Database } from './database.mjs';

// Bytes in both directions; knows nothing of HTTP.
class Balancer {
  static listen(port, targets) {
    const balancer = new Balancer();
    let next = 0;
    balancer.server = createServer((client) => {
      const first = next++;
      const attempt = (n) => {
        if (n === targets.length) return client.destroy();
        const server = connect(targets[(first + n) % targets.length], '127.0.0.1');
        server.once('error', () => attempt(n + 1));
        server.once('connect', () => {
          server.removeAllListeners('error');
          const end = () => (client.destroy(), server.destroy());
          client.on('error', end).on('close', end);
          server.on('error', end).on('close', end);
          client.pipe(server).pipe(client);
        });
      };
      client.on('error', () => {});
      attempt(0);
    });
    return new Promise((done) => balancer.server.listen(port, '127.0.0.1', () => done(balancer)));
  }

  close() {
    this.server.close();
  }
}

// How long others may take to hold what a worker held. Promised are 10 s: a lease lives 6 s, and the others look every 1.5 s, so
// that two looks after it ran out they have everything (9 s). The rest is for a machine that is busy with the load, and for asking.
export const takeoverLimit = 15000;

export class WorkersBed extends Bed {
  workers = [];
  balancers = [];

  constructor({ count = 3, ...options }) {
    super({ ...options, database: 'postgresql' });
    this.count = count;
    this.patience = 120000;
    this.plugin = { workers: true };
  }

  async makeDatabase() {
    this.say('starting PostgreSQL');
    this.db = await Database.make();
    this.dsn = this.db.dsn('matrix-voip');
  }

  async removeDatabase() {
    await this.db?.remove();
  }

  async startBridge() {
    for (let n = 0; n < this.count; n++) this.workers.push({ name: `worker-${n}`, api: await freePort(), appservice: await freePort() });
    this.balancers = [await Balancer.listen(this.ports.api, this.workers.map(({ api }) => api)), await Balancer.listen(this.ports.appservice, this.workers.map(({ appservice }) => appservice))];
    await Promise.all(this.workers.map((worker) => this.startWorker(worker)));
    await this.untilHeldBy(this.count);
  }

  async startWorker(worker) {
    this.env = { BRIDGE_API_LISTEN: `127.0.0.1:${worker.api}`, BRIDGE_APPSERVICE_LISTEN: `127.0.0.1:${worker.appservice}` };
    const [command, ...args] = this.bridgeCommand();
    worker.process = this.spawn('bridge-host', command, args);
    await eventually(`${worker.name} to be ready`, async () => (await fetch(`http://127.0.0.1:${worker.api}/readyz`)).ok, this.patience);
  }

  // All partitions are held, by so many workers: fails if they are not in time.
  async untilHeldBy(count, limit = 60000) {
    await eventually(`all partitions to be held by ${count} workers`, async () => {
      const shares = await this.db.sql(
        "SELECT count(*), count(DISTINCT worker) FROM partitions WHERE worker <> '' AND until > extract(epoch FROM clock_timestamp()) * 1000",
      );
      if (shares !== `64|${count}`) throw new Error(shares);
      return true;
    }, limit);
  }

  bridgeRuns() {
    return this.workers.every(({ process }) => process?.exitCode === null && process.signalCode === null);
  }

  async stop() {
    await Promise.all(this.workers.map(({ process }) => this.end(process, 'SIGTERM', 60000)));
    for (const balancer of this.balancers) balancer.close();
    await super.stop();
  }
}
