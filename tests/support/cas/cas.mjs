// SPDX-License-Identifier: Apache-2.0
//
// A stand-in for an identity provider that speaks CAS: its login page signs everybody in as `user` at once and sends them back
// to the service with a ticket, which is good once. Listens on 127.0.0.1. Gives {url, tickets, close()}.

import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

export async function startCas({ user, port = 0 }) {
  const tickets = new Map(); // ticket -> the service it is for
  let made = 0;
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://cas');
    const service = url.searchParams.get('service');
    if (url.pathname === '/login' && service) {
      const ticket = `ST-${randomBytes(12).toString('hex')}`;
      tickets.set(ticket, service);
      made++;
      const back = new URL(service);
      back.searchParams.set('ticket', ticket);
      response.writeHead(302, { Location: back.href }).end();
      return;
    }
    if (['/proxyValidate', '/serviceValidate', '/p3/proxyValidate', '/p3/serviceValidate'].includes(url.pathname)) {
      const known = tickets.delete(url.searchParams.get('ticket'));
      const said = known
        ? `<cas:authenticationSuccess><cas:user>${user}</cas:user></cas:authenticationSuccess>`
        : '<cas:authenticationFailure code="INVALID_TICKET">no such ticket</cas:authenticationFailure>';
      response.writeHead(200, { 'Content-Type': 'text/xml' }).end(`<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">${said}</cas:serviceResponse>`);
      return;
    }
    response.writeHead(404).end();
  });
  await new Promise((listening, failed) => server.once('error', failed).listen(port, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    get made() { return made; },
    close: () => new Promise((closed) => { server.closeAllConnections(); server.close(closed); }),
  };
}
