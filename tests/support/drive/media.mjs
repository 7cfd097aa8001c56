// SPDX-License-Identifier: Apache-2.0
//
// Proof that media flows: RTP counted at both ends of a call, both ways, and each end's tone heard at the other. Accepts two
// phones that are connected; gives the counted growth; throws, with the numbers, when it does not come in time.

export async function countMedia(a, b, { video = false, timeout = 20000 } = {}) {
  const kinds = video ? ['audio', 'video'] : ['audio'];
  const first = [await a.stats(), await b.stats()];
  const started = Date.now();
  const heard = [false, false];
  for (;;) {
    const now = [await a.stats(), await b.stats()];
    const flows = [0, 1].map((i) => {
      const other = now[1 - i];
      heard[i] ||= now[i].heardHertz !== null && Math.abs(now[i].heardHertz - other.sentHertz) <= 12;
      return Object.fromEntries(kinds.map((kind) => [kind, {
        sent: now[i][kind].bytesSent - first[i][kind].bytesSent,
        received: now[i][kind].bytesReceived - first[i][kind].bytesReceived,
        packets: now[i][kind].packetsReceived - first[i][kind].packetsReceived,
      }]));
    });
    const grown = flows.every((flow) => kinds.every((kind) => flow[kind].sent >= 4000 && flow[kind].received >= 4000 && flow[kind].packets >= 50));
    if (grown && heard[0] && heard[1]) {
      return {
        ms: Date.now() - started,
        ends: [a, b].map((phone, i) => ({ name: phone.name, ...flows[i], heardHertz: now[1 - i].sentHertz, path: now[i].path })),
      };
    }
    if (Date.now() - started > timeout) {
      throw new Error(`media did not flow both ways within ${timeout} ms: ${a.name} ${JSON.stringify(flows[0])} tone heard: ${heard[0]}; ${b.name} ${JSON.stringify(flows[1])} tone heard: ${heard[1]}; connections: ${now[0].connection}, ${now[1].connection}`);
    }
    await new Promise((again) => setTimeout(again, 100));
  }
}

// Waits until `phone` has received that much more of a kind (audio, video, screen) than when this was called. Gives the bytes.
export async function untilReceived(phone, kind, { bytes = 4000, timeout = 20000 } = {}) {
  const first = await phone.stats();
  const deadline = Date.now() + timeout;
  for (;;) {
    const now = await phone.stats();
    // Which stream a section carries is known some frames late; counters may then start anew.
    const from = Math.min(first[kind].bytesReceived, now[kind].bytesReceived);
    if (now[kind].bytesReceived - from >= bytes) return now[kind].bytesReceived - from;
    if (Date.now() > deadline) throw new Error(`${phone.name}: waited ${timeout} ms for ${bytes} bytes of ${kind}, received ${now[kind].bytesReceived - from}; connection: ${now.connection}`);
    await new Promise((again) => setTimeout(again, 100));
  }
}

// Waits until no packet of a kind has come to `phone` for a second.
export async function untilQuiet(phone, kind, { quietFor = 1000, timeout = 15000 } = {}) {
  const deadline = Date.now() + timeout;
  let last = null;
  let since = Date.now();
  for (;;) {
    const { packetsReceived } = (await phone.stats())[kind];
    if (packetsReceived !== last) [last, since] = [packetsReceived, Date.now()];
    if (Date.now() - since >= quietFor) return;
    if (Date.now() > deadline) throw new Error(`${phone.name}: ${kind} still comes after ${timeout} ms (${packetsReceived} packets)`);
    await new Promise((again) => setTimeout(again, 100));
  }
}

// Waits until `phone` hears nothing, whatever packets come.
export async function untilSilent(phone, timeout = 15000) {
  const deadline = Date.now() + timeout;
  for (let silent = 0; silent < 5; ) {
    const { heardHertz } = await phone.stats();
    silent = heardHertz === null ? silent + 1 : 0;
    if (Date.now() > deadline) throw new Error(`${phone.name}: still hears ${heardHertz} Hz after ${timeout} ms`);
    await new Promise((again) => setTimeout(again, 50));
  }
}

export function mediaLines({ ms, ends: [a, b] }) {
  const lines = [];
  for (const kind of Object.keys(a).filter((k) => k === 'audio' || k === 'video')) {
    lines.push(`RTP ${kind} in ${ms} ms: ${a.name} -> ${b.name} ${b[kind].received} bytes (${b[kind].packets} packets), ${b.name} -> ${a.name} ${a[kind].received} bytes (${a[kind].packets} packets)`);
  }
  lines.push(`tones: ${b.name} hears ${a.name}'s ${b.heardHertz} Hz, ${a.name} hears ${b.name}'s ${a.heardHertz} Hz; path: ${a.path}`);
  return lines;
}
