// SPDX-License-Identifier: Apache-2.0
//
// What can happen to a PostgreSQL server: it is restarted, stays away, drops its clients (also in the middle of COMMIT), runs out of
// disk. A cluster of ours on a small file system of its own, where `bridge` owns the database `bridge`; whoever asks here does it as
// its superuser, on connections that no fault hits. Sees how many connections the bridge has. Only inside tests/support/netns.

import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, rmdirSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { eventually } from './bed.mjs';

const run = promisify(execFile);
const clusterTool = join(dirname(fileURLToPath(import.meta.url)), '../postgres/cluster');
const ours = "application_name LIKE 'matrix-voip%'";

export class Database {
  static async make({ megabytes = 192 } = {}) {
    const database = new Database();
    database.disk = mkdtempSync(join(tmpdir(), 'voip-disk-')); // where the server's own user can get to
    await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=1777`, 'faults', database.disk]);
    database.folder = (await run(clusterTool, ['start'], { env: { ...process.env, TMPDIR: database.disk } })).stdout.trim();
    await database.sql("CREATE ROLE bridge LOGIN; ALTER SYSTEM SET log_min_messages = 'warning'; SELECT pg_reload_conf()", 'postgres');
    await database.sql('CREATE DATABASE bridge OWNER bridge', 'postgres');
    return database;
  }

  dsn(application) {
    return `host=${this.folder} dbname=bridge user=bridge application_name=${application}`;
  }

  async remove() {
    await run(clusterTool, ['stop', this.folder]);
    await run('umount', [this.disk]);
    rmdirSync(this.disk);
  }

  // One or more statements; gives the rows of all, a line each, columns parted by "|".
  async sql(text, database = 'bridge') {
    const env = { ...process.env, PGOPTIONS: '-c synchronous_commit=local' };
    const statements = text.split(';').flatMap((statement) => (statement.trim() ? ['-c', statement] : []));
    return (await run('psql', ['-XqAt', '-v', 'ON_ERROR_STOP=1', '-h', this.folder, '-U', 'postgres', '-d', database, ...statements], { env })).stdout.trim();
  }

  // ---- away

  halt(mode) {
    return run(clusterTool, ['halt', this.folder, mode]);
  }

  // Also when it died by itself; nothing when it runs.
  async resume() {
    if (await this.sql('SELECT 1').then(() => true, () => false)) return;
    await run(clusterTool, ['resume', this.folder]).catch(async (error) => {
      if (!(await this.sql('SELECT 1').then(() => true, () => false))) throw error;
    });
  }

  // ---- connections

  // Gives how many there were.
  async terminate() {
    return Number(await this.sql(`SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE ${ours}`));
  }

  // application name -> how many connections
  async connections() {
    const rows = await this.sql(`SELECT application_name, count(*) FROM pg_stat_activity WHERE ${ours} GROUP BY 1`);
    return new Map(rows.split('\n').filter(Boolean).map((row) => row.split('|')).map(([name, count]) => [name, Number(count)]));
  }

  async hasConnectionWhere(condition) {
    return (await this.sql(`SELECT count(*) FROM pg_stat_activity WHERE ${ours} AND ${condition}`)) !== '0';
  }

  // The server commits and does not say so: it waits for a standby that is not there.
  async holdAnswers(hold) {
    await this.sql(`ALTER SYSTEM SET synchronous_standby_names = '${hold ? 'nobody' : ''}'; SELECT pg_reload_conf()`);
  }

  async refuseLogins(refuse) {
    await this.sql(`ALTER ROLE bridge ${refuse ? 'NOLOGIN' : 'LOGIN'}`);
  }

  // The connection of a commit that has happened is dropped before its answer. With `refused`, no other one is given for that long.
  async dropInCommit({ refusedMs = 0 } = {}) {
    await this.holdAnswers(true);
    try {
      await eventually('a commit that waits for its answer', () => this.hasConnectionWhere("wait_event = 'SyncRep'"));
      if (refusedMs) await this.refuseLogins(true);
      await this.terminate();
      if (refusedMs) await new Promise((done) => setTimeout(done, refusedMs));
    } finally {
      await this.holdAnswers(false);
      if (refusedMs) await this.refuseLogins(false);
    }
  }

  // ---- disk

  // Leaves no room at all, and keeps it so until `freeDisk`.
  fillDisk() {
    const file = openSync(join(this.disk, 'ballast'), 'a');
    const fill = () => {
      for (const piece of [Buffer.alloc(1 << 20), Buffer.alloc(1 << 12)]) {
        try {
          for (;;) writeSync(file, piece);
        } catch (error) {
          if (error.code !== 'ENOSPC') throw error;
        }
      }
    };
    fill();
    this.filling = { file, timer: setInterval(fill, 50) };
  }

  freeDisk() {
    if (!this.filling) return;
    clearInterval(this.filling.timer);
    closeSync(this.filling.file);
    rmSync(join(this.disk, 'ballast'));
    this.filling = null;
  }

  log() {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }
}
