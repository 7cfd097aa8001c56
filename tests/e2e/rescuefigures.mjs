// SPDX-License-Identifier: Apache-2.0
//
// What the rescue family says about its calls: how many keys came by themselves, how many the bridge fetched, how long it took
// from sending the invite to ringing, and what the bridge's own metrics say of the same time.

export async function readMetrics(bed) {
  const text = await (await fetch(`${bed.api}/metrics`)).text();
  const values = {};
  for (const line of text.split('\n')) {
    const [, name, value] = line.match(/^(matrix_voip_\S+) (\S+)$/) ?? [];
    if (name) values[name] = Number(value);
  }
  return values;
}

const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

function spread(times) {
  const sorted = [...times].sort((a, b) => a - b);
  return sorted.length === 0 ? 'none' : `median ${at(sorted, 0.5)} ms, p95 ${at(sorted, 0.95)} ms, max ${sorted.at(-1)} ms`;
}

export class Figures {
  calls = [];

  constructor(bed, before) {
    Object.assign(this, { bed, before });
  }

  // rescued: the bridge fetched messages for this user between the beginning of the call and its ringing.
  add({ call, ring, rescued, key }) {
    this.calls.push({ rang: Boolean(ring), ms: ring && ring.at - call.sentAt, rescued: Boolean(ring) && rescued, inTime: key !== undefined && (!ring || key <= ring.at), key });
  }

  async lines() {
    const { calls } = this;
    const rang = calls.filter((call) => call.rang);
    const [rescued, alone] = [rang.filter((call) => call.rescued), rang.filter((call) => !call.rescued)];
    const came = calls.filter((call) => call.inTime).length;
    const late = calls.filter((call) => call.key !== undefined && !call.inTime).length;
    const lines = [
      `${rang.length} of ${calls.length} calls rang; ${came} keys came in a transaction, ${late} only after the call rang, ${calls.length - came - late} never`,
      `${alone.length} calls without a rescue: ${spread(alone.map((call) => call.ms))}`,
      `${rescued.length} calls with a rescue: ${spread(rescued.map((call) => call.ms))}`,
    ];
    return [...lines, await this.metricsLine()].join('\n');
  }

  // The bridge counts from 0 again when it was started meanwhile.
  async metricsLine() {
    const after = await readMetrics(this.bed);
    const name = 'matrix_voip_key_rescue_seconds';
    const anew = (after[`${name}_count`] ?? 0) < (this.before[`${name}_count`] ?? 0);
    const grown = (key) => (after[key] ?? 0) - (anew ? 0 : this.before[key] ?? 0);
    const count = grown(`${name}_count`);
    const buckets = Object.keys(after).filter((key) => key.startsWith(`${name}_bucket`));
    const within = buckets.find((key) => grown(key) >= 0.95 * count)?.match(/le="([^"]+)"/)?.[1];
    return `the bridge's metrics: ${grown('matrix_voip_key_rescues_total')} rescues${anew ? ' since it was started' : ''}${count ? `, on average ${Math.round((grown(`${name}_sum`) / count) * 1000)} ms, 95% within ${within} s` : ''}`;
  }
}
