// SPDX-License-Identifier: Apache-2.0
//
// node serve.mjs FOLDER [PORT]: serves the built pages on 127.0.0.1 only. Prints its address when it listens. GET and HEAD of
// files under FOLDER, nothing else. Also usable as a module: `await servePages(folder, port)` gives {address, close}.

import { createReadStream, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';

const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm', '.map': 'application/json', '.txt': 'text/plain' };

export function servePages(folder, port = 0) {
  const root = resolve(folder);
  const server = createServer((request, response) => {
    const refuse = (status) => response.writeHead(status, { 'Content-Type': 'text/plain' }).end(`${status}\n`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
    let path;
    try {
      path = resolve(join(root, decodeURIComponent(new URL(request.url, 'http://localhost').pathname)));
    } catch {
      return refuse(400);
    }
    if (path !== root && !path.startsWith(root + sep)) return refuse(404);
    let stat = statSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) {
      if (!request.url.split(/[?#]/)[0].endsWith('/')) return response.writeHead(301, { Location: `${request.url}/` }).end();
      path = join(path, 'index.html');
      stat = statSync(path, { throwIfNoEntry: false });
    }
    if (!stat?.isFile()) return refuse(404);
    response.writeHead(200, { 'Content-Type': types[extname(path)] ?? 'application/octet-stream', 'Content-Length': stat.size, 'Cache-Control': 'no-cache', 'Referrer-Policy': 'no-referrer' });
    if (request.method === 'HEAD') return response.end();
    createReadStream(path).pipe(response);
  });
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, '127.0.0.1', () => {
      done({ address: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((closed) => { server.close(closed); server.closeAllConnections?.(); }) });
    });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { address } = await servePages(process.argv[2] ?? 'dist', Number(process.argv[3] ?? 0));
  console.log(address);
}
