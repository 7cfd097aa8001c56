// SPDX-License-Identifier: Apache-2.0
//
// node build.mjs OUT: bundles the two pages into OUT/matrix and OUT/softphone, each index.html, page.js and what it loads.
// Reads only this folder and its node_modules; needs no network.

import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, 'dist'));
const read = (path) => readFileSync(join(here, 'src', path), 'utf8');

const pages = {
  matrix: {
    title: 'Matrix phone', kind: 'matrix', colour: '%230b6b57', titleKey: 'matrixTitle', leadKey: 'matrixLead', example: '@nova_alice:test',
    options: [['auto-join', 'autoJoin', 'checked'], ['encrypt-rooms', 'encryptRooms', ''], ['only-signed', 'onlySigned', '']]
      .map(([id, key, state]) => `<label class="check"><input id="${id}" type="checkbox" ${state}> <span data-i18n="${key}"></span></label>`).join('\n      '),
    homeserver: 'http://127.0.0.1:8008',
  },
  softphone: {
    title: 'Softphone', kind: 'host', colour: '%232f4fb5', titleKey: 'hostTitle', leadKey: 'hostLead', example: '@bob:test', options: '',
    api: 'http://127.0.0.1:9010',
  },
};

for (const [name, values] of Object.entries(pages)) {
  const folder = join(out, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [join(here, 'src', name, 'page.js')], outfile: join(folder, 'page.js'), bundle: true, format: 'esm', platform: 'browser', target: 'chrome110',
    define: { global: 'globalThis' }, minify: true, sourcemap: 'linked', legalComments: 'linked', logLevel: 'warning',
  });
  const fill = (text) => text.replace(/\{\{(\w+)\}\}/g, (_whole, key) => (key === 'login' ? fill(read(`${name}/login.html`)) : values[key] ?? ''));
  writeFileSync(join(folder, 'index.html'), fill(read('common/page.html')));
}
cpSync(join(here, 'src/common/style.css'), join(out, 'style.css'));
// The crypto wasm is looked for at pkg/ beside the bundle.
const wasm = 'pkg/matrix_sdk_crypto_wasm_bg.wasm';
mkdirSync(join(out, 'matrix/pkg'), { recursive: true });
cpSync(join(here, 'node_modules/@matrix-org/matrix-sdk-crypto-wasm', wasm), join(out, 'matrix', wasm));
console.log(`pages: built in ${out}`);
