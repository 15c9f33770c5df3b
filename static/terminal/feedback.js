// Sound and vibration: good rises, bad is low and double, so that nobody has to look.
let audio = null;

const SOUNDS = {
  found: [[880, 0, 0.03]],
  ok: [[1046, 0, 0.12], [1568, 0.12, 0.2]],
  full: [[1046, 0, 0.12], [1318, 0.12, 0.12], [1568, 0.24, 0.26]],
  given: [[784, 0, 0.12], [1046, 0.12, 0.22]],
  undone: [[880, 0, 0.1], [587, 0.1, 0.2]],
  warn: [[220, 0, 0.25]],
  bad: [[220, 0, 0.14], [220, 0.22, 0.14]],
};
const VIBRATIONS = { found: 20, ok: 40, full: [40, 40, 40, 40, 40], given: 80, undone: 40, warn: 80, bad: [80, 60, 80] };

export function startFeedback() {
  // Browsers allow sound only after a touch; the first one is the PIN.
  document.addEventListener("pointerdown", unlock, { capture: true });
  document.addEventListener("keydown", unlock, { capture: true });
  document.body.addEventListener("fb", (event) => play(event.detail.kind ?? event.detail.value));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-play]");
    if (button) play(button.dataset.play, true);
  });
}

export function play(kind, always = false) {
  if (!SOUNDS[kind]) return;
  navigator.vibrate?.(VIBRATIONS[kind]);
  if (audio?.state === "running" && (always || document.body.dataset.sound === "on")) SOUNDS[kind].forEach(tone);
}

function unlock() {
  if (!window.AudioContext || audio?.state === "running") return;
  audio ??= new AudioContext();
  audio.resume();
}

function tone([frequency, delay, length]) {
  const start = audio.currentTime + delay;
  const oscillator = audio.createOscillator();
  const gain = audio.createGain();
  oscillator.frequency.value = frequency;
  gain.gain.setValueAtTime(0.2, start);
  gain.gain.exponentialRampToValueAtTime(0.001, start + length);
  oscillator.connect(gain).connect(audio.destination);
  oscillator.start(start);
  oscillator.stop(start + length);
}
