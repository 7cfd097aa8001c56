// SPDX-License-Identifier: Apache-2.0
//
// What a page sends and hears. Gives media streams (a generated tone by default, so that a call is audible without a
// microphone; the real microphone on request), a meter that tells the pitch of a remote stream, and a summary of a peer
// connection's RTP counters. Knows nothing of calls.

let context;

export function audioContext() {
  context ??= new AudioContext();
  if (context.state === 'suspended') context.resume().catch(() => {});
  return context;
}

const tones = new Map();

function toneStream(hertz) {
  const audio = audioContext();
  if (!tones.has(hertz)) {
    const oscillator = new OscillatorNode(audio, { frequency: hertz });
    const level = new GainNode(audio, { gain: 0.12 });
    const destination = audio.createMediaStreamDestination();
    oscillator.connect(level).connect(destination);
    oscillator.start();
    tones.set(hertz, destination.stream);
  }
  // A clone has an id and tracks of its own: who gets it may stop it without silencing the next call.
  return tones.get(hertz).clone();
}

function movingPicture(label) {
  const canvas = document.createElement('canvas');
  canvas.width = 320;
  canvas.height = 240;
  const draw = canvas.getContext('2d');
  const started = performance.now();
  const timer = setInterval(() => {
    const angle = ((performance.now() - started) / 15) % 360;
    draw.fillStyle = `hsl(${angle} 55% 35%)`;
    draw.fillRect(0, 0, 320, 240);
    draw.fillStyle = '#fff';
    draw.font = '24px sans-serif';
    draw.fillText(label, 20, 40);
    draw.beginPath();
    draw.arc(160 + 80 * Math.cos(angle / 20), 140 + 60 * Math.sin(angle / 20), 18, 0, 7);
    draw.fill();
  }, 66);
  const [track] = canvas.captureStream(15).getVideoTracks();
  const stop = track.stop.bind(track);
  track.stop = () => {
    clearInterval(timer);
    stop();
  };
  return track;
}

const openDevices = navigator.mediaDevices?.getUserMedia?.bind(navigator.mediaDevices);

export async function openStream({ hertz, label, video = false, microphone = false }) {
  if (microphone) return openDevices({ audio: true, video });
  const stream = toneStream(hertz);
  if (video) stream.addTrack(movingPicture(label));
  return stream;
}

export async function openVideo({ label, microphone = false }) {
  return microphone ? (await openDevices({ video: true })).getVideoTracks()[0] : movingPicture(label);
}

const openDisplay = navigator.mediaDevices?.getDisplayMedia?.bind(navigator.mediaDevices);

// The real screen goes with the real microphone; a page that sends a tone shows a generated picture.
export async function openScreen({ label, microphone = false }) {
  return microphone ? openDisplay({ video: true }) : new MediaStream([movingPicture(label)]);
}

export function stopStream(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

// The loudest frequency of a stream in hertz, or null when it is silent.
export class PitchMeter {
  constructor(stream) {
    this.analyser = new AnalyserNode(audioContext(), { fftSize: 8192, smoothingTimeConstant: 0 });
    this.source = audioContext().createMediaStreamSource(stream);
    this.source.connect(this.analyser);
    this.levels = new Float32Array(this.analyser.frequencyBinCount);
  }

  read() {
    this.analyser.getFloatFrequencyData(this.levels);
    let best = 0;
    for (let i = 1; i < this.levels.length; i++) if (this.levels[i] > this.levels[best]) best = i;
    if (!(this.levels[best] > -65)) return null;
    return Math.round((best * audioContext().sampleRate) / this.analyser.fftSize);
  }

  close() {
    this.source.disconnect();
  }
}

// RTP counters by kind; `screen` apart from them counts the two streams that are shared screens, theirs and ours.
export async function rtpSummary(connection, { screen = null, ownScreen = null } = {}) {
  const none = () => ({ bytesSent: 0, packetsSent: 0, bytesReceived: 0, packetsReceived: 0 });
  const summary = { connection: connection?.connectionState ?? 'none', audio: none(), video: none(), screen: none(), path: null, ufrag: null };
  if (!connection) return summary;
  summary.ufrag = connection.localDescription?.sdp.match(/^a=ice-ufrag:(\S+)/m)?.[1] ?? null;
  const report = await connection.getStats();
  const has = (stream, id) => Boolean(id && stream?.getTrackById(id));
  for (const stat of report.values()) {
    if (stat.type === 'inbound-rtp' && summary[stat.kind]) {
      const count = summary[has(screen, stat.trackIdentifier) ? 'screen' : stat.kind];
      count.bytesReceived += stat.bytesReceived ?? 0;
      count.packetsReceived += stat.packetsReceived ?? 0;
    } else if (stat.type === 'outbound-rtp' && summary[stat.kind]) {
      const count = summary[has(ownScreen, report.get(stat.mediaSourceId)?.trackIdentifier) ? 'screen' : stat.kind];
      count.bytesSent += stat.bytesSent ?? 0;
      count.packetsSent += stat.packetsSent ?? 0;
    } else if (stat.type === 'transport' && stat.selectedCandidatePairId) {
      const pair = report.get(stat.selectedCandidatePairId);
      const local = report.get(pair?.localCandidateId);
      const remote = report.get(pair?.remoteCandidateId);
      summary.path = `${local?.candidateType ?? '?'} ${local?.address ?? ''} - ${remote?.candidateType ?? '?'} ${remote?.address ?? ''}`;
    }
  }
  return summary;
}

// A quiet ringing sound while a call waits to be answered.
export class Ringer {
  start() {
    if (this.timer) return;
    const beep = () => {
      const audio = audioContext();
      const level = new GainNode(audio, { gain: 0 });
      const now = audio.currentTime;
      for (const [at, gain] of [[0.02, 0.05], [0.4, 0.05], [0.45, 0]]) level.gain.linearRampToValueAtTime(gain, now + at);
      const oscillator = new OscillatorNode(audio, { frequency: 880 });
      oscillator.connect(level).connect(audio.destination);
      oscillator.start(now);
      oscillator.stop(now + 0.5);
    };
    beep();
    this.timer = setInterval(beep, 2000);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
  }
}
