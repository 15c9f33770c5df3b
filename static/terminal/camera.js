// The camera as a scanner. The ponyfill is the same on every browser; where WebAssembly is not allowed,
// a reader in plain JavaScript takes over. Both load only when somebody starts the camera.
import { $, lookUp } from "./page.js";

const FRAME = 640; // pixels of the square that is read
const PAUSE = 80; // milliseconds between two looks
let wanted = false;
let running = null;
let reader = null;

export function startCamera() {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-camera-start]")) start();
    else if (event.target.closest("[data-camera-stop]")) leave();
    else if (event.target.closest("[data-camera-torch]")) torch(event.target.closest("[data-camera-torch]"));
  });
  // Started once, it starts by itself for the next customer; elsewhere and in the background it is off.
  document.body.addEventListener("htmx:afterSwap", resume);
  document.addEventListener("visibilitychange", resume);
}

function resume() {
  if (document.hidden || !$("[data-camera]")) stop();
  else if (wanted && !running) start();
}

function leave() {
  wanted = false;
  stop();
  show("idle");
}

async function start() {
  const box = $("[data-camera]");
  if (!window.isSecureContext || !navigator.mediaDevices) return show("insecure");
  wanted = true;
  const session = { live: true, stream: null };
  running = session;
  try {
    session.stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: "environment", width: { ideal: 1280 } },
    });
    reader ??= await makeReader();
    if (!box.isConnected || !session.live) return end(session);
    await watch(box, session);
  } catch (error) {
    end(session);
    wanted = false;
    show(error.name === "NotAllowedError" || error.name === "SecurityError" ? "denied" : "none");
  }
}

async function watch(box, session) {
  const video = $("video", box);
  video.srcObject = session.stream;
  await video.play();
  show("live");
  const [track] = session.stream.getVideoTracks();
  $("[data-camera-torch]").hidden = !track.getCapabilities?.().torch;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d", { willReadFrequently: true });
  while (session.live && video.isConnected) {
    const code = await read(video, canvas, context);
    if (code && session.live) {
      navigator.vibrate?.(20);
      lookUp(code);
      await pause(2000);
    }
    await pause(PAUSE);
  }
  end(session);
}

async function read(video, canvas, context) {
  const side = Math.min(video.videoWidth, video.videoHeight);
  if (!side) return null;
  canvas.width = canvas.height = Math.min(FRAME, side);
  context.drawImage(video, (video.videoWidth - side) / 2, (video.videoHeight - side) / 2, side, side, 0, 0, canvas.width, canvas.height);
  const [found] = await reader.detect(context.getImageData(0, 0, canvas.width, canvas.height));
  return found?.rawValue ?? null;
}

async function makeReader() {
  const { ponyfill, wasm, fallback } = document.body.dataset;
  try {
    await script(ponyfill);
    const api = window.BarcodeDetectionAPI;
    api.prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: false });
    const detector = new api.BarcodeDetector({ formats: ["qr_code"] });
    await detector.detect(new ImageData(8, 8)); // fails here where WebAssembly is forbidden
    return detector;
  } catch {
    const { BarcodeDetector } = await import(fallback);
    return new BarcodeDetector({ formats: ["qr_code"] });
  }
}

function script(address) {
  return new Promise((resolve, reject) => {
    const element = document.createElement("script");
    element.src = address;
    element.onload = resolve;
    element.onerror = reject;
    document.head.append(element);
  });
}

function stop() {
  if (running) end(running);
}

function end(session) {
  session.live = false;
  session.stream?.getTracks().forEach((track) => track.stop());
  if (running === session) running = null;
}

function torch(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  const [track] = running?.stream?.getVideoTracks() ?? [];
  track?.applyConstraints({ advanced: [{ torch: on }] }).then(() => button.setAttribute("aria-pressed", String(on))).catch(() => {});
}

function show(state) {
  const box = $("[data-camera]");
  if (!box) return;
  box.classList.toggle("live", state === "live");
  $("video", box).hidden = state !== "live";
  $("[data-camera-tools]", box).hidden = state !== "live";
  $("[data-camera-idle]", box).hidden = state !== "idle";
  for (const refusal of box.querySelectorAll("[data-camera-refusal]")) refusal.hidden = refusal.dataset.cameraRefusal !== state;
  // The typed way is ready whenever the camera is not.
  if (["denied", "none", "insecure"].includes(state)) $("#q")?.focus();
}

function pause(time) {
  return new Promise((resolve) => setTimeout(resolve, time));
}
