// SPDX-License-Identifier: Apache-2.0
//
// What the e2e files share: a list of named checks run one after another, one line each; evidence (screenshots, wire logs, log
// tails) when one fails; exit code 1 on any failure, 2 when nothing ran. Each file: `await runChecks(name, checks, setUp)`.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function expect(condition, message) {
  if (!condition) throw new Error(message);
}

export function expectEqual(found, wanted, what) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${what}: expected ${JSON.stringify(wanted)}, found ${JSON.stringify(found)}`);
}

// checks: {name: async (ground) => void}. setUp gives the ground: {bed, browser?, ...}; its `refresh`, if any, runs before each.
export async function runChecks({ family, checks, setUp, only, out }) {
  const chosen = Object.entries(checks).filter(([name]) => !only || `${family}/${name}`.includes(only));
  if (chosen.length === 0) return { passed: 0, failed: 0 };
  mkdirSync(out, { recursive: true });
  let passed = 0;
  let failed = 0;
  const line = (mark, name, text) => console.log(`${mark} ${family}/${name}${text}`);
  let ground;
  try {
    ground = await setUp();
  } catch (error) {
    line('FAIL', 'set-up', `: ${error.message}`);
    return { passed: 0, failed: chosen.length };
  }
  try {
    for (const [name, check] of chosen) {
      const started = Date.now();
      try {
        await ground.refresh?.();
        const note = await check(ground);
        passed++;
        line('ok  ', name, ` (${Date.now() - started} ms)${note ? `\n       ${String(note).replaceAll('\n', '\n       ')}` : ''}`);
      } catch (error) {
        failed++;
        line('FAIL', name, ` (${Date.now() - started} ms): ${error.message}`);
        const prefix = `${family}-${name}`.replace(/[^\w-]+/g, '_');
        await ground.browser?.saveEvidence(out, prefix).catch(() => {});
        writeFileSync(join(out, `${prefix}.log`), `${error.stack}\n\n${ground.bed?.tails(200) ?? ''}\n`);
        console.log(`       evidence: ${join(out, prefix)}*`);
        if (ground.bed) console.log(ground.bed.tails(8).replace(/^/gm, '       '));
        await ground.recover?.().catch((again) => console.log(`       could not recover: ${again.message}`));
      }
    }
  } finally {
    await ground.close().catch((error) => {
      failed++;
      line('FAIL', 'clean-up', `: ${error.message}`);
    });
  }
  return { passed, failed };
}
