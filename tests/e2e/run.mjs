// SPDX-License-Identifier: Apache-2.0
//
// Runs families of e2e checks inside the namespace that tests/e2e/run made. Arguments: --pages DIR --out DIR [--build-dir DIR]
// [--only TEXT] [--database sqlite|postgresql] [--kills N] [--outage SECONDS] FAMILY... One line per check; the last line counts them; exit code 0 only if some ran and none failed.

import { parseArgs } from 'node:util';
import { runChecks } from './checks.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pages: { type: 'string' }, out: { type: 'string' }, 'build-dir': { type: 'string' }, only: { type: 'string' }, verbose: { type: 'boolean' }, database: { type: 'string', default: 'sqlite' }, kills: { type: 'string' }, outage: { type: 'string' } },
});

// Interrupted: what was started ends with the namespace; the run's folder is cleared up by the next run.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

const sizes = Object.fromEntries(['kills', 'outage'].filter((name) => values[name]).map((name) => [name, Number(values[name])]));
let passed = 0;
let failed = 0;
for (const name of positionals) {
  const module = await import(new URL(`./${name}.mjs`, import.meta.url));
  const options = { pagesDir: values.pages, buildDir: values['build-dir'], database: values.database, out: values.out, ...sizes, say: values.verbose ? (line) => console.log(`     ${line}`) : () => {} };
  const result = await runChecks({ family: module.family, checks: module.checks, only: values.only, out: values.out, setUp: () => module.setUp(options) });
  passed += result.passed;
  failed += result.failed;
}
if (passed + failed === 0) console.log(`no check matches ${values.only}`);
console.log(`e2e: ${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
