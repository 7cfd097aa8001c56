// SPDX-License-Identifier: Apache-2.0
//
// What the rescue family says about its calls: how many keys came by themselves, how many the bridge fetched, how long it took
// from sending the invite and from its arrival at the bridge to ringing, and what the bridge's own metrics say of the same time.

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

function spread(calls, what) {
  const sorted = calls.map((call) => call[what]).filter((ms) => ms !== undefined).sort((a, b) => a - b);
  return sorted.length === 0 ? 'none' : `median ${at(sorted, 0.5)} ms, p95 ${at(sorted, 0.95)} ms, max ${sorted.at(-1)} ms`;
}

export class Figures {
  calls = [];
  remarks = [];

  constructor(bed, before) {
    Object.assign(this, { bed, before });
  }

  // rescued: the bridge fetched messages for this user between the beginning of the call and its ringing.
  add({ call, ring, rescued, key, invite }) {
    this.calls.push({
      rang: Boolean(ring), rescued: Boolean(ring) && rescued, key, inTime: key !== undefined && (!ring || key <= ring.at),
      ms: ring && ring.at - call.sentAt, here: ring && invite && ring.at - invite,
    });
  }

  say(remark) {
    this.remarks.push(remark);
  }

  async lines() {
    const { calls } = this;
    const rang = calls.filter((call) => call.rang);
    const [rescued, alone] = [rang.filter((call) => call.rescued), rang.filter((call) => !call.rescued)];
    const came = calls.filter((call) => call.inTime).length;
    const late = calls.filter((call) => call.key !== undefined && !call.inTime).length;
    const lines = [
      `${rang.length} of ${calls.length} calls rang; ${came} keys came in a transaction, ${late} only after the call rang, ${calls.length - came - late} never`,
      `${alone.length} calls without a rescue, invite sent to ringing: ${spread(alone, 'ms')}; since the bridge had it: ${spread(alone, 'here')}`,
      `${rescued.length} calls with a rescue, invite sent to ringing: ${spread(rescued, 'ms')}; since the bridge had it: ${spread(rescued, 'here')}`,
    ];
    return [...lines, ...this.remarks, await this.metricsLine()].join('\n');
  }

  // To be called before the bridge stops: it counts from 0 again afterwards.
  async beforeStop() {
    this.grown = this.#growth(await readMetrics(this.bed));
    this.before = {};
  }

  // What has been added since the figures were begun. Gives how much each counter has grown.
  #growth(after) {
    const grown = { ...this.grown };
    for (const [name, value] of Object.entries(after)) grown[name] = (grown[name] ?? 0) + value - (this.before[name] ?? 0);
    return grown;
  }

  // bounds: [seconds, how many took no longer], from the shortest to the longest.
  async histogram() {
    const grown = this.#growth(await readMetrics(this.bed));
    const name = 'matrix_voip_key_rescue_seconds';
    const buckets = Object.keys(grown).filter((key) => key.startsWith(`${name}_bucket`));
    const bounds = buckets.map((key) => [Number(key.match(/le="([^"]+)"/)[1].replace('+Inf', 'Infinity')), grown[key]]).sort(([a], [b]) => a - b);
    return { grown, rescues: grown.matrix_voip_key_rescues_total, count: grown[`${name}_count`], sum: grown[`${name}_sum`], bounds };
  }

  async metricsLine() {
    const { grown, rescues, count, sum, bounds } = await this.histogram();
    const [within] = bounds.find(([, below]) => below >= 0.95 * count) ?? [];
    const took = count ? `, on average ${Math.round((sum / count) * 1000)} ms, 95% within ${within} s` : '';
    const rejected = Object.entries(grown).filter(([key, by]) => key.startsWith('matrix_voip_rejected_events_total') && by > 0)
      .map(([key, by]) => `${key.match(/reason="([^"]+)"/)?.[1]} ${by}`);
    return [
      `the bridge's metrics: ${rescues} rescues${took}`,
      ...(rejected.length > 0 ? [`not taken: ${rejected.join(', ')}`] : []),
    ].join('\n');
  }
}
