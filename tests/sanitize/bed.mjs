// SPDX-License-Identifier: Apache-2.0
//
// node bed.mjs PROGRAM: the test bed says so when a bridge ends with what the sanitizers found, and only then. PROGRAM is
// `seeded`, which makes mistakes on purpose and stands in for bridge-host.

import { Bed } from '../support/drive/bed.mjs';

const [program] = process.argv.slice(2);

async function findings(mistake) {
  const bed = new Bed({ kind: 'sanitize' });
  Object.defineProperty(bed, 'bridgeBinary', { value: program });
  bed.bridgeConfig = mistake;
  await bed.startBridge({ wait: false });
  await new Promise((done) => bed.bridge.once('close', done));
  return bed.stop().then(() => '', (error) => error.message);
}

let wrong = 0;
for (const [mistake, expected] of [
  ['nothing', /^$/], ['leak', /LeakSanitizer/], ['use_after_free', /AddressSanitizer/], ['overflow', /signed integer overflow/], ['shift', /shift exponent/],
]) {
  const said = await findings(mistake);
  console.log(`${expected.test(said) ? 'ok  ' : 'FAIL'} ${mistake}: ${said || 'nothing'}`);
  if (!expected.test(said)) wrong++;
}
process.exit(wrong ? 1 : 0);
