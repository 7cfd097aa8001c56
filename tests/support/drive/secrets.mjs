// SPDX-License-Identifier: Apache-2.0
//
// Searches everything that a run wrote for secrets that were used in it. Secrets: the tokens and the root key of the bridge, the
// users' tokens and passwords, the clients' access tokens, and what the pages' calls used (SDP fingerprints, ICE passwords, TURN
// passwords). What was written: every file of the run but those that are there to hold secrets, and what the bridge answers to
// administrators and on timelines. Gives findings without the secrets themselves.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

// Synapse's folder, the bridge's database, and what configures the bridge.
const holdsSecrets = [/^synapse\//, /^bridge\.db/, /^credentials\//, /^bridge\.yaml$/, /^registration\.yaml$/];

export class Secrets {
  values = new Map(); // value -> kind
  answers = new Map(); // name -> text

  add(kind, value) {
    if (value && String(value).length >= 8) this.values.set(String(value), kind); // shorter ones would be found anywhere
  }

  addBed(bed) {
    for (const [name, value] of Object.entries(bed.tokens)) this.add(`${name} token`, value);
    for (const [name, value] of Object.entries(bed.passwords)) this.add(`password of ${name}`, value);
    this.add('TURN shared secret', bed.turnSecret);
    const rootKey = join(bed.folder, 'credentials/root_key');
    if (existsSync(rootKey)) this.add('root key', readFileSync(rootKey, 'utf8').trim());
  }

  async addPhone(phone) {
    for (const { kind, value } of await phone.do('secrets')) this.add(kind, value);
  }

  counts() {
    const counts = {};
    for (const kind of this.values.values()) {
      const name = kind.replace(/ of .*/, '');
      counts[name] = (counts[name] ?? 0) + 1;
    }
    return counts;
  }

  // What the bridge tells now. To be called before it is killed, too: timelines do not survive that.
  async readBridge(bed) {
    const get = async (path, token) => {
      const answer = await fetch(bed.api + path, { headers: token ? { Authorization: `Bearer ${token}` } : {} });
      return answer.text();
    };
    const calls = [];
    for (const path of ['/calls', '/calls/history?limit=200']) calls.push(...(JSON.parse(await get(path, bed.tokens.alice)).calls ?? []));
    for (const { id } of calls) {
      const text = await get(`/calls/${id}/timeline`, bed.tokens.alice);
      if (text.includes('"replay"')) this.answers.set(`GET /calls/${id}/timeline`, text);
      this.answers.set(`GET /calls/${id}`, await get(`/calls/${id}`, bed.tokens.alice));
    }
    for (const path of ['/metrics', '/readyz', '/healthz', '/calls/history?limit=200']) this.answers.set(`GET ${path}`, await get(path, path.startsWith('/calls') ? bed.tokens.alice : null));
    for (const path of ['/admin/', '/admin/api/plugins/matrixvoip/settings', '/admin/api/rollout', '/admin/api/doctor']) this.answers.set(`GET ${path}`, await get(path, bed.tokens.admin));
  }

  // [{where, line, kind}] of all files under the folder and all answers. files: how many were read.
  search(folder) {
    const findings = [];
    let files = 0;
    const walk = (path) => {
      for (const entry of readdirSync(path, { withFileTypes: true })) {
        const inside = join(path, entry.name);
        const name = relative(folder, inside) + (entry.isDirectory() ? '/' : '');
        if (holdsSecrets.some((rule) => rule.test(name))) continue;
        if (entry.isDirectory()) walk(inside);
        else if (entry.isFile()) {
          files++;
          findings.push(...this.searchText(name, readFileSync(inside, 'utf8')));
        }
      }
    };
    if (folder) walk(folder);
    for (const [name, text] of this.answers) findings.push(...this.searchText(name, text));
    return { findings, files, answers: this.answers.size };
  }

  searchText(where, text) {
    const findings = [];
    const lower = text.toLowerCase();
    for (const [value, kind] of this.values) {
      for (const form of forms(value)) {
        const at = lower.indexOf(form.toLowerCase());
        if (at < 0) continue;
        findings.push({ where, line: text.slice(0, at).split('\n').length, kind });
        break;
      }
    }
    return findings;
  }
}

// As it is, as in an address, as in JSON that escapes slashes, and a fingerprint without its colons.
function forms(value) {
  const all = [value, encodeURIComponent(value), value.replaceAll('/', '\\/'), ...(/^([0-9a-f]{2}:){8}/i.test(value) ? [value.replaceAll(':', '')] : [])];
  return [...new Set(all)];
}

// Throws when anything was found; gives one line otherwise.
export function requireNothing({ findings, files, answers }, secrets) {
  if (findings.length > 0) throw new Error(`secrets were written: ${findings.map(({ where, line, kind }) => `${kind} in ${where}, line ${line}`).join('; ')}`);
  const kinds = Object.entries(secrets.counts()).map(([kind, count]) => `${count} ${kind}${count > 1 ? 's' : ''}`);
  return `searched ${files} files and ${answers} answers for ${secrets.values.size} secrets: ${kinds.join(', ')}`;
}
