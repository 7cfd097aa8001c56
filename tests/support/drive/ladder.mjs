// SPDX-License-Identifier: Apache-2.0
//
// A call as a ladder: who sent what to whom, when, and how it was encrypted. Accepts the pages' wire logs; gives lines of text.
// Times are milliseconds since the first arrow; a Matrix event's is the one at which the homeserver took it.

// columns: three names. arrows: {t, from, to, label, note} with column numbers that are neighbours; the note stands at the end.
export function ladder(columns, arrows, gap = 46) {
  const sorted = [...arrows].sort((x, y) => x.t - y.t);
  const start = sorted[0]?.t ?? 0;
  const heading = '      ms  ' + columns.map((name, i) => name.padEnd(i < columns.length - 1 ? gap + 1 : 0)).join('');
  const lines = [heading.trimEnd()];
  for (const { t, from, to, label, note } of sorted) {
    const right = to > from;
    const text = label.length > gap - 6 ? `${label.slice(0, gap - 7)}…` : label;
    const body = ` ${text} `.padStart(text.length + 3, '-').padEnd(gap - 1, '-');
    const arrow = right ? `${body}>` : `<${body}`;
    const cells = columns.slice(1).map((_name, i) => (i === Math.min(from, to) ? arrow : ' '.repeat(gap)));
    lines.push(`${String(Math.round(t - start)).padStart(8)}  |${cells.join('|')}|${note ? ` ${note}` : ''}`);
  }
  return lines;
}

const shortIds = (label) => label.replace(/[\w-]{12,}(?=[/ ]|$)/g, (word) => (/\d/.test(word) ? `${word.slice(0, 4)}…` : word));

// How a Matrix event was encrypted, as the receiving client would show it.
function encryptionNote(entry) {
  if (entry.decrypted === false) return `cannot be read: ${entry.failure}`;
  if (!entry.encrypted) return 'in the clear';
  return entry.shield === 'none' ? 'encrypted, no shield' : `encrypted, ${entry.shield} shield: ${entry.shieldReason}`;
}

// softphone | bridge | Matrix user
export async function bridgeLadder(softphone, matrix, since) {
  const { userId } = await matrix.state();
  const arrows = [];
  for (const entry of await softphone.entries()) {
    if (entry.t < since || entry.path === '/conversations' && entry.method === 'GET') continue;
    arrows.push({ t: entry.t, from: entry.from === 'softphone' ? 0 : 1, to: entry.from === 'softphone' ? 1 : 0, label: shortIds(entry.label) });
  }
  for (const entry of await matrix.entries()) {
    if (entry.t < since) continue;
    arrows.push({ t: entry.t, from: entry.from === userId ? 2 : 1, to: entry.from === userId ? 1 : 2, label: entry.label, note: encryptionNote(entry) });
  }
  return ladder(['softphone', 'bridge', userId], arrows);
}

// Matrix user | homeserver | Matrix user, of a call between two Matrix pages
export async function matrixLadder(left, right, since) {
  const { userId: a } = await left.state();
  const { userId: b } = await right.state();
  const arrows = (await right.entries()).filter((e) => e.t >= since).map((e) => ({ t: e.t, from: e.from === a ? 0 : 1, to: e.from === a ? 1 : 0, label: e.label, note: encryptionNote(e) }));
  return ladder([a, b], arrows, 60);
}
