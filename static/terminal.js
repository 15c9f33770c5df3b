// The till's behaviour, one concern per file. Every one of them is an extra: without scripts the forms still work.
import { startCamera } from "./terminal/camera.js";
import { startFeedback } from "./terminal/feedback.js";
import { startFocus } from "./terminal/focus.js";
import { startLock } from "./terminal/lock.js";
import { startNetwork } from "./terminal/network.js";
import { startPads } from "./terminal/pads.js";
import { startPoints } from "./terminal/points.js";
import { startWedge } from "./terminal/wedge.js";

startFeedback();
startNetwork();
startPads();
startPoints();
startWedge();
startCamera();
startLock();
startFocus();

if ("serviceWorker" in navigator) {
  // Plain http in a shop's network has no service workers; the till works, it just has no offline page.
  navigator.serviceWorker.register(document.body.dataset.worker, { scope: document.body.dataset.scope }).catch(() => {});
}
